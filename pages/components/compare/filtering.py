"""The filter of the rows: it lives in the URL; marks of charts add to it, chips take away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt
import streamlit as st

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare import matching as filters
from ivan_core.experiments.compare.chips import chips, sort_label
from ivan_core.experiments.compare.conditions import AnyCondition, MarginIn, Side, Sort
from ivan_core.experiments.compare.results import Results
from ivan_core.lists.conditions import QUERY_KEYS, RowFilter, without
from pages.components.kit.carried import SHOWN, carry, write_query
from pages.components.kit.state import kindly
from pages.components.kit.text import md_escape, say

Asked = Callable[[Mapping[str, Any]], Sequence[AnyCondition]]
"""What a clicked mark asks for; nothing where the mark asks for nothing."""


def current_filter(results: Results) -> RowFilter:
    """The filter of the URL, kept for links back to it.

    What in it makes no sense, or none for this run, is named and left out.
    """
    found, ignored = RowFilter.from_query(st.query_params.to_dict())
    fits, reasons = filters.fitting(results, found)
    _keep(results.run.id, fits.to_query())
    if not ignored and not reasons:
        return fits
    told = [f"Not understood in this link, and left out: {', '.join(ignored)}."] if ignored else []
    if reasons:
        told += ["Left out of this link, since this run cannot tell.", *dict.fromkeys(reasons)]
    with st.container(horizontal=True, vertical_alignment="center", key="left-out"):
        say(" ".join(told), "small")
        st.button("Forget it", key="forget", type="tertiary", on_click=set_filter, args=(fits,))
    return fits


def set_filter(row_filter: RowFilter) -> None:
    """Write a filter into the URL."""
    query = row_filter.to_query()
    write_query({name: query.get(name) for name in QUERY_KEYS})
    _keep(st.query_params.get("run", ""), query)
    for name in [name for name in st.session_state if str(name).startswith("page-")]:
        del st.session_state[name]  # another filter starts on its first page


def _keep(run_id: str, query: dict[str, str]) -> None:
    """What links that lead back here must carry: the filter, and the column that is drawn."""
    shown = st.query_params.get(SHOWN)
    own = {**query, SHOWN: shown} if shown else query
    carry(run_id, own, (*QUERY_KEYS, SHOWN))


@kindly
def add(*conditions: AnyCondition) -> None:
    """Narrow the rows by more conditions."""
    narrowed = RowFilter.from_query(st.query_params.to_dict())[0]
    for condition in conditions:
        narrowed = narrowed.with_(condition)
    set_filter(narrowed)


def remove(key: str) -> None:
    """Take one condition away, and with it the marks that charts still show as clicked."""
    set_filter(without(RowFilter.from_query(st.query_params.to_dict())[0], key))
    st.session_state["clicks"] = st.session_state.get("clicks", 0) + 1


def clear() -> None:
    set_filter(RowFilter())
    st.session_state["clicks"] = st.session_state.get("clicks", 0) + 1


def clickable(
    chart: alt.LayerChart | dict[str, Any], name: str, selection: str, asked: Asked
) -> None:
    """Draw a chart, or a specification made of one before, whose marks filter the rows."""
    key = f"{name}-{st.session_state.get('clicks', 0)}"

    def picked() -> None:
        for point in st.session_state[key].selection.get(selection, []):
            if conditions := asked(point):
                add(*conditions)

    if isinstance(chart, dict):
        st.vega_lite_chart(spec=chart, key=key, on_select=picked, selection_mode=selection)
    else:
        st.altair_chart(chart, key=key, on_select=picked, selection_mode=selection)


def margin_range(results: Results, model: str) -> None:
    """Narrow the rows to margins of a model between two numbers; either may be left empty."""
    with (
        st.form(f"margin-range-{model}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        for end, words in (("low", "Typical margins from"), ("high", "up to")):
            st.number_input(
                words, value=None, step=0.5, key=f"margin-{end}-{model}", width=170,
                placeholder="any",
            )  # fmt: skip
        st.form_submit_button(
            "Show these rows", key=f"margin-range-go-{model}", on_click=_by_margin, args=(model,),
            help="Negative margins are those of pairs where the model likes the rejected reply.",
        )  # fmt: skip


@kindly
def _by_margin(model: str) -> None:
    low, high = (st.session_state[f"margin-{end}-{model}"] for end in ("low", "high"))
    if low is None and high is None:
        raise BadInput("A range of margins needs a number.", "Fill in from, up to, or both.")
    if low is not None and high is not None and low > high:
        raise BadInput("The range of margins ends before it begins.", "Exchange the two numbers.")
    add(MarginIn(model=model, low=low, high=high))


def show_chips(row_filter: RowFilter, columns: Mapping[str, str]) -> None:
    """One button a condition, which takes it away."""
    held = chips(row_filter, columns)
    if not held:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="chips"):
        for chip in held:
            st.button(
                f"{md_escape(chip.label)} ✕", key=f"chip-{chip.key}", on_click=remove,
                args=(chip.key,), help="Take this condition away",
            )  # fmt: skip
        if len(held) > 1:
            st.button("Show all rows", key="chips-clear", type="tertiary", on_click=clear)


def sort_control(
    row_filter: RowFilter, models: tuple[str, ...], columns: Mapping[str, str]
) -> None:
    """Choose the order of the rows; `columns` are the names of user columns by id."""
    orders = {"in the order of the dataset": Sort()}
    if len(models) > 1:
        orders["sharpest disagreement first"] = Sort(by="sharpest", descending=True)
    for model in models[:6]:
        orders[f"{model}: most for the rejected reply first"] = Sort(by="margin", of=model)
        orders[f"{model}: most for the chosen reply first"] = Sort(
            by="margin", of=model, descending=True
        )
        orders[f"{model}: least sure first"] = Sort(by="size", of=model)
    orders["longest chosen reply against rejected first"] = Sort(by="length", descending=True)
    for sort in _by_column(st.query_params.get(SHOWN), columns):
        orders[sort_label(sort, columns)] = sort
    if row_filter.sort not in orders.values():  # of a link
        orders[sort_label(row_filter.sort, columns)] = row_filter.sort
    labels = list(orders)
    place = list(orders.values()).index(row_filter.sort)
    picked = st.selectbox("Order", labels, index=place, key=f"order-{place}-{hash(tuple(labels))}")
    if picked and orders[picked] != row_filter.sort:
        set_filter(row_filter.sorted_by(orders[picked]))
        st.rerun()


def sort_by_head(row_filter: RowFilter, models: tuple[str, ...], column: str) -> None:
    """Sort all rows by the column of a clicked head."""
    wanted = row_filter.sorted_by_head(column, models)
    if wanted != row_filter:
        set_filter(wanted)


def _by_column(shown: str | None, columns: Mapping[str, str]) -> list[Sort]:
    """The orders by the column that is drawn: its number on either side, and their difference."""
    if shown is None or shown not in columns:
        return []
    sides: tuple[Side, ...] = ("difference", "chosen", "rejected")
    return [
        Sort(by="column", of=shown, side=side, descending=descending)
        for side in sides
        for descending in (True, False)
    ]
