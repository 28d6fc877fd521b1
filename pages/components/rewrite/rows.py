"""The rows of a rewording: the filter of the URL, its chips, fifty rows a page, one to read."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ivan_core.charts.palette import Drawing
from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.words import short_names
from ivan_core.engine import opened
from ivan_core.experiments.rewrite.conditions import (
    FLIPS,
    LANGUAGE,
    ORDERS,
    FlipIs,
    ReasonIs,
    RowOrder,
    StateIs,
    listing,
)
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.report import file_columns
from ivan_core.experiments.rewrite.results import RewriteResults, read_gate
from ivan_core.experiments.rewrite.views import row_view, rows_page
from ivan_core.lists.conditions import Condition, Filter, Listing, fitting, matching_rows
from ivan_core.lists.url import query_of
from ivan_core.metrics.margin_words import TYPICAL_MARGIN
from pages.components.kit.conditions import Place, fitting_filter, names_on, places_found
from pages.components.kit.frame import show_error
from pages.components.kit.list import Column, below_page, page_table, pair_by_number, turned_to
from pages.components.kit.results import Point, clicked_chart
from pages.components.kit.state import PAIRS, REWRITE, address, write_query
from pages.components.kit.strip import at_table, strip
from pages.components.kit.taking import take_away
from pages.components.kit.text import say
from pages.components.pair.rewordings import show_rewordings
from pages.components.pair.walk import one_by_one

ROW = "row"
_CLICKS = "rewrite-clicks"
_ANCHOR = "reworded-rows"


ROWS = Place(LANGUAGE, "pair-", _CLICKS, "Show all pairs", ROW)


def show_pairs(*conditions: Condition, sort: RowOrder | None = None) -> None:
    """List the rows that meet conditions, and no others."""
    ROWS.show(Filter(LANGUAGE, conditions, sort))


def marks(chart: Drawing, name: str, selection: str, click: Callable[[Point], None]) -> bool:
    """Draw a chart; what a clicked mark holds goes to `click`, and its pairs are listed below.

    Returns whether there is one: where there is nothing to draw a sentence stands instead.
    """
    drawn = clicked_chart(chart, name, selection, _CLICKS, click)
    if drawn:
        say("A click on a mark lists its pairs.", "small", quiet=True)
    return drawn


def pair_rows(results: RewriteResults, found: Numbers) -> None:
    """Draw the rows of the filter in the URL, and the strip that leads to them."""
    st.subheader("Pairs", anchor=_ANCHOR)
    at_table(_ANCHOR)
    rows = listing(results, found)
    wanted = fitting_filter(ROWS, rows)
    _ask(results, wanted)
    names = names_on(rows, wanted)
    places = places_found(ROWS, rows, wanted, names, order=True)
    if places is None:
        return
    row_ids = rows.rows[places].tolist()
    short = names | short_names(results.models)
    read = _one_by_one(results, rows, wanted, row_ids)
    strip(ROWS, rows, wanted, places, short, _ANCHOR, read)
    if not row_ids:
        say("No pairs here.")
        return
    if wanted.conditions or wanted.sorts:
        say("Chosen after looking: rates of these pairs are no evidence.", "small", quiet=True)
    _table(results, found, wanted, row_ids)
    take_away(rows, wanted, names, row_ids, lambda: file_columns(results))


def _one_by_one(
    results: RewriteResults, rows: Listing, wanted: Filter, row_ids: list[int]
) -> tuple[str, dict[str, str]] | None:
    """Where the rows are read one by one: on Pairs, or here where Pairs cannot be asked for them,
    as of rows past another gate than the usual one, or in an order of their own.
    """
    if not row_ids or not (wanted.conditions or wanted.sorts):
        return None
    query = None if wanted.sorts else one_by_one(rows, wanted)
    if query is not None:
        return PAIRS, query
    return REWRITE, {**st.query_params.to_dict(), "run": results.run.id, ROW: str(row_ids[0])}


def _ask(results: RewriteResults, wanted: Filter) -> None:
    """Quick conditions, orders and a pair's number: what needs no click on a chart."""
    names = short_names(results.models)
    quick: dict[str, Condition | RowOrder] = {
        f"{names[model]}: {words}": FlipIs(model=model, flip=flip)
        for model in results.models
        for flip, words in FLIPS.items()
    }
    orders: dict[str, Condition | RowOrder] = {
        ORDERS[""]: RowOrder(),
        ORDERS["unlike"]: RowOrder(order="unlike"),
    }
    for model in results.models:
        orders[f"{names[model]}: {ORDERS['change']}"] = RowOrder(order="change", model=model)
    line = st.container(horizontal=True, key="find-line")
    for label, choices, none in (("Show only", quick, "all pairs"), ("Order", orders, "as it is")):
        key = f"rewrite-{label}-{st.session_state.get(_CLICKS, 0)}"
        picked = line.selectbox(label, list(choices), index=None, placeholder=none, key=key)
        if picked:
            one = choices[picked]
            try:
                asked = wanted.sorted_by(one) if isinstance(one, RowOrder) else wanted.add(one)
            except BadInput as error:  # there are as many conditions as a link holds
                show_error(error)
                continue
            ROWS.widen(asked)
            st.rerun()
    row = pair_by_number(line, results.row_ids)
    if row is not None:
        write_query({ROW: str(row)})
        st.rerun()


def _table(results: RewriteResults, found: Numbers, wanted: Filter, row_ids: list[int]) -> None:
    shown_as = str(hash(tuple(sorted(query_of(wanted).items()))))
    turned = f"rewrite-page-{shown_as}"
    page = turned_to(len(row_ids), turned)
    table = rows_page(results, found.units, row_ids, page)
    hidden = ["problem", "raw"]
    if any(
        isinstance(one, ReasonIs) or one == StateIs(state="failed") for one in wanted.conditions
    ):
        hidden = [name for name in hidden if not table[name].any()]
        table = table[["row_id", "problem", "raw", *table.columns[1:-2]]]
    table = table.drop(columns=hidden)
    if table["similarity"].isna().all():
        table = table.drop(columns="similarity")
    bold = "Words that the original has not are bold, unless nearly all are."
    columns = {
        "row_id": Column("Pair", "A press puts all pairs back in the order of the dataset.", True),
        "chosen": Column("Chosen reply, reworded", bold),
        "rejected": Column("Rejected reply, reworded", bold),
        "similarity": Column("Similarity", "Of the less similar side with its original", True, 3),
        "problem": Column("Why not reworded"),
        "raw": Column("What the rewriter answered"),
    }
    for model, name in short_names(results.models).items():
        columns[model] = Column(
            name,
            "The verdict before and after, and in typical margins how far the margin moved. "
            f"{TYPICAL_MARGIN}",
            sorts=True,
        )
    items = [str(row_id) for row_id in table["row_id"]]
    query = st.query_params.to_dict()

    def sort_by(column: str) -> None:
        asked = wanted.by_head(column, results.models)
        if asked != wanted:
            ROWS.widen(asked)

    def read(place: int) -> None:
        write_query({ROW: items[place]})

    page_table(
        table,
        columns,
        key=f"rewrite-rows-{shown_as}-{page}",
        links=[address(REWRITE, query | {ROW: item}) for item in items],
        read=read,
        sort_by=sort_by,
        alt="The pairs of this view; select one to read it before and after",
    )
    told = "Click a pair to read it before and after; a head with numbers sorts all pairs."
    below_page("pair", len(row_ids), page, told, turned)


def one_row(results: RewriteResults, row_id: int) -> None:
    """One row before and after, with the way back and to its neighbours in the filter."""
    query = st.query_params.to_dict()
    past = listing(results, numbers(results, read_gate(query)))
    wanted, _ = fitting(past, ROWS.asked())
    try:
        rows = matching_rows(past, wanted)
    except IvanError:  # a search that is not done
        rows = []
    if row_id in rows:
        names = names_on(past, wanted)
        _moves(results, rows, row_id, [chip.label for chip in wanted.chips(names)])
    else:  # of a link, or past another gate
        _moves(results, results.row_ids, row_id, [])
    try:
        texts = results.pair(row_id)
    except BadInput as error:
        show_error(error)
        return
    show_rewordings(row_view(results, texts))


def _moves(results: RewriteResults, rows: list[int], row_id: int, held: list[str]) -> None:
    place = rows.index(row_id) if row_id in rows else None
    before = rows[place - 1] if place else None
    after = rows[place + 1] if place is not None and place + 1 < len(rows) else None
    among = f" of {'; '.join(held)}" if held else ""
    at = f": {place + 1:,} of {len(rows):,} pairs{among}" if place is not None else ""
    say(f"Pair {row_id:,}{at}", "small", quiet=True)
    with st.container(horizontal=True, vertical_alignment="center", key="row-moves"):
        st.button("All pairs", key="row-close", on_click=write_query, args=({ROW: None},))
        for label, key, target in (("Previous", "k", before), ("Next", "j", after)):
            st.button(
                label,
                shortcut=key,
                key=f"row-{key}",
                disabled=target is None,
                on_click=write_query,
                args=({ROW: str(target)},),
            )
        comparison = opened.with_row(results.content, row_id, kind="compare")
        if comparison and st.button("Read the pair", key="read-pair"):
            st.switch_page(PAIRS, query_params={"run": comparison, "row": str(row_id)})
