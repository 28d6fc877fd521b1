"""A list on a page: fifty rows at a time, filtered and paged on the server; a click reads one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import streamlit as st

from ivan_core.domain.words import number_of
from ivan_core.engine import opened
from ivan_core.lists.page import PAGE_ROWS, pages_of
from pages.components.kit.keys import heads_sort_no_page, tab_leaves_tables
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


def turned_to(count: int, key: str) -> int:
    """The page of a list of so many that is looked at; a list of one page has nothing to turn."""
    pages = pages_of(count)
    return st.pagination(pages, key=key, max_visible_pages=5) if pages > 1 else 1


def page_table(
    table: Any,
    columns: Mapping[str, Any],
    *,
    key: str,
    number: str,
    alt: str,
    read: Callable[[int], None] | None = None,
    sort_by: Callable[[str], None] | None = None,
) -> tuple[int, int | None]:
    """Draw one page of a list; the place on which the arrow keys stand, and the one to be read.

    Before the page is drawn anew, `read` hears of the place of a clicked row and `sort_by` of the
    column of a clicked head. `number` is the column of row numbers: see `opened_row`.
    """

    def clicked() -> None:
        selection = st.session_state[key].selection
        if sort_by is not None:
            for column in selection.columns:
                sort_by(str(column))
        place = opened_row(selection, number)
        if read is not None and place is not None and place < len(table):
            read(place)

    event = st.dataframe(
        table,
        hide_index=True,
        column_config=dict(columns),
        on_select=clicked,
        selection_mode=SELECTS,
        key=key,
        placeholder="",
        alt=alt,
    )
    stood_on = next((place for place, _ in event.selection.cells if place < len(table)), 0)
    place = opened_row(event.selection, number)
    return stood_on, place if place is not None and place < len(table) else None


def opened_row(selection: Any, number: str) -> int | None:
    """The place of the row to open: its box was ticked, or a cell of it chosen.

    A cell of the column called `number` opens nothing: a table that is reached by Tab chooses its
    first cell by itself, and the arrow keys need a column in which they can go up and down.
    """
    cells = [place for place, column in selection.cells if column != number]
    return next(iter([*selection.rows, *cells]), None)


@contextmanager
def below_page(key: str, noun: str, count: int, page: int, told: str) -> Iterator[None]:
    """The line below a page: how many there are, which are shown, and what is drawn inside."""
    counted = number_of(count, noun)
    if pages_of(count) > 1:
        first = (page - 1) * PAGE_ROWS + 1
        counted += f", {first:,} to {min(first + PAGE_ROWS - 1, count):,} shown"
    with st.container(horizontal=True, vertical_alignment="center", key=key):
        say(f"{counted}. {told}", "small", quiet=True)
        yield
        tab_leaves_tables()
        heads_sort_no_page()


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


def item_by_name(
    noun: str, button: str, items: Sequence[str], at: int, key: str, parameter: str
) -> None:
    """Ask for one of the items shown, each ROW.SIDE, which the URL's `parameter` then names."""

    def chosen() -> None:
        write_query({parameter: st.session_state[key]})

    with st.form(f"open-{noun}", border=False, width="content"), st.container(horizontal=True):
        st.selectbox(
            f"{noun.capitalize()} to open",
            items,
            min(at, len(items) - 1),
            width=150,
            key=key,
            label_visibility="collapsed",
            format_func=lambda item: item.removesuffix(".both").replace(".", ", "),
        )
        st.form_submit_button(button, key=f"read-{noun}", on_click=chosen)


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
