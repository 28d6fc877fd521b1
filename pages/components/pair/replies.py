"""A pair side by side: shared turns folded, the last question once, two replies with the words that
differ marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import streamlit as st

from ivan_core.domain.pairs import SIDES, Pair, Side
from ivan_core.domain.transcripts import Dialogue, Turn, prompt_turns
from ivan_core.domain.words import number_of
from ivan_core.metrics.differences import (
    MOST_APART,
    MOST_CHARACTERS,
    Piece,
    share_apart,
    word_differences,
)
from pages.components.kit.text import say, show_many, show_part
from pages.components.pair.coloured_words import Coloured, words_html

TEXT_STYLE = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.55;margin:0"
MARKS = (
    "background:rgba(88,132,214,.20);text-decoration:underline 1.5px;text-underline-offset:3px;"
    "border-radius:2px;color:inherit",
    "background:rgba(190,146,58,.20);text-decoration:underline dotted 2px;"
    "text-underline-offset:3px;border-radius:2px;color:inherit",
)
"""How the words of the left and of the right text alone look."""
NOT_COMPARED = (
    "The words that differ are not marked: the texts are too long, or repeat themselves too much, "
    "to be compared here."
)


def differing(left: str, right: str) -> tuple[list[Piece], list[Piece]] | None:
    """`word_differences`, found once for all visitors."""
    if left == right:
        return plain(left), plain(right)
    if max(len(left), len(right)) > MOST_CHARACTERS:
        return None  # kept out of the memory of what was found
    return _found(left, right)


@st.cache_data(max_entries=256, show_spinner=False)
def _found(left: str, right: str) -> tuple[list[Piece], list[Piece]] | None:
    """Kept under the hashes of both texts."""
    return word_differences(left, right)


def plain(text: str) -> list[Piece]:
    """A text without marks."""
    return [(text, False)] if text else []


def show_pieces(
    pieces: Sequence[Piece], mark: str, key: str, spaces: bool = False, role: str = ""
) -> None:
    """Draw a text in pieces; spaces alone are marked where asked for, unless they break a line.

    A text without marks is cut where it is too long to be sent at once; `key` tells texts apart.
    `role` says above it who speaks.
    """
    if len(pieces) == 1 and not pieces[0][1]:
        show_part(pieces[0][0], key, lambda part: _draw(escape(part), role))
        return

    def is_marked(text: str, own: bool) -> bool:
        return own and (bool(text.strip()) or (spaces and "\n" not in text))

    parts = [
        f'<ins style="{mark}">{escape(text)}</ins>' if is_marked(text, own) else escape(text)
        for text, own in pieces
    ]
    _draw("".join(parts), role)


def _draw(html: str, role: str = "") -> None:
    text = f'<div dir="auto" style="{TEXT_STYLE}">{html}</div>'
    if role:
        ground = _ASKED if role == "Human" else ""
        text = f'<div class="ivan-turn" style="{ground}"><div style="{_NOTE}">{role}</div>{text}'
        text += "</div>"
    st.html(text)


_NOTE = "opacity:.72;font-size:.85rem;overflow-wrap:anywhere"
_ASKED = "background:rgba(128,128,128,.09);border-radius:.5rem;padding:.6rem .9rem"
"""The ground of what people say, which sets it off from replies."""
_LONG_SYSTEM = 400
"""Characters of a system turn from which on it is folded."""
_NO_REPLY = "(no reply: the dialogue ends in a Human turn)"


def show_text(text: str, key: str) -> None:
    """Dataset text exactly as it is, as much of it as is sent at once; `key` tells texts apart."""
    show_pieces(plain(text), "", key)


def show_pair(
    pair: Pair,
    marked: bool,
    notes: dict[str, str],
    blind_left: Side | None = None,
    choose: Callable[[str, Side], object] | None = None,
    coloured: Mapping[Side, Sequence[Coloured]] | None = None,
) -> None:
    """Draw both sides of a pair. `notes` holds a line for the head of each side.

    Where `marked` the words that differ are, unless most of them do. The reply of a side that is
    among the `coloured` ones is drawn as it is there.

    With `blind_left` that side stands left, and nothing tells which one was chosen. `choose` draws
    what is pressed to choose a side, beside its letter.
    """
    shared = _after_system(pair.shared_turns)
    question = shared[-1] if shared and shared[-1].role == "Human" else None
    earlier = shared[:-1] if question else shared
    if _preamble(pair.chosen) == _preamble(pair.rejected) and _preamble(pair.chosen):
        show_text(_preamble(pair.chosen), "preamble")
    if earlier:
        turns = number_of(len(earlier), "earlier turn")
        with st.expander(f"{turns}, the same on both sides"):
            show_many(earlier, show_turn, "earlier", "turns")
    if question:
        show_turn(question, "question")
    compared = _pieces(pair, marked)
    pieces = dict(zip(SIDES, compared or _unmarked(pair), strict=True))
    if compared is None:
        say(NOT_COMPARED, "small", quiet=True)
    elif marked and (apart := share_apart(*compared)) > MOST_APART:
        say(f"{apart:.0%} of the words differ, so none are marked.", "small", quiet=True)
        pieces = dict(zip(SIDES, _unmarked(pair), strict=True))
    order = SIDES if blind_left in (None, "chosen") else SIDES[::-1]
    for column, letter, mark, side in zip(st.columns(2), "AB", MARKS, order, strict=True):
        with column, st.container(border=True, height="stretch", key=f"side-{letter}"):
            with st.container(horizontal=True, vertical_alignment="center"):
                head = letter if blind_left else f"{letter} · {side}"
                st.html(
                    f'<p style="margin:0"><b>{head}</b> '
                    f'<span style="{_NOTE}">{escape(notes.get(side, ""))}</span></p>'
                )
                if choose is not None:
                    choose(letter, side)
            _show_side(pair, side, pieces[side], mark, (coloured or {}).get(side))


def _show_side(
    pair: Pair, side: Side, pieces: list[Piece], mark: str, coloured: Sequence[Coloured] | None
) -> None:
    """One side: the turns that only it has, and its reply."""
    dialogue = pair.chosen if side == "chosen" else pair.rejected
    if _preamble(pair.chosen) != _preamble(pair.rejected):
        show_text(_preamble(dialogue), f"preamble-{side}")
    own = dialogue.turns[len(pair.shared_turns) : len(prompt_turns(dialogue))]
    show_many(own, show_turn, side, "turns")
    if not pieces:
        say("(empty reply)" if _ends_in_reply(dialogue) else _NO_REPLY, quiet=True)
        return
    if coloured is not None:
        _draw(words_html(coloured))
    else:
        show_pieces(pieces, mark, f"reply-{side}")


def show_turn(turn: Turn, key: str) -> None:
    """One turn of a dialogue; a system turn is shown quietly, a long one folded."""
    if turn.role == "System":
        _show_system(turn.words, key)
        return
    show_pieces(plain(turn.words), "", key, role=turn.role)


def _show_system(words: str, key: str) -> None:
    if len(words) > _LONG_SYSTEM:
        with st.expander(f"The system turn, {len(words):,} characters"):
            show_text(words, key)
    else:
        st.html(f'<div dir="auto" style="{TEXT_STYLE};{_NOTE}"><b>System</b> {escape(words)}</div>')


def _after_system(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Show the system turns that a dialogue begins with; returns those after them."""
    first = next((i for i, turn in enumerate(turns) if turn.role != "System"), len(turns))
    show_many(turns[:first], show_turn, "system", "system turns")
    return turns[first:]


def show_dialogue(dialogue: Dialogue, whole: bool) -> None:
    """One text: earlier turns folded away unless the whole of it is asked for, then its reply."""
    show_before(dialogue, whole)
    show_reply(dialogue)


def show_before(dialogue: Dialogue, whole: bool) -> None:
    """What comes before the reply of a text, earlier turns folded away unless asked for."""
    if _preamble(dialogue):
        show_text(_preamble(dialogue), "preamble")
    turns = _after_system(prompt_turns(dialogue))
    question = turns[-1] if turns and turns[-1].role == "Human" else None
    earlier = turns[:-1] if question else turns
    if earlier:
        with st.expander(number_of(len(earlier), "earlier turn"), whole):
            show_many(earlier, show_turn, "earlier", "turns")
    if question:
        show_turn(question, "question")


def show_reply(dialogue: Dialogue) -> None:
    """The reply of a text, in a card."""
    reply = _reply(dialogue)
    with st.container(border=True, key="the-reply"):
        say("The reply", "small", quiet=True)
        if not reply:
            say("(empty reply)" if _ends_in_reply(dialogue) else _NO_REPLY, quiet=True)
            return
        show_text(reply, "reply")


def _preamble(dialogue: Dialogue) -> str:
    """What stands before the first turn; a text without turns counts as a reply."""
    return dialogue.preamble.strip() if dialogue.turns else ""


def _ends_in_reply(dialogue: Dialogue) -> bool:
    return bool(dialogue.turns) and dialogue.turns[-1].role == "Assistant"


def _reply(dialogue: Dialogue) -> str:
    """The last turn where it is a reply, the whole text where there are no turns; else nothing."""
    if not dialogue.turns:
        return dialogue.printed
    return dialogue.turns[-1].words if _ends_in_reply(dialogue) else ""


def _pieces(pair: Pair, marked: bool) -> tuple[list[Piece], list[Piece]] | None:
    """Both replies in pieces, an empty list where there is none; None if they are not compared."""
    left, right = _reply(pair.chosen), _reply(pair.rejected)
    if marked and left and right:
        return differing(left, right)
    return _unmarked(pair)


def _unmarked(pair: Pair) -> tuple[list[Piece], list[Piece]]:
    return plain(_reply(pair.chosen)), plain(_reply(pair.rejected))
