"""What is chosen on Analysis: whose labels, which view, and the mark that was pressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ivan_core.charts.order import by_effect
from ivan_core.domain.words import number_of, short_names
from ivan_core.experiments.analysis.here import is_here
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.views import listed_rows
from ivan_core.lists.conditions import Condition
from ivan_core.metrics.imprint.rows import CONTROLS
from pages.components.analysis.form import CONTROL_WORDS
from pages.components.kit.results import Point, one_of
from pages.components.kit.state import COMPARE, write_query
from pages.components.kit.text import md_escape

LABELER, EFFECT = "labeler", "effect"
"""Whose labels, and the feature and series of a mark, in the address."""
_VIEWS = {"together": "All else equal", "alone": "Each feature alone"}


def labeler_of_page(analysed: Analysed) -> str:
    """Whose labels are looked at: the one in the address, else the first."""
    known = [one.run_id for one in analysed.labelers]
    if len(known) == 1:
        return known[0]
    asked = st.query_params.get(LABELER, "")
    shown = asked if asked in known else known[0]
    picked = one_of(
        "Labels by",
        known,
        f"analysis-labeler-{shown}",
        shown,
        named=lambda run_id: md_escape(analysed.labeler(run_id).named),
    )
    if picked != shown:
        write_query({LABELER: picked})
        st.rerun()
    return picked


def view_and_control(analysed: Analysed, keys: str) -> tuple[str, str]:
    """Each feature with all else equal or alone, and what stands beside the labels."""
    control: str = analysed.spec.control
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = one_of("View", list(_VIEWS), f"{keys}-alone", named=_VIEWS.__getitem__)
        if view == "together":
            control = st.selectbox(
                "Beside the labels",
                CONTROLS,
                index=list(CONTROLS).index(analysed.spec.control),
                key=f"{keys}-beside",
                format_func=CONTROL_WORDS.__getitem__,
                width=280,
            )
    return view, control


def open_effect(point: Point) -> None:
    """Put a pressed mark into the address."""
    feature, series = str(point.get("feature", "")), str(point.get("series", ""))
    if feature and series:
        write_query({EFFECT: f"{feature}~{series}"})


def chosen_effect(rows: Sequence[dict[str, Any]], series: str) -> list[dict[str, Any]]:
    """The rows of the feature in the address, the pressed one first; else of the first drawn."""
    feature, _, pressed = st.query_params.get(EFFECT, "").partition("~")
    named = [row for row in rows if row["feature"] == feature]
    if not named:
        drawn = [row for row in rows if row["estimate"] == row["estimate"]]
        if not drawn:
            return []
        first = by_effect(drawn)[0]
        named = [row for row in rows if row["feature"] == first]
        pressed = max(named, key=lambda row: abs(row["estimate"]))[series]
    return sorted(named, key=lambda row: row[series] != pressed)


def see_pairs(analysed: Analysed, model: str, count: int, *conditions: Condition) -> None:
    """A link to the pairs of one mark, those that speak most against it first."""
    if count:
        of = f" of {short_names(analysed.models)[model]}" if len(analysed.models) > 1 else ""
        pairs_link(analysed, f"See the {number_of(count, 'pair')}{of}", *conditions)


def pairs_link(analysed: Analysed, label: str, *conditions: Condition) -> None:
    """A link to the pairs that meet conditions, where the comparison that lists them is here."""
    if is_here(analysed, analysed.spec.comparison):
        query = listed_rows(analysed, *conditions)
        st.page_link(COMPARE, label=f":primary[{md_escape(label)} →]", query_params=query)
