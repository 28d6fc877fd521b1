"""A pair side by side: shared turns folded, the last question once, two replies."""

from __future__ import annotations

from html import escape

import streamlit as st

from ivan_core.domain.pairs import Pair, prompt_turns
from ivan_core.domain.transcripts import Dialogue, Turn
from ivan_core.metrics.differences import Piece, word_differences

_AVATARS = {"Human": ":material/person:", "Assistant": ":material/smart_toy:"}
_TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.55;margin:0"
_OWN = {
    "chosen": "background:rgba(88,132,214,.20);text-decoration:underline 1.5px;"
    "text-underline-offset:3px;border-radius:2px",
    "rejected": "background:rgba(190,146,58,.20);text-decoration:underline dotted 2px;"
    "text-underline-offset:3px;border-radius:2px",
}


def show_text(text: str) -> None:
    """Dataset text exactly as it is."""
    st.html(f'<div dir="auto" style="{_TEXT}">{escape(text)}</div>')


def show_pair(pair: Pair, marked: bool, notes: dict[str, str]) -> None:
    """Draw both sides of a pair. `notes` holds a line for the head of each side."""
    shared = pair.shared_turns
    question = shared[-1] if shared and shared[-1].role == "Human" else None
    earlier = shared[:-1] if question else shared
    if earlier:
        count = (
            f"{len(earlier)} earlier turn{'s' if len(earlier) != 1 else ''}, the same on both sides"
        )
        with st.expander(count):
            for turn in earlier:
                show_turn(turn)
    if question:
        show_turn(question)
    left, right = _pieces(pair, marked)
    for column, side, dialogue, pieces in zip(
        st.columns(2),
        ("chosen", "rejected"),
        (pair.chosen, pair.rejected),
        (left, right),
        strict=True,
    ):
        with column, st.container(border=True, height="stretch", key=f"side-{side}"):
            letter = "A" if side == "chosen" else "B"
            st.html(f'<p style="margin:0"><b>{letter} · {side}</b> <span style="opacity:.7">'
                    f"{escape(notes.get(side, ''))}</span></p>")  # fmt: skip
            for turn in dialogue.turns[len(shared) : len(prompt_turns(dialogue))]:
                show_turn(turn)
            with st.chat_message("assistant", avatar=_AVATARS["Assistant"]):
                st.html(_marked(pieces, side))


def show_turn(turn: Turn) -> None:
    """One turn of a dialogue."""
    name = "user" if turn.role == "Human" else "assistant"
    with st.chat_message(name, avatar=_AVATARS[turn.role]):
        show_text(turn.words)


def _pieces(pair: Pair, marked: bool) -> tuple[list[Piece], list[Piece]]:
    left, right = _last_words(pair.chosen), _last_words(pair.rejected)
    if not marked:
        return [(left, False)], [(right, False)]
    return word_differences(left, right)


def _last_words(dialogue: Dialogue) -> str:
    """The last turn where it is a reply; a note where the dialogue has none there."""
    if dialogue.turns and dialogue.turns[-1].role == "Assistant":
        return dialogue.turns[-1].words or "(empty reply)"
    return dialogue.text if not dialogue.turns else "(no reply: the dialogue ends in a Human turn)"


def _marked(pieces: list[Piece], side: str) -> str:
    parts = [
        f'<ins style="{_OWN[side]}">{escape(text)}</ins>' if own and text.strip() else escape(text)
        for text, own in pieces
    ]
    return f'<div dir="auto" style="{_TEXT}">{"".join(parts)}</div>'
