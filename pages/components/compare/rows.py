"""The rows of a comparison: find, filter by chips, sort, read, take away as a file."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ivan_core.experiments.columns.conditions import TextHas
from ivan_core.experiments.compare.conditions import (
    Failed,
    ModelsDiffer,
    Seen,
    Truncated,
    VerdictIs,
    listing,
)
from ivan_core.experiments.compare.download import file_columns
from ivan_core.experiments.compare.results import Results
from ivan_core.lists.conditions import Condition, Filter
from ivan_core.lists.pairs import LongerIs, Noted, Starred, SubsetIs
from ivan_core.lists.url import query_of
from pages.components.compare.filtering import ROWS, add, current_filter, sort_by_head, sort_control
from pages.components.compare.table import rows_table
from pages.components.compare.user_columns import user_columns
from pages.components.kit.conditions import names_on, places_found
from pages.components.kit.search import start_search
from pages.components.kit.state import kindly
from pages.components.kit.taking import take_away
from pages.components.kit.text import say
from pages.components.pair.note_list import note_list

_MOST_QUICK = 12
"""Models, and subsets, whose conditions are listed; a click on a chart reaches all."""


def found_rows(results: Results) -> None:
    """Draw the rows of the filter in the URL."""
    user_columns(results)
    st.subheader("Rows", anchor=False)
    row_filter = current_filter(results)
    rows = listing(results)
    names = names_on(rows, row_filter)
    _find(results, row_filter, names)
    found = places_found(ROWS, rows, row_filter, names)
    if found is None:
        return
    row_ids = rows.rows[found].tolist()
    if row_filter.conditions:
        say("Chosen after looking: rates of these rows are no evidence.", "small", quiet=True)
    key = str(hash(tuple(sorted(query_of(row_filter).items()))))
    rows_table(results, row_ids, key, partial(sort_by_head, row_filter, tuple(results.models)))
    take_away(rows, row_filter, names, row_ids, lambda: file_columns(results))
    note_list(results)


def _find(results: Results, row_filter: Filter, names: dict[str, str]) -> None:
    """Search, quick conditions and the order, in one line."""
    left, middle, right = st.columns([3, 3, 3], vertical_alignment="bottom")
    with left:
        st.text_input(
            "Find in the texts",
            key="find",
            placeholder="words, then Enter",
            max_chars=200,
            on_change=_search,
            args=(results.dataset.fingerprint,),
        )
    with middle:
        quick = _quick(results)
        picked = st.selectbox(
            "Show only",
            list(quick),
            index=None,
            placeholder="all rows",
            key=f"quick-{st.session_state.get('quick', 0)}",
        )
        if picked:
            st.session_state["quick"] = st.session_state.get("quick", 0) + 1
            add(quick[picked])
            st.rerun()
    with right:
        sort_control(row_filter, results.models, names)


def _quick(results: Results) -> dict[str, Condition]:
    """Conditions that need no click on a chart, by their words; those that no row meets are out."""
    quick: dict[str, Condition] = {"starred": Starred(), "with a note": Noted()}
    if len(results.models) > 1:
        quick = {"models disagree": ModelsDiffer(), **quick}
    if results.table["failure"].notna().any():
        quick["failed"] = Failed()
    if results.table["chosen_truncated"].any() or results.table["rejected_truncated"].any():
        quick["truncated"] = Truncated()
    more: list[Condition] = [
        VerdictIs(model=summary.model, verdict=verdict)
        for summary in results.summaries[:_MOST_QUICK]
        for verdict in ("agree", "tie", "disagree")
        if getattr(summary.counts, verdict)
    ]
    if len(results.aligned.subsets) > 1:
        more += [SubsetIs(label=subset) for subset in sorted(results.aligned.subsets)[:_MOST_QUICK]]
    more += [LongerIs(longer="chosen"), LongerIs(longer="rejected")]
    quick |= {condition.words({}): condition for condition in more}
    for summary in results.summaries:
        if summary.seen is not None and summary.unseen is not None:
            quick[f"seen in training by {summary.model}"] = Seen(model=summary.model, seen=True)
            quick[f"not seen in training by {summary.model}"] = Seen(
                model=summary.model, seen=False
            )
    return quick


@kindly
def _search(dataset: str) -> None:
    """Have a worker look for the words, and narrow the rows to them."""
    words = str(st.session_state.get("find", "")).strip()
    if not words:
        return
    st.session_state["find"] = ""
    start_search(dataset, TextHas(text=words))
    add(TextHas(text=words))
