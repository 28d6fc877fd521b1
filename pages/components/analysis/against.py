"""Where does it go against people? How often, by what the labels prefer, and what goes with it."""

from __future__ import annotations

import streamlit as st

from ivan_core.charts.imprint import points_dots
from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.conditions import PREFERS_WORDS
from ivan_core.experiments.analysis.figures import TITLES, why_rows
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.against import (
    NO_WHY,
    against_sentence,
    no_preference_sentence,
    preference_sentence,
    why_sentence,
)
from ivan_core.experiments.analysis.views import of_share, why_behind
from ivan_core.figures.words import FOR_THE_PAPER
from ivan_core.metrics.imprint.against import ALL
from pages.components.analysis.charts import effects_chart
from pages.components.analysis.chosen import chosen_effect, labeler_of_page, pairs_link
from pages.components.analysis.numbers import numbers_table
from pages.components.analysis.picked import picked, picked_people
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import pick_model
from pages.components.kit.text import say


def where_against_people(analysed: Analysed) -> None:
    """Say how often each model goes against the choice, and draw what goes with it."""
    labeler = labeler_of_page(analysed)
    if (some := picked(analysed)) is not None:
        picked_people(analysed, labeler, some)
        return
    for model in analysed.models:
        say(against_sentence(analysed, model, labeler), "headline")
    if "misaligned" not in analysed.tables:
        return
    for model in analysed.models:
        if told := preference_sentence(analysed, model, labeler):
            say(told)
        if told := no_preference_sentence(analysed, model, labeler):
            say(told)
        _shares(analysed, model, labeler)
    if analysed.labeler(labeler).authored:
        say(NO_WHY)
        return
    model = pick_model(analysed.models, "against-model")
    whys = why_rows(analysed, model, labeler)
    left, right = st.columns([3, 2], gap="large")
    with left:
        name = f"against-{labeler}-{model}"
        if effects_chart(analysed, name, lambda dark: points_dots(whys, TITLES, dark=dark)):
            figure_menu(analysed.run.id, "against", model=model, labeler=labeler)
    with right:
        named = chosen_effect(whys.to_dict("records"), "side")
        if named:
            say(TITLES.get(named[0]["feature"], named[0]["feature"]), "lead")
        for row in named:
            say(why_sentence(row, analysed.labeler(labeler), analysed.dataset.chosen_by))
            told = f"See the {number_of(int(row['away']), 'pair')}, by the {row['side']} reply"
            pairs_link(analysed, told, why_behind(labeler, row))
    with st.expander(FOR_THE_PAPER):
        table = analysed.table("why", model=model, labeler=labeler)
        told = "What goes with going against the choice, in numbers"
        numbers_table(analysed, table, "why-numbers", told)


def _shares(analysed: Analysed, model: str, labeler: str) -> None:
    """The pairs behind each share, and the ties."""
    rows = analysed.table("misaligned", model=model, labeler=labeler).to_dict("records")
    with st.container(horizontal=True, vertical_alignment="center", key=f"shares-{model}"):
        say("See them:", "small", quiet=True, width="content")
        for row in rows:
            prefers = row["labeler_prefers"]
            where = "" if prefers == ALL else f", the labels prefer {PREFERS_WORDS[prefers]}"
            if row["misaligned"]:
                pairs_link(analysed, f"{row['misaligned']:,} pairs{where}", *of_share(row))
            if row["ties"] and prefers == ALL:
                told = number_of(int(row["ties"]), "tie")
                pairs_link(analysed, told, *of_share(row, ties=True))
