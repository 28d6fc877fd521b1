"""How sure are the models? Agreement where they are surest, and whether sureness means it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from ivan_core.charts.reliability import reliability_points, risk_coverage_curves
from ivan_core.experiments.compare.clicks import of_sure
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.comparison_sentences import (
    coverage_sentence,
    reliability_sentence,
    temperature_sentence,
)
from ivan_core.metrics.reliability import Reliability, reliability, risk_coverage
from pages.components.compare.filtering import clickable
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import pick_model
from pages.components.kit.state import dark
from pages.components.kit.text import say

_SEED = 0
"""Of the range that a calibrated model would show."""


def how_sure(results: Results) -> None:
    """Risk and coverage of all models, reliability of one."""
    curves = _curves(results.run.id, results.run.done, results)
    if curves.empty:
        say("Fewer than 50 pairs are rated: too few to tell sure from unsure.")
        return
    model = pick_model(results.models, "sure-model")
    found = _reliability(results.run.id, results.run.done, model, results)
    say(f"{coverage_sentence(curves, model)} {reliability_sentence(found, model)}")
    left, right = st.columns(2)
    with left:
        st.altair_chart(risk_coverage_curves(curves, dark=dark()), key="risk-coverage")
        figure_menu(results.run.id, "coverage")
    with right:
        chart = reliability_points(found, model, dark=dark())
        if found.bins.empty:
            st.altair_chart(chart, key=f"reliability-{model}")
        else:
            asked = partial(of_sure, results, model=model, bins=found.bins)
            clickable(chart, f"reliability-{model}", "sure", asked)
        figure_menu(results.run.id, "reliability", model=model)
    say(temperature_sentence(found, model), "small", quiet=True)


@st.cache_data(max_entries=8, show_spinner=False)
def _curves(run_id: str, done: int, _results: Any) -> pd.DataFrame:
    return risk_coverage(_results.fair)


@st.cache_data(max_entries=16, show_spinner=False)
def _reliability(run_id: str, done: int, model: str, _results: Any) -> Reliability:
    own = _results.fair[_results.fair["model"] == model]
    turns = _results.dataset.numbers(["row_id", "first_turn"]).set_index("row_id")["first_turn"]
    return reliability(own, np.random.default_rng(_SEED), turns)
