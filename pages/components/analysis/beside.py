"""Beside what a model rewards, folded: what the choice rewards, where it differs, what matters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from ivan_core.charts.imprint import choice_dots, labeler_dots
from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.beside_figures import choice_dots_rows
from ivan_core.experiments.analysis.figures import TITLES, beside_title, labeled_rows
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.beside import (
    GAP_NEEDS,
    TEACHES,
    choice_rows,
    choice_sentence,
    found_sentence,
    share_sentence,
    shares_of,
    taught_sentence,
    topic_sentence,
    topics_told,
    widest_gaps,
)
from ivan_core.experiments.analysis.sentences.rewards import effect_sentence
from ivan_core.experiments.analysis.views import behind_both, behind_choice, inside_topic
from pages.components.analysis.charts import effects_chart
from pages.components.analysis.chosen import EFFECT, chosen_effect, pairs_link, see_pairs
from pages.components.analysis.numbers import numbers_table
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import fold, pick_model
from pages.components.kit.text import say

_MOST = 3
"""Gaps that are told; the chart shows all."""


def beside_what_it_rewards(analysed: Analysed, labeler: str) -> None:
    """Folds, each begun by its sentences and ended by its table."""
    if found := found_sentence(analysed, labeler):
        with st.expander("What do its mistakes do? Beside authored labels", expanded=True):
            _authored(analysed, labeler, found)
    for question, draw in _FOLDED.items():
        fold(question, f"beside-{draw.__name__}", partial(draw, analysed, labeler))


def _authored(analysed: Analysed, labeler: str, found: str) -> None:
    """A labeler and the authored labels of the same pairs, and what their difference teaches."""
    model = pick_model(analysed.models, "authored-model")
    say(found, "lead")
    say(taught_sentence(analysed, model, labeler))
    say(TEACHES, "small", quiet=True)
    rows = labeled_rows(analysed, model, labeler)
    title = beside_title(model)
    for row in chosen_effect(rows.to_dict("records"), "series"):
        who = analysed.labeler(row["labeler"])
        say(effect_sentence({**row, "view": "together", "before": ""}, who))
        if row["differs"]:
            told = f"See the {number_of(row['differs'], 'pair')} by {who.named}"
            pairs_link(analysed, told, *behind_both(row))
    if effects_chart(
        analysed,
        f"authored-{labeler}-{model}",
        lambda dark: labeler_dots(rows, TITLES, title, dark=dark),
    ):
        figure_menu(analysed.run.id, "authored", model=model, labeler=labeler)


def _choice(analysed: Analysed, labeler: str) -> None:
    model, who = pick_model(analysed.models, "choice-model"), analysed.labeler(labeler)
    rows = choice_rows(analysed, model, labeler)
    feature = st.query_params.get(EFFECT, "").partition("~")[0]
    pressed = [several for several in rows if several[0]["feature"] == feature]
    told = pressed or widest_gaps(rows)[:_MOST]
    for several in told:
        say(choice_sentence(*several, who))
        count = several[0]["differs"]
        see_pairs(analysed, model, count, *behind_choice(analysed, labeler, model, several[0]))
    if len(rows) > len(told) and not pressed:
        say(f"Told are the {_MOST} widest gaps; a press on a mark tells its own.", "small")
    dots = choice_dots_rows(analysed, model, labeler)
    name = f"choice-{labeler}-{model}"
    if effects_chart(analysed, name, lambda dark: choice_dots(dots, TITLES, dark=dark)):
        figure_menu(analysed.run.id, "choice", model=model, labeler=labeler)
    say(GAP_NEEDS, "small", quiet=True)
    table = analysed.table("choice", labeler=labeler)
    numbers_table(analysed, table, "choice-numbers", "Log odds of all, in numbers")


def _topics(analysed: Analysed, labeler: str) -> None:
    tests, told = topics_told(analysed, labeler)
    say(tests, "lead")
    for row in told:
        say(topic_sentence(row, analysed.labeler(labeler)))
        pairs_link(analysed, f"See the {row['inside']:,} pairs inside", *inside_topic(row))
    table = analysed.table("topics", labeler=labeler)
    if not table.empty:
        numbers_table(analysed, table, "topic-numbers", "All cells in numbers")


def _shares(analysed: Analysed, labeler: str) -> None:
    who = analysed.labeler(labeler).labels
    for model in analysed.models:
        if shares := shares_of(analysed, model, labeler):
            say(share_sentence(shares, TITLES, analysed.used(model, labeler)["used"], who))
    table = analysed.table("importance", labeler=labeler)
    numbers_table(analysed, table, "share-numbers", "All shares in numbers")


_FOLDED: dict[str, Callable[[Analysed, str], None]] = {
    "What does the choice reward, beside?": _choice,
    "Where does it differ?": _topics,
    "Which labels matter most?": _shares,
}
"""What is drawn when it is asked for."""
