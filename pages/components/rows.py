"""Fifty rows a page, filtered and paged on the server; a click on a row opens the pair."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.workspace.results import PAGE_ROWS, Results, rows_page
from pages.components.keys import tab_leaves_tables
from pages.components.state import kept_filter
from pages.components.text import say, short_names


def rows_table(results: Results, row_ids: list[int], key: str) -> None:
    """Draw the rows and go to the pair when one is clicked."""
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
    event = st.dataframe(
        table,
        hide_index=True,
        column_config=columns,
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        key=f"rows-{key}-{page}",
        placeholder="",
        alt="The rows of this view; select one to read the pair side by side",
    )
    count = f"{len(row_ids):,} row{'s' if len(row_ids) != 1 else ''}"
    if pages > 1:
        first = (page - 1) * PAGE_ROWS + 1
        count += f", {first:,} to {first + len(table) - 1:,} shown"
    with st.container(horizontal=True, vertical_alignment="center", key=f"opened-{key}"):
        say(f"{count}. Click a row to read the pair.", "small", quiet=True)
        _open_by_number(results, int(table.iloc[_stood_on(event.selection, len(table))]["row_id"]))
        tab_leaves_tables()
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
