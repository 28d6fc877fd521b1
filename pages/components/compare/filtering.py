"""The filter of the rows: it lives in the URL; marks of charts add to it, chips take away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import streamlit as st

from ivan_core.charts.palette import Drawing
from ivan_core.domain.errors import BadInput
from ivan_core.experiments.columns.conditions import Side
from ivan_core.experiments.compare.conditions import LANGUAGE, MarginIn, Sort, listing
from ivan_core.experiments.compare.results import Results
from ivan_core.lists.conditions import Condition, Filter
from ivan_core.lists.url import parameters, query_of
from pages.components.kit.conditions import Place, fitting_filter
from pages.components.kit.results import Point, Spec, clicked_chart
from pages.components.kit.state import GUESS, NAME, SHOWN, keep_filter, kept_filter, kindly

_FILTER = parameters(LANGUAGE)
_CARRIED = (*_FILTER, SHOWN, GUESS, NAME)
Asked = Callable[[Point], Sequence[Condition]]
"""What a clicked mark asks for; nothing where the mark asks for nothing."""


def carry(run_id: str, own: Mapping[str, str], names: Collection[str]) -> None:
    """Keep for links to a comparison what they must carry.

    Of the parameters called `names` the page that calls knows best: they are what `own` holds, or
    gone. The others stand in the URL, or are as another page left them.
    """
    query = st.query_params.to_dict()
    there = kept_filter(run_id) | {name: query[name] for name in _CARRIED if name in query}
    others = {name: value for name, value in there.items() if name not in names}
    keep_filter(run_id, others | dict(own))


def _keep(wanted: Filter) -> None:
    """What links that lead back here must carry: the filter, and the column that is drawn."""
    shown = st.query_params.get(SHOWN)
    query = query_of(wanted)
    own = {**query, SHOWN: shown} if shown else query
    carry(st.query_params.get("run", ""), own, (*_FILTER, SHOWN))


ROWS = Place(LANGUAGE, "", "clicks", "Show all pairs", kept=_keep)


def current_filter(results: Results) -> Filter:
    """The filter of the URL, kept for links back to it."""
    return fitting_filter(ROWS, listing(results))


@kindly
def add(*conditions: Condition) -> None:
    """Narrow the rows by more conditions."""
    ROWS.show(ROWS.asked().add(*conditions))


def clickable(chart: Drawing | Spec, name: str, selection: str, asked: Asked) -> bool:
    """Draw a chart, or a specification made of one before, whose marks filter the rows.

    Returns whether there is a chart: where there is nothing to draw a sentence stands instead.
    """

    def picked(point: Point) -> None:
        if conditions := asked(point):
            add(*conditions)

    return clicked_chart(chart, name, selection, ROWS.clicks, picked)


def margin_range(results: Results, model: str) -> None:
    """Narrow the rows to margins of a model between two numbers; either may be left empty."""
    with (
        st.form(f"margin-range-{model}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        for end, words in (("low", "Typical margins from"), ("high", "up to")):
            st.number_input(
                words,
                value=None,
                step=0.5,
                key=f"margin-{end}-{model}",
                width=170,
                placeholder="any",
            )
        st.form_submit_button(
            "Show these pairs",
            key=f"margin-range-go-{model}",
            on_click=_by_margin,
            args=(model,),
            help="Negative margins are those of pairs where the model likes the rejected reply.",
        )


@kindly
def _by_margin(model: str) -> None:
    low, high = (st.session_state[f"margin-{end}-{model}"] for end in ("low", "high"))
    if low is None and high is None:
        raise BadInput("A range of margins needs a number.", "Fill in from, up to, or both.")
    if low is not None and high is not None and low > high:
        raise BadInput("The range of margins ends before it begins.", "Exchange the two numbers.")
    add(MarginIn(model=model, low=low, high=high))


def sort_control(row_filter: Filter, models: tuple[str, ...], columns: Mapping[str, str]) -> None:
    """Choose the order of the rows; `columns` are the names of user columns by id."""
    orders = {row_filter.ranked or "in the order of the dataset": Sort()}
    if len(models) > 1:
        orders["sharpest disagreement first"] = Sort(by="sharpest", descending=True)
    if len(models) > 2:
        orders["where the models part most evenly first"] = Sort(by="split", descending=True)
    for model in models[:6]:
        orders[f"{model}: most for the rejected reply first"] = Sort(by="margin", of=model)
        orders[f"{model}: most for the chosen reply first"] = Sort(
            by="margin", of=model, descending=True
        )
        orders[f"{model}: least sure first"] = Sort(by="size", of=model)
    orders["longest chosen reply against rejected first"] = Sort(by="length", descending=True)
    for sort in _by_column(st.query_params.get(SHOWN), columns):
        orders[sort.words(columns)] = sort
    if isinstance(row_filter.sort, Sort) and row_filter.sort not in orders.values():  # of a link
        orders[row_filter.sort.words(columns)] = row_filter.sort
    labels = list(orders)
    place = list(orders.values()).index(row_filter.sort)
    picked = st.selectbox("Order", labels, index=place, key=f"order-{place}-{hash(tuple(labels))}")
    if picked and orders[picked] != row_filter.sort:
        ROWS.show(row_filter.sorted_by(orders[picked]))
        st.rerun()


def sort_by_head(row_filter: Filter, models: tuple[str, ...], column: str) -> None:
    """Sort all rows by the column of a clicked head."""
    wanted = row_filter.by_head(column, models)
    if wanted != row_filter:
        ROWS.show(wanted)


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
