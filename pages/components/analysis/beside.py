"""Beside what a model rewards, folded: what the choice rewards, where it differs, what matters."""

from __future__ import annotations

import streamlit as st

from ivan_core.charts.imprint import labeler_dots
from ivan_core.experiments.analysis.figures import TITLES, beside_title, labeled_rows
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.beside import (
    GAP_NEEDS,
    TEACHES,
    choice_sentence,
    found_sentence,
    share_sentence,
    taught_sentence,
    topic_sentence,
)
from ivan_core.metrics.imprint.choice import CHOICE
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import pick_model
from pages.components.kit.state import dark
from pages.components.kit.text import say

_MOST = 5
"""Topics that are told; the table has all."""


def beside_what_it_rewards(analysed: Analysed, labeler: str) -> None:
    """Folds, each begun by its sentences and ended by its table."""
    if found := found_sentence(analysed, labeler):
        with st.expander("What do its mistakes do? Beside authored labels", expanded=True):
            _authored(analysed, labeler, found)
    with st.expander("What does the choice reward, beside?"):
        _choice(analysed, labeler)
    with st.expander("Where does it differ?"):
        _topics(analysed, labeler)
    with st.expander("Which labels matter most?"):
        _shares(analysed, labeler)


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
    table = analysed.table("choice", labeler=labeler)
    model = pick_model(analysed.models, "choice-model")
    chosen = table[table["who"] == CHOICE].to_dict("records")
    ours = table[table["who"] == model].to_dict("records")
    for row, own in zip(chosen, ours, strict=True):
        if row["log_odds"] == row["log_odds"]:
            say(choice_sentence(row, own))
    say(GAP_NEEDS, "small", quiet=True)
    st.dataframe(table, hide_index=True, key="choice-numbers", alt="Log odds of all, in numbers")


def _topics(analysed: Analysed, labeler: str) -> None:
    table = analysed.table("topics", labeler=labeler)
    if table.empty:
        say("No topic or subset has ten pairs that differ in a feature, inside and outside.")
        return
    ranked = table.sort_values("q", kind="stable").head(_MOST)
    clear = int((table["q"] < 0.05).sum())
    tests = f"{len(table):,} cells were looked at, {clear:,} of them below a q of 0.05."
    say(tests, "lead")
    for row in ranked.to_dict("records"):
        say(topic_sentence(row))
    st.dataframe(table, hide_index=True, key="topic-numbers", alt="All cells in numbers")


def _shares(analysed: Analysed, labeler: str) -> None:
    table = analysed.table("importance", labeler=labeler)
    for model in analysed.models:
        shares = table[table["model"] == model].dropna(subset=["share"]).to_dict("records")
        if shares:
            say(share_sentence(shares, TITLES))
    st.dataframe(table, hide_index=True, key="share-numbers", alt="All shares in numbers")
