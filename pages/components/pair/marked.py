"""Two texts side by side with the words that differ marked, found once and not at every rerun."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from ivan_core.metrics.differences import MOST_CHARACTERS, Piece, word_differences
from pages.components.kit.long_texts import show_part

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


def show_pieces(pieces: Sequence[Piece], mark: str, key: str, spaces: bool = False) -> None:
    """Draw a text in pieces; spaces alone are marked where asked for, unless they break a line.

    A text without marks is cut where it is too long to be sent at once; `key` tells texts apart.
    """
    if len(pieces) == 1 and not pieces[0][1]:
        show_part(pieces[0][0], key, lambda part: _draw(escape(part)))
        return

    def is_marked(text: str, own: bool) -> bool:
        return own and (bool(text.strip()) or (spaces and "\n" not in text))

    parts = [
        f'<ins style="{mark}">{escape(text)}</ins>' if is_marked(text, own) else escape(text)
        for text, own in pieces
    ]
    _draw("".join(parts))


def _draw(html: str) -> None:
    st.html(f'<div dir="auto" style="{TEXT_STYLE}">{html}</div>')
