"""Where do the models differ, and how sure are they? Verdicts and margins of two, and agreement
where one is surest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import pandas as pd
import streamlit as st

from ivan_core.charts.reliability import reliability_points, risk_coverage_curves
from ivan_core.charts.rewards import margin_squares, verdict_cells
from ivan_core.domain.words import short_names
from ivan_core.experiments.compare.clicks import of_margins, of_sure, of_verdicts
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.sentences import TwoModels, two_models
from ivan_core.figures.words import FOR_THE_PAPER
from ivan_core.metrics.comparison_sentences import (
    coverage_sentence,
    discordance_sentence,
    mcnemar_sentence,
    needed_sentence,
    reliability_sentence,
    temperature_sentence,
)
from ivan_core.metrics.margin_words import MOST_TOLD
from ivan_core.metrics.paired import margin_cells, pairs_needed, verdict_table
from ivan_core.metrics.reliability import Reliability, risk_coverage
from pages.components.compare.filtering import clickable
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import Spec, pick_model, plain_chart, spec_of
from pages.components.kit.state import dark
from pages.components.kit.text import say, say_each


def where_they_differ(results: Results) -> None:
    """Compare two models of the run, pair by pair."""
    if len(results.models) < 2:
        say("This run has one model: judge the same pairs with another to compare them.")
        return
    first, second = _two(results)
    run = results.run
    two, verdicts, margins, cells = _charts(run.id, run.done, first, second, dark(), results)
    found = two.found
    if found is None:
        say(str(verdicts))
        return
    say(two.sentence(results))
    left, right = st.columns(2)
    with left:
        if clickable(
            verdicts,
            f"verdicts-{first}-{second}",
            "verdicts",
            partial(of_verdicts, results, two=two),
        ):
            figure_menu(results.run.id, "verdicts", model=first, other=second)
    with right:
        if clickable(
            margins,
            f"margins-{first}-{second}",
            "margins",
            partial(of_margins, results, two=two, cells=cells),
        ):
            figure_menu(results.run.id, "two-margins", model=first, other=second)
    needed = needed_sentence(
        pairs_needed(found.discordance, design=found.design), found.discordance, found.n
    )
    say(discordance_sentence(found, first, second), "small", quiet=True)
    with st.expander(FOR_THE_PAPER):
        say_each((mcnemar_sentence(found), needed), "small")


def _two(results: Results) -> tuple[str, str]:
    """The two models to compare; asked for where the run has more."""
    models = results.models
    if len(models) == 2:
        return models[0], models[1]
    names = short_names(models)
    if len(models) > MOST_TOLD:
        return _two_of_many(models, names)
    pairs = list(combinations(models, 2))
    picked = st.selectbox(
        "Which two",
        range(len(pairs)),
        key="differ-two",
        format_func=lambda i: f"{names[pairs[i][0]]} and {names[pairs[i][1]]}",
    )
    return pairs[picked or 0]


def _two_of_many(models: tuple[str, ...], names: Mapping[str, str]) -> tuple[str, str]:
    """One model and another, each out of a list of its own."""
    left, right = st.columns(2)
    with left:
        first = st.selectbox("One model", models, key="differ-one", format_func=names.__getitem__)
    others = [model for model in models if model != first]
    with right:
        second = st.selectbox(
            "Another", others, key="differ-another", format_func=names.__getitem__
        )
    return first or models[0], second or others[0]


@st.cache_resource(max_entries=16, show_spinner=False)
def _charts(
    run_id: str, done: int, first: str, second: str, is_dark: bool, _results: Any
) -> tuple[TwoModels, Spec, Spec, pd.DataFrame]:
    """The two models beside each other, both charts, and the cells of the second."""
    two = two_models(_results, first, second)
    shared = two.shared
    cells = margin_cells(shared)
    verdicts = verdict_cells(verdict_table(shared), first, second, dark=is_dark)
    margins = margin_squares(cells, first, second, dark=is_dark)
    # The charts have what they need of the pairs, of which there may be a million.
    two = replace(two, shared=shared.head(0).copy())
    return two, spec_of(verdicts), spec_of(margins), cells


def how_sure(results: Results) -> None:
    """Risk and coverage of all models, or of one of many beside two others; reliability of one."""
    curves = _curves(results.run.id, results.run.done, results)
    model = ""
    if len(results.models) > MOST_TOLD:
        model = pick_model(results.models, "sure-model")
        curves = _beside_others(curves, model, results)
    coverage = risk_coverage_curves(curves, dark=dark())
    if isinstance(coverage, str):
        say(coverage)
        return
    model = model or pick_model(results.models, "sure-model")
    found = _reliability(results.run.id, results.run.done, model, results)
    chart = reliability_points(found, model, dark=dark())
    # A sentence in place of that chart stands beside the other one, not above both as well.
    drawn = not isinstance(chart, str)
    told = [coverage_sentence(curves, model)]
    told += [reliability_sentence(found, model)] if drawn else []
    say(" ".join(told))
    left, right = st.columns(2)
    with left:
        plain_chart(coverage, "risk-coverage")
        figure_menu(results.run.id, "coverage")
    with right:
        asked = partial(of_sure, results, model=model, bins=found.bins)
        if clickable(chart, f"reliability-{model}", "sure", asked):
            figure_menu(results.run.id, "reliability", model=model)
    if drawn:
        say(temperature_sentence(found, model), "small", quiet=True)


def _beside_others(curves: pd.DataFrame, model: str, results: Results) -> pd.DataFrame:
    """The curve of one of many models, beside those that agree most and least often."""
    by_agreement = list(dict.fromkeys(results.many.singles["model"]))
    shown = dict.fromkeys((model, by_agreement[0], by_agreement[-1]))
    return pd.concat([curves[curves["model"] == name] for name in shown], ignore_index=True)


@st.cache_data(max_entries=8, show_spinner=False)
def _curves(run_id: str, done: int, _results: Any) -> pd.DataFrame:
    return risk_coverage(_results.fair)


@st.cache_data(max_entries=16, show_spinner=False)
def _reliability(run_id: str, done: int, model: str, _results: Any) -> Reliability:
    found: Reliability = _results.reliability(model)
    return found
