"""What does it reward? The imprint of labels on margins, by labeler, and the rows behind a mark."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.charts.imprint import imprint_dots
from ivan_core.experiments.analysis.figures import TITLES, imprint_rows
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.no_number import (
    apart_sentence,
    left_out_sentence,
    needs_sentence,
)
from ivan_core.experiments.analysis.sentences.noise import (
    labeler_sentence,
    pairs_sentence,
    reviewed_sentence,
)
from ivan_core.experiments.analysis.sentences.rewards import (
    clear_words,
    effect_sentence,
    explained_sentence,
)
from ivan_core.experiments.analysis.views import behind
from ivan_core.figures.words import FOR_THE_PAPER
from ivan_core.metrics.imprint.effects import AS_PEOPLE
from pages.components.analysis.beside import beside_what_it_rewards
from pages.components.analysis.charts import effects_chart
from pages.components.analysis.chosen import (
    chosen_effect,
    labeler_of_page,
    see_pairs,
    view_and_control,
)
from pages.components.analysis.described import whole_pairs
from pages.components.analysis.numbers import numbers_table
from pages.components.analysis.picked import picked, picked_rewards
from pages.components.analysis.several import both_labels, say_alike, where_models_differ
from pages.components.kit.figure import figure_menu
from pages.components.kit.text import say


def what_it_rewards(analysed: Analysed) -> None:
    """Say how much the labels explain, draw each feature's effect, and open the rows behind one."""
    labeler = labeler_of_page(analysed)
    if (some := picked(analysed)) is not None:
        picked_rewards(analysed, labeler, some)
        return
    for model in analysed.models:
        say(explained_sentence(analysed, model, labeler), "headline")
        say(clear_words(analysed, model, labeler), "lead")
    say_alike(analysed, labeler)
    say(labeler_sentence(analysed, analysed.labeler(labeler)), "small", quiet=True)
    say(pairs_sentence(analysed, labeler), "small", quiet=True)
    view, control = view_and_control(analysed, "rewards")
    effects = imprint_rows(analysed, labeler, view, control)
    left, right = st.columns([3, 2], gap="large")
    with left:
        name = f"imprint-{labeler}-{view}-{control}"
        if effects_chart(analysed, name, lambda dark: imprint_dots(effects, TITLES, dark=dark)):
            figure_menu(analysed.run.id, "imprint", labeler=labeler, control=control, view=view)
        if told := left_out_sentence(analysed, labeler, view, control):
            say(told, "small", quiet=True)
        say(reviewed_sentence(analysed, labeler, view, control), "small", quiet=True)
        whole_pairs(analysed, labeler)
    with right:
        _one_effect(analysed, labeler, effects.to_dict("records"))
    both_labels(analysed, labeler, control)
    where_models_differ(analysed, labeler, view, control)
    beside_what_it_rewards(analysed, labeler)
    with st.expander(FOR_THE_PAPER):
        numbers_table(analysed, effects, "imprint-numbers", "All effects in numbers")
        for model in analysed.models:
            for tell in (apart_sentence, needs_sentence):
                if told := tell(analysed, model, labeler):
                    say(told, "small")


def _one_effect(analysed: Analysed, labeler: str, rows: list[dict[str, Any]]) -> None:
    """One feature in a sentence for each model, and the way to its pairs."""
    named = chosen_effect(rows, "model")
    if not named:
        return
    who, first = analysed.labeler(labeler), named[0]
    say(TITLES.get(first["feature"], first["feature"]), "lead")
    for row in named:
        say(effect_sentence(row, who))
        if row["clear"] != AS_PEOPLE:
            see_pairs(analysed, row["model"], row["differs"], behind(labeler, row))
