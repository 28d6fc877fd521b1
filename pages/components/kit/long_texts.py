"""What is too long to be sent at once: its beginning is shown, and more of it when asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from ivan_core.domain.transcripts import text_hash
from ivan_core.metrics.differences import MOST_CHARACTERS
from pages.components.kit.text import say

SHOWN = MOST_CHARACTERS
"""Characters of a text that are shown unasked; what is compared word by word is shown whole."""
STEP = 50_000
"""Characters that one press adds."""
ENDS = 5
"""Turns that are shown at either end of a long dialogue."""
TURNS = 50
"""Turns between them that are shown at once."""
Item = TypeVar("Item")


def show_part(text: str, key: str, draw: Callable[[str], object]) -> None:
    """Draw a text, or as much of it as is shown, with a button for more; `key` tells texts of one
    screen apart."""
    if len(text) <= SHOWN:
        draw(text)
        return
    state = f"more-{key}-{text_hash(text)[:12]}"
    shown = SHOWN + STEP * int(st.session_state.get(state, 0))
    left = len(text) - shown
    draw(text if left <= 0 else f"{text[:shown]}…")
    if left > 0:
        say(f"{shown:,} of {len(text):,} characters are shown.", "small", quiet=True)
        st.button(
            "Show more" if left > STEP else "Show the rest",
            key=f"{state}-button",
            on_click=_one_more,
            args=(state,),
        )


def show_many(
    items: Sequence[Item], show: Callable[[Item, str], None], key: str, noun: str
) -> None:
    """The first and the last of many, and a button for those between, which are turned in pages.

    `show` is given each item and a key of its own.
    """
    between = len(items) - 2 * ENDS
    if between <= 2:
        for place, item in enumerate(items):
            show(item, f"{key}-{place}")
        return
    for place in range(ENDS):
        show(items[place], f"{key}-{place}")
    _between(items, show, key, noun, between)
    for place in range(len(items) - ENDS, len(items)):
        show(items[place], f"{key}-{place}")


def _between(
    items: Sequence[Item], show: Callable[[Item, str], None], key: str, noun: str, between: int
) -> None:
    state = f"between-{key}-{len(items)}"
    if not st.session_state.get(state):
        st.button(
            f"Show the {between:,} {noun} between",
            key=f"{state}-button",
            on_click=_one_more,
            args=(state,),
        )
        return
    pages = -(-between // TURNS)
    page = st.pagination(pages, key=f"{state}-page", max_visible_pages=5) if pages > 1 else 1
    first = ENDS + (page - 1) * TURNS
    last = min(first + TURNS, len(items) - ENDS)
    say(f"{first + 1:,} to {last:,} of {len(items):,} {noun}.", "small", quiet=True)
    for place in range(first, last):
        show(items[place], f"{key}-{place}")


def _one_more(state: str) -> None:
    st.session_state[state] = int(st.session_state.get(state, 0)) + 1
