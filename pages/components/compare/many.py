"""Many models at one glance: agreement by subset, how alike they are, what they are as one."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ivan_core.charts.fewest import fewest_bars
from ivan_core.charts.heat import agreement_cells, likeness_cells
from ivan_core.experiments.compare.clicks import of_agreement_cell, of_alike, of_length_cell
from ivan_core.experiments.compare.many_figures import NAMES
from ivan_core.experiments.compare.many_sentences import joint_told
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.models.grid import EVERY_LENGTH, by_length
from ivan_core.metrics.models.likeness import MEASURES, Measure
from ivan_core.metrics.models.many import ManyModels
from ivan_core.metrics.models.sentences import (
    MEASURE_WORDS,
    alike_sentence,
    disguise_sentence,
    fewest_sentence,
)
from pages.components.compare.filtering import clickable
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import Spec, one_of, plain_chart, spec_of
from pages.components.kit.state import dark
from pages.components.kit.text import say


def agreement_grid(results: Results, column: str) -> None:
    """Agreement of each model by subset, or by a column of the dataset; a cell lists its rows."""
    chart = _grid_of(results.run.id, results.run.done, column, dark(), results)
    asked = partial(of_agreement_cell, results, column=column)
    if not clickable(chart, f"grid-{column}", "cell", asked):
        return
    say(
        "Click a cell for the pairs on which its model goes against the choice.",
        "small",
        quiet=True,
    )
    if column:
        figure_menu(results.run.id, "agreement-by", column=column)
    else:
        figure_menu(results.run.id, "grid")


def how_alike(results: Results) -> None:
    """Each two of three models or more by one measure, the few that show most, all as one."""
    many: ManyModels = results.many
    measure = one_of("Alike by", MEASURES, "alike-by", named=lambda one: MEASURE_WORDS[one])
    say(" ".join([alike_sentence(many.alike, measure), *map(disguise_sentence, many.disguises)]))
    chart = _alike_of(results.run.id, results.run.done, measure, dark(), results)
    if clickable(chart, f"alike-{measure}", "alike", partial(of_alike, results)):
        say("Click a cell for the pairs on which its two models part.", "small", quiet=True)
        figure_menu(results.run.id, NAMES[measure])
    for told in joint_told(results):
        say(told)
    say(fewest_sentence(many.fewest, len(results.models)))
    if (
        many.fewest is not None
        and many.fewest.n
        and plain_chart(fewest_bars(many.fewest, dark=dark()), "fewest")
    ):
        figure_menu(results.run.id, "fewest")


def length_grid(results: Results) -> None:
    """Agreement where the longer reply was chosen, beside where the shorter was, by model."""
    grid = by_length(results.summaries)
    chart = agreement_cells(grid, title="Is it just length?", every=EVERY_LENGTH, dark=dark())
    if clickable(chart, "length-grid", "cell", partial(of_length_cell, results)):
        told = "A model that only sees length has cells far apart. Click a cell for its pairs."
        say(told, "small", quiet=True)
        figure_menu(results.run.id, "length")


@st.cache_resource(max_entries=16, show_spinner=False)
def _grid_of(run_id: str, done: int, column: str, is_dark: bool, _results: Any) -> Spec:
    """The specification of the grid: making one takes longer than all else on a click."""
    grid = _by_column(_results, column) if column else _results.many.grid
    return spec_of(agreement_cells(grid, dark=is_dark))


def _by_column(results: Results, column: str) -> pd.DataFrame:
    """Agreement by the values of a column, as a grid has it."""
    bars = results.by_own_column(column)
    return bars[bars["verdict"] == "agree"].rename(columns={"count": "agree"})


@st.cache_resource(max_entries=16, show_spinner=False)
def _alike_of(run_id: str, done: int, measure: Measure, is_dark: bool, _results: Any) -> Spec:
    many: ManyModels = _results.many
    return spec_of(likeness_cells(many.alike, many.order(measure), measure, dark=is_dark))
