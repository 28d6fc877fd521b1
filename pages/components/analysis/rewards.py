"""What does it reward? The imprint of labels on margins, by labeler, and the rows behind a mark."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.charts.imprint import imprint_dots
from ivan_core.experiments.analysis.conditions import rows_behind
from ivan_core.experiments.analysis.figures import TITLES
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences import (
    effect_sentence,
    explained_sentence,
    labeler_sentence,
    needs_sentence,
    shown_effects,
)
from ivan_core.metrics.imprint.rows import CHOSEN, CONTROLS, LENGTH
from pages.components.analysis.form import CONTROL_WORDS
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import FOR_THE_PAPER, Point, clicked_chart, one_of
from pages.components.kit.state import COMPARE, dark, write_query
from pages.components.kit.text import md_escape, say

LABELER, EFFECT, CONTROL, VIEW_OF = "labeler", "effect", "control", "alone"
"""What is chosen, in the address."""
_VIEWS = {"together": "All else equal", "alone": "Each feature alone"}


def what_it_rewards(analysed: Analysed) -> None:
    """Say how much the labels explain, draw each feature's effect, and open the rows behind one."""
    labeler = _labeler(analysed)
    for model in analysed.models:
        say(explained_sentence(analysed, model, labeler), "headline")
    who = analysed.labeler(labeler)
    say(labeler_sentence(who, len(analysed.labelers)), "small", quiet=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        view = one_of("View", list(_VIEWS), "analysis-alone", named=_VIEWS.__getitem__)
        control = analysed.spec.control
        if view == "together":
            control = st.selectbox(
                "Beside the labels",
                CONTROLS,
                index=CONTROLS.index(control),
                key="analysis-beside",
                format_func=CONTROL_WORDS.__getitem__,
            )
    effects = shown_effects(analysed, labeler, view, control)
    left, right = st.columns([3, 2], gap="large")
    with left:
        name = f"imprint-{analysed.run.id}-{labeler}-{view}-{control}"
        chart = imprint_dots(effects, TITLES, dark=dark())
        if clicked_chart(chart, name, "effect", "analysis-clicks", _open):
            figure_menu(analysed.run.id, "imprint", labeler=labeler, control=control, view=view)
    with right:
        _one_effect(analysed, labeler, effects.to_dict("records"))
    with st.expander(FOR_THE_PAPER):
        st.dataframe(effects, hide_index=True, key="imprint-numbers", alt="All effects in numbers")
        for row in effects[effects["feature"] == LENGTH].to_dict("records"):
            say(f"{row['model']}. {needs_sentence(row['spread'])}", "small")


def _labeler(analysed: Analysed) -> str:
    """Whose labels are looked at: the one in the address, else the first."""
    runs = [one.run_id for one in analysed.labelers]
    asked = st.query_params.get(LABELER, "")
    if len(runs) == 1:
        return runs[0]
    picked = one_of(
        "Labels by",
        runs,
        "analysis-labeler",
        asked if asked in runs else None,
        named=lambda run_id: md_escape(analysed.labeler(run_id).named),
    )
    if picked != (asked or runs[0]):
        write_query({LABELER: picked})
    return picked


def _open(point: Point) -> None:
    feature, model = str(point.get("feature", "")), str(point.get("model", ""))
    if feature and model:
        write_query({EFFECT: f"{feature}~{model}"})


def _one_effect(analysed: Analysed, labeler: str, rows: list[dict[str, Any]]) -> None:
    """One effect as a sentence, and the way to its pairs: the one in the address, else the first
    that is drawn at the top."""
    feature, _, model = st.query_params.get(EFFECT, "").partition("~")
    named = [row for row in rows if row["feature"] == feature]
    if not named:
        drawn = [row for row in rows if row["estimate"] == row["estimate"]]
        if not drawn:
            return
        named = [max(drawn, key=lambda row: abs(row["estimate"]))]
        model = named[0]["model"]
    who = analysed.labeler(labeler)
    say(TITLES.get(named[0]["feature"], named[0]["feature"]), "lead")
    for row in sorted(named, key=lambda row: row["model"] != model):
        say(effect_sentence(row, who))
    if named[0]["feature"] not in (LENGTH, CHOSEN) and named[0]["differs"]:
        query = rows_behind(analysed, labeler, named[0]["feature"])
        label = f":primary[See the {named[0]['differs']:,} pairs that differ in it →]"
        st.page_link(COMPARE, label=label, query_params=query)
