"""A list on a page: fifty rows at a time, filtered and paged on the server; a press reads one.

Rows are two lines high, words that differ bold, verdicts with a dot. They are drawn in the browser
from plain data, so that no text of data can become markup. A row is a link: a click or Enter reads
it here, and it opens in a window of its own as any link does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ivan_core.charts.palette import VERDICT_COLOURS
from ivan_core.domain.words import number_of
from ivan_core.engine import opened
from ivan_core.lists.cells import Verdicts
from ivan_core.lists.page import PAGE_ROWS, pages_of
from ivan_core.metrics.intervals import number_text
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

PAGE = "page"
"""The page of a list that is looked at, in the address; without it the first."""


def turned_to(count: int, key: str) -> int:
    """The page of a list of so many that the address names; `below_page` turns it, of this key."""
    asked = st.query_params.get(PAGE, "")
    page = int(asked) if asked.isdecimal() and len(asked) < 9 else 1
    page = page if 1 <= page <= pages_of(count) else 1
    st.session_state[key] = page
    return page


def opened_row(selection: Any, number: str) -> int | None:
    """The place of the row to open: its box was ticked, or a cell of it chosen.

    A cell of the column called `number` opens nothing: a table that is reached by Tab chooses its
    first cell by itself, and the arrow keys need a column in which they can go up and down.
    """
    cells = [place for place, column in selection.cells if column != number]
    return next(iter([*selection.rows, *cells]), None)


def below_page(noun: str, count: int, page: int, told: str, turned: str) -> None:
    """What stands below a page: how many there are, which are shown, and what turns the pages.

    `turned` is the key that `turned_to` was given; a list of one page has nothing to turn.
    """

    def follow() -> None:
        asked = st.session_state[turned]
        write_query({PAGE: str(asked) if asked > 1 else None})

    counted = number_of(count, noun)
    if pages_of(count) > 1:
        st.pagination(pages_of(count), key=turned, max_visible_pages=5, on_change=follow)
        first = (page - 1) * PAGE_ROWS + 1
        counted += f", {first:,} to {min(first + PAGE_ROWS - 1, count):,} shown"
    say(f"{counted}. {told}", "small", quiet=True)


def pair_by_number(where: DeltaGenerator, rows: Sequence[int]) -> int | None:
    """Ask for one of the pairs of a run by its number; said where it has none of that number."""
    typed = where.text_input(
        "Open a pair", key="pair-by-number", placeholder="its number, then Enter", max_chars=12
    )
    asked = (typed or "").strip().replace(",", "")
    if not asked:
        return None
    if asked.isascii() and asked.isdecimal() and int(asked) in rows:
        return int(asked)
    say(f"No pair {asked} here: their numbers go from {rows[0]:,} to {rows[-1]:,}.", "small")
    return None


def head_of_item(title: str, row_id: int, content: str, noun: str, parameter: str) -> None:
    """The head of an item that is read in place: what it is, its pair where one was judged, Close.

    `content` is the hash of its dataset's texts.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        say(title, "lead")
        comparison = opened.with_row(content, row_id, kind="compare")
        if comparison:
            st.page_link(
                PAIRS,
                label=":primary[Read the pair →]",
                query_params={"run": comparison, "row": str(row_id)},
            )
        st.button("Close", key=f"close-{noun}", on_click=write_query, args=({parameter: None},))


_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is headed; `sorts` where a press on its head sorts all rows.

    `decimals` are those of its numbers, where they are no counts.
    """

    head: str
    help: str = ""
    sorts: bool = False
    decimals: int | None = None


def page_table(
    table: Any,
    columns: Mapping[str, Column],
    *,
    key: str,
    alt: str,
    links: Sequence[str] = (),
    read: Callable[[int], None] | None = None,
    sort_by: Callable[[str], None] | None = None,
) -> int | None:
    """Draw one page of a list; the place of the row that was just pressed.

    `table` is a frame of words, numbers, texts in pieces of which some are marked, and `Verdicts`;
    a row's first cell leads to the address that `links` holds at its place. Before the page is
    drawn anew, `read` hears of the place of a pressed row and `sort_by` of the column of a pressed
    head.
    """
    draw = st.components.v2.component(
        "ivan_table",
        html='<div class="ivan-table"></div>',
        css=(_HERE / "table.css").read_text("utf-8"),
        js=(_HERE / "table.js").read_text("utf-8"),
        isolate_styles=False,
    )

    def pressed() -> None:
        place = _place(st.session_state[key].get("open"), len(table))
        if read is not None and place is not None:
            read(place)

    def sorted_by() -> None:
        name = st.session_state[key].get("sort")
        if sort_by is not None and name in columns and columns[name].sorts:
            sort_by(name)

    data = table_data(table, columns, alt, links)
    came = draw(key=key, data=data, on_open_change=pressed, on_sort_change=sorted_by)
    return _place(came.get("open"), len(table))


def _place(value: object, rows: int) -> int | None:
    """A place that the browser named, if there is such a row."""
    return value if isinstance(value, int) and 0 <= value < rows else None


def table_data(
    table: Any, columns: Mapping[str, Column], alt: str, links: Sequence[str]
) -> dict[str, Any]:
    """What the browser is told of a page of a list."""
    heads, rows = [], []
    for name in table.columns:
        column = columns.get(str(name), Column(str(name)))
        values = table[name].tolist()
        kind = next((_kind(value) for value in values if _kind(value)), "word")
        heads.append(
            {
                "name": str(name),
                "head": column.head,
                "help": column.help,
                "sorts": column.sorts,
                "kind": kind,
            }
        )
        rows.append([_cell(value, column) for value in values])
    return {
        "columns": heads,
        "rows": [list(row) for row in zip(*rows, strict=True)],
        "links": list(links),
        "alt": alt,
        "colours": VERDICT_COLOURS,
    }


def _kind(value: object) -> str:
    if isinstance(value, Verdicts):
        return "verdict"
    if isinstance(value, tuple):
        return "text"
    return "number" if isinstance(value, int | float) else "word"


def _cell(value: Any, column: Column) -> Any:
    if isinstance(value, Verdicts):
        return {"words": list(value.words), "amount": value.amount}
    if isinstance(value, tuple):
        return [list(piece) for piece in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        if isnan(value):
            return ""
        if column.decimals is None:
            return str(value).replace("-", "−")
        return number_text(value, column.decimals)
    return "" if value is None else str(value)
