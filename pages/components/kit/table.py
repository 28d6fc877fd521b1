"""One page of a list as a table: rows two lines high, words that differ bold, verdicts with a dot.

It is drawn in the browser from plain data, so that no text of data can become markup. A row is a
link: a click or Enter reads it here, and it opens in a window of its own as any link does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import streamlit as st

from ivan_core.charts.palette import VERDICT_COLOURS
from ivan_core.lists.cells import Verdicts
from ivan_core.metrics.intervals import number_text

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

    def opened() -> None:
        place = _place(st.session_state[key].get("open"), len(table))
        if read is not None and place is not None:
            read(place)

    def sorted_by() -> None:
        name = st.session_state[key].get("sort")
        if sort_by is not None and name in columns and columns[name].sorts:
            sort_by(name)

    data = table_data(table, columns, alt, links)
    came = draw(key=key, data=data, on_open_change=opened, on_sort_change=sorted_by)
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
        return str(value) if column.decimals is None else number_text(value, column.decimals)
    return "" if value is None else str(value)
