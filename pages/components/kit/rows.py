"""Fifty rows a page, filtered and paged on the server; a click on a row opens the pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from ivan_core.domain.plurals import number_of
from ivan_core.experiments.compare.results import Results, rows_page
from ivan_core.lists.page import PAGE_ROWS
from pages.components.kit.keys import heads_sort_no_page, tab_leaves_tables
from pages.components.kit.state import kept_filter
from pages.components.kit.text import say, short_names

SELECTS: tuple[Literal["single-row", "single-cell", "single-column"], ...] = (
    "single-row", "single-cell", "single-column",
)  # fmt: skip
"""What a click selects in a table that shows a part of its rows. A head that can be selected does
not sort: in the browser it would sort the fifty rows that are shown, and numbers in words as text.
"""


def rows_table(
    results: Results, row_ids: list[int], key: str, sort_by: Callable[[str], None]
) -> None:
    """Draw the rows and go to the pair when one is clicked; a clicked head goes to `sort_by`."""
    if not row_ids:
        say("No rows here.")
        return
    pages = -(-len(row_ids) // PAGE_ROWS)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"page-{key}", max_visible_pages=5)
    table = rows_page(results, row_ids, page)
    columns = {
        "row_id": st.column_config.NumberColumn("Row", format="%d", width=60),
        "subset": st.column_config.TextColumn("Subset", width=90),
        "chosen": st.column_config.TextColumn("Chosen reply", width="large"),
        "rejected": st.column_config.TextColumn("Rejected reply", width="large"),
    }
    names = short_names(results.models)
    for model in results.models:
        columns[model] = st.column_config.TextColumn(
            names[model],
            width=130,
            help="The verdict, and in typical margins how much more the "
            "model likes the chosen reply.",
        )
    widget = f"rows-{key}-{page}"
    event = st.dataframe(
        table,
        hide_index=True,
        column_config=columns,
        on_select=lambda: clicked_head(widget, sort_by),
        selection_mode=SELECTS,
        key=widget,
        placeholder="",
        alt="The rows of this view; select one to read the pair side by side",
    )
    count = number_of(len(row_ids), "row")
    if pages > 1:
        first = (page - 1) * PAGE_ROWS + 1
        count += f", {first:,} to {first + len(table) - 1:,} shown"
    with st.container(horizontal=True, vertical_alignment="center", key=f"opened-{key}"):
        told = "Click a row to read the pair; the head of Row or of a model sorts all rows."
        say(f"{count}. {told}", "small", quiet=True)
        _open_by_number(results, int(table.iloc[_stood_on(event.selection, len(table))]["row_id"]))
        tab_leaves_tables()
        heads_sort_no_page()
    picked = opened_row(event.selection, "row_id")
    if picked is not None and picked < len(table):
        open_pair(results, int(table.iloc[picked]["row_id"]))


def opened_row(selection: Any, number: str) -> int | None:
    """The place of the row to open: its box was ticked, or a cell of it chosen.

    A cell of the column called `number` opens nothing: a table that is reached by Tab chooses its
    first cell by itself, and the arrow keys need a column in which they can go up and down.
    """
    cells = [place for place, column in selection.cells if column != number]
    return next(iter([*selection.rows, *cells]), None)


def clicked_head(widget: str, sort_by: Callable[[str], None]) -> None:
    """Give the name of the column whose head was clicked, if one was, to `sort_by`."""
    for column in st.session_state[widget].selection.columns:
        sort_by(str(column))


def _stood_on(selection: Any, rows: int) -> int:
    """The place of the row on which the arrow keys stand; the first one where they are not used."""
    return next((place for place, _ in selection.cells if place < rows), 0)


def open_pair(results: Results, row_id: int) -> None:
    """Leave for the pair; what links carry goes along."""
    run_id = results.run.id
    query = {"run": run_id, **kept_filter(run_id), "row": str(row_id)}
    st.switch_page("pages/pairs.py", query_params=query)


def _open_by_number(results: Results, first: int) -> None:
    """A row by its number; it follows the arrow keys in the table's first column."""
    rows = results.row_ids
    with st.form(f"open-row-{first}", border=False, width="content"), st.container(horizontal=True):
        row = st.number_input(
            "Row to open", rows[0], rows[-1], first, key=f"row-to-open-{first}",
            label_visibility="collapsed", width=120,
        )  # fmt: skip
        if st.form_submit_button("Open this row", key="open-row"):
            open_pair(results, int(row))
