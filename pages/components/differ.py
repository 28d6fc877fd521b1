"""Where do the models differ? Their verdicts in one table, their margins on common axes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd
import streamlit as st

from ivan_core.charts.paired import margin_squares, verdict_cells
from ivan_core.domain.conditions import MarginsIn, VerdictsAre
from ivan_core.domain.runs import RunState
from ivan_core.metrics.comparison_sentences import (
    difference_sentence,
    discordance_sentence,
    mcnemar_sentence,
    needed_sentence,
)
from ivan_core.metrics.paired import margin_cells, paired_difference, shared_rows, verdict_table
from ivan_core.metrics.paired_shares import Difference, pairs_needed
from ivan_core.workspace.results import Results
from pages.components.figure import figure_menu
from pages.components.filtering import Condition, clickable
from pages.components.state import dark
from pages.components.text import say, short_names


def differ(results: Results) -> None:
    """Compare two models of the run, pair by pair."""
    if len(results.models) < 2:
        say("This run has one model: judge the same pairs with another to compare them.")
        return
    first, second = _two(results)
    run = results.run
    found, verdicts, margins, cells = _charts(run.id, run.done, first, second, dark(), results)
    if found is None:
        say(f"{first} and {second} rated no pair in common.")
        return
    complete = results.run.state is RunState.DONE
    choice = results.dataset.chosen_by
    say(difference_sentence(found, first, second, choice, complete=complete))
    left, right = st.columns(2)
    with left:
        clickable(
            verdicts,
            f"verdicts-{first}-{second}", "verdicts", _verdicts(first, second),
        )  # fmt: skip
        figure_menu(results.run.id, "verdicts", model=first, other=second)
    with right:
        clickable(
            margins,
            f"margins-{first}-{second}", "margins", _margins(first, second, cells),
        )  # fmt: skip
        figure_menu(results.run.id, "two-margins", model=first, other=second)
    needed = needed_sentence(pairs_needed(found.discordance), found.discordance, found.n)
    told = (discordance_sentence(found, first, second), mcnemar_sentence(found), needed)
    say(" ".join(told), "small", quiet=True)


def _two(results: Results) -> tuple[str, str]:
    """The two models to compare; asked for where the run has more."""
    models = results.models
    if len(models) == 2:
        return models[0], models[1]
    pairs = list(combinations(models, 2))
    names = short_names(models)
    picked = st.selectbox(
        "Which two", range(len(pairs)), key="differ-two",
        format_func=lambda i: f"{names[pairs[i][0]]} and {names[pairs[i][1]]}",
    )  # fmt: skip
    return pairs[picked or 0]


@st.cache_resource(max_entries=16, show_spinner=False)
def _charts(
    run_id: str, done: int, first: str, second: str, is_dark: bool, _results: Any
) -> tuple[Difference | None, dict[str, Any], dict[str, Any], pd.DataFrame]:
    """The difference of two models, both charts, and the cells of the second."""
    units = {m: unit for m, unit in _results.typical_margins.items() if unit}
    shared = shared_rows(_results.table, first, second, units)
    cells = margin_cells(shared)
    verdicts = verdict_cells(verdict_table(shared), first, second, dark=is_dark).to_dict()
    margins = margin_squares(cells, first, second, dark=is_dark).to_dict()
    return paired_difference(shared), verdicts, margins, cells


def _verdicts(first: str, second: str) -> Condition:
    def condition(point: Mapping[str, Any]) -> VerdictsAre | None:
        ours, theirs = point.get("first"), point.get("second")
        if not ours or not theirs:
            return None
        return VerdictsAre(model=first, verdict=ours, other=second, other_verdict=theirs)

    return condition


def _margins(first: str, second: str, cells: pd.DataFrame) -> Condition:
    def condition(point: Mapping[str, Any]) -> MarginsIn | None:
        found = cells[cells["cell"] == point.get("cell")]
        if found.empty:
            return None
        x0, x1, y0, y1 = (float(found.iloc[0][name]) for name in ("x0", "x1", "y0", "y1"))
        return MarginsIn(model=first, other=second, x0=x0, x1=x1, y0=y0, y1=y1)

    return condition
