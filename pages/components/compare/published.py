"""What published datasets have beside pairs: the best of several replies, a benchmark's own count,
margins by the strength of a preference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ivan_core.charts.best_of_n import best_bars
from ivan_core.charts.strength import strength_dots
from ivan_core.experiments.compare.clicks import of_best, of_strength
from ivan_core.experiments.compare.published.told import (
    notes_on_benchmark,
    rates_of,
    strengths_of,
    told_of_best,
    told_of_strength,
)
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.benchmarks.sentences import ends_words, percent_words
from ivan_core.metrics.margin_words import MOST_TOLD
from pages.components.compare.filtering import clickable
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import Spec, spec_of
from pages.components.kit.state import dark
from pages.components.kit.text import say, say_each

BEST = "Best of several replies"
View = Callable[[Results], None]


def published_views(results: Results) -> dict[str, View]:
    """The views that a dataset has beside those of pairs, by their titles."""
    views: dict[str, View] = {}
    if results.best_of_n is not None:
        views[BEST] = _best
    if results.benchmark_name:
        views[f"{results.benchmark_name}'s own count"] = _own_count
    if results.strength is not None:
        views["Does strength matter?"] = _strength
    return views


def _best(results: Results) -> None:
    """How often each model rewards a right reply most, by subset."""
    if clickable(
        _best_chart(results.run.id, results.run.done, dark(), results),
        "best",
        "best",
        partial(of_best, results),
    ):
        say(
            "Click a bar for the prompts for which a wrong reply has the highest reward: of each"
            " the best right reply beside the best wrong one.",
            "small",
            quiet=True,
        )
        figure_menu(results.run.id, "best-of-n")
    _told(results, told_of_best(results))


def _strength(results: Results) -> None:
    """Mean margins by how strong the preference is."""
    chart = _strength_chart(results.run.id, results.run.done, dark(), results)
    if clickable(chart, "strength", "strength", partial(of_strength, results)):
        say("Click a dot for its pairs.", "small", quiet=True)
        figure_menu(results.run.id, "strength")
    _told(results, told_of_strength(results))


def _own_count(results: Results) -> None:
    """A benchmark's number of each model with its parts, and how it counts."""
    table = _scores(results)
    if table.empty:
        say("No prompt has all its replies rated, so there is nothing to count.")
        return
    st.dataframe(table, hide_index=True, width="stretch", key="own-count")
    missing = [score.missing for score in results.benchmark.values() if score.missing]
    say_each([*dict.fromkeys(missing), *notes_on_benchmark(results)], "small", quiet=True)


def _scores(results: Results) -> pd.DataFrame:
    """One row a model: the whole where there is one, then the parts."""
    rows = []
    for model, score in results.benchmark.items():
        row = {"Model": model}
        if score.is_whole:
            row["Score"] = f"{percent_words(score.value)}{ends_words(score.low, score.high)}"
        for part in score.parts:
            row[part.name] = f"{percent_words(part.value)}{ends_words(part.low, part.high)}"
        rows.append(row)
    return pd.DataFrame(rows)


def _told(results: Results, sentences: list[str]) -> None:
    """The sentences of a few models; of many the chart tells."""
    if len(results.models) <= MOST_TOLD:
        for sentence in sentences:
            say(sentence, "small", quiet=True)


@st.cache_resource(max_entries=16, show_spinner=False)
def _best_chart(run_id: str, done: int, is_dark: bool, _results: Any) -> Spec:
    rates = rates_of(_results)
    if len(_results.models) > MOST_TOLD:
        rates = rates[rates["subset"] == ALL_SUBSETS]
    return spec_of(best_bars(rates, dark=is_dark))


@st.cache_resource(max_entries=16, show_spinner=False)
def _strength_chart(run_id: str, done: int, is_dark: bool, _results: Any) -> Spec:
    margins = strengths_of(_results)
    return spec_of(strength_dots(margins, dark=is_dark))
