"""A list on a page: fifty rows at a time, filtered and paged on the server, and what is read of it
in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import streamlit as st

from ivan_core.domain.words import number_of
from ivan_core.engine import opened
from ivan_core.lists.page import PAGE_ROWS, pages_of
from pages.components.kit.state import PAIRS, write_query
from pages.components.kit.text import say

SELECTS: tuple[Literal["single-row", "single-cell", "single-column"], ...] = (
    "single-row",
    "single-cell",
    "single-column",
)
"""What a click selects in a table that shows a part of its rows. A head that can be selected does
not sort: in the browser it would sort the fifty rows that are shown, and numbers in words as text.
"""

_BELOW = "-below"
"""Ends the key of what turns the pages below a list."""


def turned_to(count: int, key: str) -> int:
    """The page of a list of so many that is looked at; a list of one page has nothing to turn."""
    return _turn(count, key, f"{key}{_BELOW}")


def _turn(count: int, key: str, other: str) -> int:
    """Turn the pages of a list above or below it: the `other` place follows."""
    pages = pages_of(count)
    if pages == 1:
        return 1

    def follow() -> None:
        st.session_state[other] = st.session_state[key]

    return st.pagination(pages, key=key, max_visible_pages=5, on_change=follow)


def opened_row(selection: Any, number: str) -> int | None:
    """The place of the row to open: its box was ticked, or a cell of it chosen.

    A cell of the column called `number` opens nothing: a table that is reached by Tab chooses its
    first cell by itself, and the arrow keys need a column in which they can go up and down.
    """
    cells = [place for place, column in selection.cells if column != number]
    return next(iter([*selection.rows, *cells]), None)


@contextmanager
def below_page(
    key: str, noun: str, count: int, page: int, told: str, turned: str
) -> Iterator[None]:
    """The lines below a page: how many there are, which are shown, and what is drawn inside.

    `turned` is the key under which `turned_to` turns the pages above: they are turned here, too.
    """
    counted = number_of(count, noun)
    if pages_of(count) > 1:
        first = (page - 1) * PAGE_ROWS + 1
        counted += f", {first:,} to {min(first + PAGE_ROWS - 1, count):,} shown"
    _turn(count, f"{turned}{_BELOW}", turned)
    with st.container(horizontal=True, vertical_alignment="center", key=key):
        say(f"{counted}. {told}", "small", quiet=True)
        yield


def row_by_number(verb: str, rows: Sequence[int], first: int) -> int | None:
    """Ask for a row by its number, which follows the arrow keys in the table's first column."""
    with (
        st.form(f"{verb}-row-{first}", border=False, width="content"),
        st.container(horizontal=True),
    ):
        row = st.number_input(
            f"Row to {verb}",
            rows[0],
            rows[-1],
            first,
            key=f"row-to-{verb}-{first}",
            label_visibility="collapsed",
            width=120,
        )
        if st.form_submit_button(f"{verb.capitalize()} this row", key=f"{verb}-row"):
            return int(row)
    return None


def head_of_item(title: str, row_id: int, content: str, noun: str, parameter: str) -> None:
    """The head of an item that is read in place: what it is, its pair where one was judged, Close.

    `content` is the hash of its dataset's texts.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        say(title, "lead")
        comparison = opened.with_row(content, row_id, kind="compare")
        if comparison:
            # A link and no switch_page: that would leave a step in the history of the browser
            # in which this page stands beside the parameters of the other.
            st.page_link(
                PAIRS,
                label=":primary[Read the pair →]",
                query_params={"run": comparison, "row": str(row_id)},
            )
        st.button("Close", key=f"close-{noun}", on_click=write_query, args=({parameter: None},))
