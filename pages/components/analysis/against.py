"""Where does it go against people? How often, by what the labels prefer, and what goes with it."""

from __future__ import annotations

import streamlit as st

from ivan_core.charts.imprint import points_dots
from ivan_core.experiments.analysis.conditions import verdict_rows
from ivan_core.experiments.analysis.figures import TITLES, why_rows
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.against import (
    NO_WHY,
    against_sentence,
    preference_sentence,
    why_sentence,
)
from ivan_core.figures.words import FOR_THE_PAPER
from pages.components.analysis.chosen import chosen_effect, labeler_of_page, open_effect
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import clicked_chart, pick_model
from pages.components.kit.state import COMPARE, dark
from pages.components.kit.text import say


def where_against_people(analysed: Analysed) -> None:
    """Say how often each model goes against the choice, and draw what goes with it."""
    labeler = labeler_of_page(analysed)
    for model in analysed.models:
        say(against_sentence(analysed, model, labeler), "headline")
    for model in analysed.models:
        if told := preference_sentence(analysed, model, labeler):
            say(told)
    if analysed.labeler(labeler).authored:
        say(NO_WHY)
        return
    model = pick_model(analysed.models, "against-model")
    whys = why_rows(analysed, model, labeler)
    left, right = st.columns([3, 2], gap="large")
    with left:
        name = f"against-{analysed.run.id}-{labeler}-{model}"
        chart = points_dots(whys, TITLES, dark=dark())
        if clicked_chart(chart, name, "effect", "analysis-clicks", open_effect):
            figure_menu(analysed.run.id, "against", model=model, labeler=labeler)
    with right:
        named = chosen_effect(whys.to_dict("records"), "side")
        if named:
            say(TITLES.get(named[0]["feature"], named[0]["feature"]), "lead")
        for row in named:
            say(why_sentence(row, analysed.labeler(labeler), analysed.dataset.chosen_by))
        st.page_link(
            COMPARE,
            label=":primary[See the pairs where it prefers the other reply →]",
            query_params=verdict_rows(analysed, model),
        )
    with st.expander(FOR_THE_PAPER):
        st.dataframe(
            analysed.table("why", model=model, labeler=labeler),
            hide_index=True,
            key="why-numbers",
            alt="What goes with going against the choice, in numbers",
        )
