"""The results of a comparison: a sentence, whether its numbers can be trusted, one chart; other
views are tabs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ivan_core.charts.agreement import agreement_bars
from ivan_core.charts.rewards import margin_bars, reward_cells
from ivan_core.charts.sides import length_bars
from ivan_core.domain.options import command_of
from ivan_core.domain.runs import RunState
from ivan_core.domain.words import number_of, short_names
from ivan_core.engine.opinions import ceiling_sentence, second_choices, used_opinions
from ivan_core.experiments.compare.clicks import of_bar, of_length, of_margin, of_rewards
from ivan_core.experiments.compare.published.told import best_lead
from ivan_core.experiments.compare.results import Results, files
from ivan_core.metrics.agreement import by_subset
from ivan_core.metrics.bins import margin_histogram, reward_bins
from ivan_core.metrics.label_noise import Ceiling, ceiling
from ivan_core.metrics.margin_words import MOST_TOLD
from ivan_core.metrics.models.joint import LEAST_MODELS
from ivan_core.metrics.models.sentences import (
    counts_sentence_of_all,
    extremes_sentence,
    trainings_sentence,
)
from ivan_core.metrics.sentences import counts_sentence, headline, length_sentence
from ivan_core.metrics.subset_contrast import contrast_sentence, contrast_test_sentence
from ivan_core.metrics.training import trainings_told
from ivan_core.metrics.trust import Level, TrustStrip
from pages.components.compare.filtering import clickable, margin_range
from pages.components.compare.many import agreement_grid, how_alike, length_grid
from pages.components.compare.models import how_sure, where_they_differ
from pages.components.compare.published import BEST, published_views
from pages.components.compare.rows import found_rows
from pages.components.kit.figure import figure_menu
from pages.components.kit.frame import problems_shown
from pages.components.kit.results import (
    Spec,
    files_and_settings,
    one_view,
    pick_model,
    quotable,
    spec_of,
)
from pages.components.kit.sent_page import page_to_send
from pages.components.kit.state import dark
from pages.components.kit.text import md_escape, say, say_each, say_under

_SIGNS: dict[Level, str] = {"green": "✓", "unknown": "?", "amber": "!", "red": "✗"}
_COLOURS: dict[Level, str] = {"green": "green", "unknown": "gray", "amber": "orange", "red": "red"}
_WORDS: dict[Level, str] = {
    "green": "nothing against it",
    "unknown": "not all is known",
    "amber": "look first",
    "red": "do not trust yet",
}


_LEVELS: tuple[Level, ...] = ("red", "amber", "unknown", "green")


def trust(results: Results) -> None:
    """Draw the strips that were measured with the run; older and unfinished runs have none.

    Of many models it is told how many are at each level, with the worst first.
    """
    plain = (results.manifest or {}).get("trust", [])
    if not plain:
        return
    strips = [TrustStrip.from_dict(strip) for strip in plain]
    names = short_names([strip.model for strip in strips])
    with st.container(horizontal=True, vertical_alignment="center", key="trust"):
        say("Can the numbers be trusted?", "small", quiet=True, width="content")
        if len(results.models) <= MOST_TOLD:
            for strip in strips:
                with _of_level(strip.level, names[strip.model]):
                    _reasons(strip)
            return
        for level in _LEVELS:
            own = {names[strip.model]: strip for strip in strips if strip.level == level}
            if not own:
                continue
            with _of_level(level, number_of(len(own), "model")):
                picked = st.selectbox("Model", list(own), key=f"trust-{level}")
                _reasons(own[picked or next(iter(own))])


def _of_level(level: Level, whose: str) -> DeltaGenerator:
    """What opens with the reasons of a level."""
    label = f"{_SIGNS[level]} {whose}: {_WORDS[level]}"
    return st.popover(f":{_COLOURS[level]}[{md_escape(label)}]")


def _reasons(strip: TrustStrip) -> None:
    """Every check with its sign, its name and its reason, the worst first."""
    checks = sorted(strip.checks, key=lambda check: _LEVELS.index(check.level))
    say_each([f"{_SIGNS[check.level]} {check.name}: {check.reason}" for check in checks], "small")


_BY_SUBSET = "subset"


def comparison(results: Results) -> None:
    """Draw what a comparison found."""
    _head(results)
    trust(results)
    if any(summary.counts.rated for summary in results.summaries):
        _bars(results)
        _tabs(results)
    found_rows(results)
    quotable(results.run.id)
    files_and_settings(command_of(results.spec), files(results), results.manifest)
    page_to_send(results.run, "compare-page")


def _head(results: Results) -> None:
    """Where two models clearly part, if they do, every model's rate, and what to know of both."""
    run, choice, contrast = results.run, results.dataset.chosen_by, results.contrast
    note, who = "", [results.dataset.about["note"]]
    if run.state is not RunState.DONE:
        note = f"Stopped at {run.done:,} of {run.total:,} judgements."
    if len(results.models) > MOST_TOLD:
        opens = extremes_sentence(results.many.singles, choice)
        counted = [counts_sentence_of_all(results.summaries)]
        counted.append(trainings_sentence(list(results.training.values())))
        headed = " ".join(filter(None, (opens, note)))
    else:
        headed = headline(results.summaries, choice, note=note)
        counted = [counts_sentence(summary) for summary in results.summaries]
        counted.append(trainings_told(results.training.values()))
        who += results.learned_from(*results.models)
    size = "headline"
    if contrast is not None:
        say(contrast_sentence(contrast, choice), size)
        counted.insert(0, contrast_test_sentence(contrast))
        size = "lead"
    if run.state is RunState.DONE and run.computed == 0:
        counted.append("All rewards were known already: nothing was computed.")
    say_under(headed, " ".join(filter(None, who)), size)
    if lead := best_lead(results):
        say(lead)
    say(" ".join(filter(None, [*run.notes, *counted])), "small", quiet=True)


def _bars(results: Results) -> None:
    """Agree, tie and disagree by subset or by another column; a click filters the rows."""
    columns = [_BY_SUBSET, *results.own_columns]
    column = _BY_SUBSET
    if len(columns) > 1:
        column = st.selectbox("Agreement by", columns, key="bars-by", width=320) or _BY_SUBSET
    if len(results.models) > MOST_TOLD:
        agreement_grid(results, "" if column == _BY_SUBSET else column)
        return
    best, told = _ceiling(results)
    chart = _bars_of(results.run.id, results.run.done, column, dark(), best, results)
    own = "" if column == _BY_SUBSET else column
    if not clickable(chart, f"bars-{column}", "bar", partial(of_bar, results, column=own)):
        return
    if told:
        say(told, "small", quiet=True)
    if column == _BY_SUBSET:
        figure_menu(results.run.id, "agreement")
    else:
        figure_menu(results.run.id, "agreement-by", column=column)


def _ceiling(results: Results) -> tuple[Ceiling | None, str]:
    """How often a model could side with the choice at best, and the sentence that says it."""
    with problems_shown():
        used = used_opinions(results.dataset)
        return ceiling(*second_choices(used)), ceiling_sentence(used)
    return None, ""


@st.cache_resource(max_entries=16, show_spinner=False)
def _bars_of(
    run_id: str, done: int, column: str, is_dark: bool, best: Ceiling | None, _results: Any
) -> Spec:
    """The specification of the bars: making one takes longer than all else on a click."""
    bars = by_subset(_results.fair) if column == _BY_SUBSET else _results.by_own_column(column)
    return spec_of(agreement_bars(bars, ceiling=best, dark=is_dark))


@st.cache_resource(max_entries=16, show_spinner=False)
def _rewards_of(
    run_id: str, done: int, model: str, is_dark: bool, _results: Any
) -> tuple[pd.DataFrame, Spec, pd.DataFrame, Spec] | None:
    """Cells of rewards and bins of margins of one model with their charts; None if it rated none.

    They are shared, so nobody may change them.
    """
    own = _results.fair_rows(model)
    if own["margin"].isna().all():
        return None
    cells, histogram = reward_bins(own), margin_histogram(own)
    return (
        cells,
        spec_of(reward_cells(cells, dark=is_dark)),
        histogram,
        spec_of(margin_bars(histogram, dark=is_dark)),
    )


def _tabs(results: Results) -> None:
    """Questions, of which the open one computes."""
    tabs: dict[str, Callable[[Results], None]] = {
        "Where do they differ?": where_they_differ,
        "How sure are they?": how_sure,
        "Is it just length?": _length,
        "Rewards": _rewards,
    }
    first = "Rewards"
    if len(results.models) > 1:
        first = "Where do they differ?"
    if len(results.models) >= LEAST_MODELS:
        tabs["How alike are they?"] = how_alike
    if len(results.models) > MOST_TOLD:
        first = "How alike are they?"
    tabs |= published_views(results)
    if results.best_of_n is not None:
        first = BEST
    tabs[one_view("More views", list(tabs), "view", first)](results)


def _rewards(results: Results) -> None:
    """Rewards of both sides in bins, and margins."""
    model = pick_model(results.models, "rewards-model")
    found = _rewards_of(results.run.id, results.run.done, model, dark(), results)
    if found is None:
        say(f"{model} rated nothing.")
        return
    cells, squares, histogram, bars = found

    left, right = st.columns(2)
    with left:
        if clickable(
            squares,
            f"cells-{model}",
            "cell",
            partial(of_rewards, results, model=model, cells=cells),
        ):
            figure_menu(results.run.id, "rewards", model=model)
    with right:
        if clickable(
            bars,
            f"margins-{model}",
            "margin",
            partial(of_margin, results, model=model, bins=histogram),
        ):
            figure_menu(results.run.id, "margins", model=model)
        margin_range(results, model)


def _length(results: Results) -> None:
    """Agreement where the longer reply was chosen, beside where the shorter was."""
    if len(results.models) > MOST_TOLD:
        length_grid(results)
        return
    chart = length_bars(results.summaries, dark=dark())
    if not clickable(chart, "length", "longer", partial(of_length, results)):
        return
    figure_menu(results.run.id, "length")
    for summary in results.summaries:
        say(length_sentence(summary, results.dataset.chosen_by), "small", quiet=True)
