"""How the first row of a dataset was read: what came before, and its replies, side by side or in a
list, with which of them are better.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from ivan_core.datasets.first_row import FirstRow, Reply
from ivan_core.domain.pairs import SIDES, Pair
from ivan_core.domain.words import number_of
from pages.components.kit.text import say
from pages.components.pair.replies import show_before, show_pair, show_text

_NO_REPLY = "(empty reply)"
_NOTE = "opacity:.72;font-size:.85rem;overflow-wrap:anywhere"


def show_first_row(row: FirstRow, first: Pair) -> None:
    """Draw the row; `first` is its first pair."""
    say(_told(row), "small", quiet=True)
    if len(row.replies) == 2:
        by_text = {reply.dialogue.text: reply.model for reply in row.replies}
        sides = zip(SIDES, (first.chosen, first.rejected), strict=True)
        show_pair(first, True, {side: by_text.get(text.text, "") for side, text in sides})
        return
    if row.prompts_differ:
        say("Replies follow different dialogues: that of the first is shown.", "small", quiet=True)
    with st.container(key="first-row-before"):
        show_before(row.replies[0].dialogue, False)
    for reply in row.shown():
        with st.container(border=True, key=f"first-row-{reply.place}"):
            st.html(_head(reply))
            words = reply.dialogue.reply
            if words:
                show_text(words, f"first-row-reply-{reply.place}")
            else:
                say(_NO_REPLY, quiet=True)
    if more := row.not_shown():
        say(f"And {more}.", "small", quiet=True)


def _told(row: FirstRow) -> str:
    """What is known of the row beside its texts, in a sentence."""
    told = f"The first row has {number_of(len(row.replies), 'reply', 'replies')}"
    if row.tied:
        told = f"{told} and is a tie: none is better"
    elif len(row.replies) > len(SIDES):
        told = f"{told}, {row.better:,} of them better than the others"
    known = [f"subset {row.subset}"] if row.subset else []
    known += [row.strength_told()] if row.strength is not None else []
    return f"{told} ({', '.join(known)})." if known else f"{told}."


def _head(reply: Reply) -> str:
    name = f"Reply {reply.place:,}{' · better' if reply.better else ''}"
    name = f"<b>{name}</b>" if reply.better else name
    return f'<p style="margin:0">{name} <span style="{_NOTE}">{escape(reply.model)}</span></p>'
