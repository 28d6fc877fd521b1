"""Beside what a model rewards, folded: what the choice rewards, where it differs, what matters."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ivan_core.charts.imprint import choice_dots, labeler_dots
from ivan_core.experiments.analysis.figures import (
    TITLES,
    beside_title,
    choice_dots_rows,
    labeled_rows,
)
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
)
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import pick_model, plain_chart
from pages.components.kit.state import dark
from pages.components.kit.text import say


def beside_what_it_rewards(analysed: Analysed, labeler: str) -> None:
    """Folds, each begun by its sentences and ended by its table."""
    if found := found_sentence(analysed, labeler):
        with st.expander("What do its mistakes do? Beside authored labels", expanded=True):
            _authored(analysed, labeler, found)
    for question, draw in _FOLDED.items():
        folded = st.expander(question, key=f"beside-{draw.__name__}", on_change="rerun")
        if folded.open:
            with folded:
                draw(analysed, labeler)


def _authored(analysed: Analysed, labeler: str, found: str) -> None:
    """A labeler and the authored labels of the same pairs, and what their difference teaches."""
    model = pick_model(analysed.models, "authored-model")
    say(found, "lead")
    say(taught_sentence(analysed, model, labeler))
    say(TEACHES, "small", quiet=True)
    rows = labeled_rows(analysed, model, labeler)
    chart = labeler_dots(rows, TITLES, beside_title(model), dark=dark())
    if isinstance(chart, str):
        say(chart)
        return
    st.altair_chart(chart)
    figure_menu(analysed.run.id, "authored", model=model, labeler=labeler)


def _choice(analysed: Analysed, labeler: str) -> None:
    model, who = pick_model(analysed.models, "choice-model"), analysed.labeler(labeler)
    for chosen, ours, gap in choice_rows(analysed, model, labeler):
        say(choice_sentence(chosen, ours, gap, who))
    say(GAP_NEEDS, "small", quiet=True)
    chart = choice_dots(choice_dots_rows(analysed, model, labeler), TITLES, dark=dark())
    if plain_chart(chart, f"choice-{analysed.run.id}-{labeler}-{model}"):
        figure_menu(analysed.run.id, "choice", model=model, labeler=labeler)
    table = analysed.table("choice", labeler=labeler)
    st.dataframe(table, hide_index=True, key="choice-numbers", alt="Log odds of all, in numbers")


def _topics(analysed: Analysed, labeler: str) -> None:
    tests, told = topics_told(analysed, labeler)
    say(tests, "lead")
    for row in told:
        say(topic_sentence(row, analysed.labeler(labeler)))
    table = analysed.table("topics", labeler=labeler)
    if not table.empty:
        st.dataframe(table, hide_index=True, key="topic-numbers", alt="All cells in numbers")


def _shares(analysed: Analysed, labeler: str) -> None:
    who = analysed.labeler(labeler).labels
    for model in analysed.models:
        if shares := shares_of(analysed, model, labeler):
            say(share_sentence(shares, TITLES, analysed.used(model, labeler)["used"], who))
    table = analysed.table("importance", labeler=labeler)
    st.dataframe(table, hide_index=True, key="share-numbers", alt="All shares in numbers")


_FOLDED: dict[str, Callable[[Analysed, str], None]] = {
    "What does the choice reward, beside?": _choice,
    "Where does it differ?": _topics,
    "Which labels matter most?": _shares,
}
"""What is drawn when it is asked for."""
