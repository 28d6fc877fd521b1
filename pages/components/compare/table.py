"""The rows of a comparison as a table; a click on one leads to its pair."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ivan_core.experiments.compare.results import Results, rows_page
from pages.components.kit.list import below_page, page_table, row_by_number, turned_to
from pages.components.kit.state import PAIRS, kept_filter
from pages.components.kit.text import say, short_names


def rows_table(
    results: Results, row_ids: list[int], key: str, sort_by: Callable[[str], None]
) -> None:
    """Draw the rows and go to the pair when one is clicked; a clicked head goes to `sort_by`."""
    if not row_ids:
        say("No rows here.")
        return
    page = turned_to(len(row_ids), f"page-{key}")
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
    stood_on, picked = page_table(
        table,
        columns,
        key=f"rows-{key}-{page}",
        number="row_id",
        sort_by=sort_by,
        alt="The rows of this view; select one to read the pair side by side",
    )
    told = "Click a row to read the pair; the head of Row or of a model sorts all rows."
    with below_page(f"opened-{key}", "row", len(row_ids), page, told):
        asked = row_by_number("open", results.row_ids, int(table.iloc[stood_on]["row_id"]))
        if asked is not None:
            open_pair(results, asked)
    if picked is not None:
        open_pair(results, int(table.iloc[picked]["row_id"]))


def open_pair(results: Results, row_id: int) -> None:
    """Leave for the pair; what links carry goes along."""
    run_id = results.run.id
    query = {"run": run_id, **kept_filter(run_id), "row": str(row_id)}
    st.switch_page(PAIRS, query_params=query)
