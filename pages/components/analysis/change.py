"""What did training change? Two models on the same pairs, one before the other."""

from __future__ import annotations

from itertools import permutations

import streamlit as st

from ivan_core.charts.imprint import imprint_dots
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.conditions import PREFERS_WORDS
from ivan_core.experiments.analysis.figures import TITLES, change_rows, change_title
from ivan_core.experiments.analysis.here import left_behind
from ivan_core.experiments.analysis.numbers import net_change
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.change import (
    REGIME_NAMES,
    net_sentences,
    regime_sentence,
    seen_sentences,
    shift_sentence,
    trained_sentence,
)
from ivan_core.experiments.analysis.sentences.noise import labeler_sentence
from ivan_core.experiments.analysis.sentences.rewards import effect_sentence
from ivan_core.experiments.analysis.views import behind, of_regime, of_training
from ivan_core.figures.words import FOR_THE_PAPER
from pages.components.analysis.charts import effects_chart
from pages.components.analysis.chosen import (
    chosen_effect,
    labeler_of_page,
    pairs_link,
    see_pairs,
    view_and_control,
)
from pages.components.analysis.numbers import numbers_table
from pages.components.kit.figure import figure_menu
from pages.components.kit.state import ANALYSIS, choose_run
from pages.components.kit.text import md_escape, say
from pages.components.public.reading import only_reads

_MOST = 3
"""Models of which any two are offered."""
_APART = {"seen": "it was trained on", "unseen": "it had not seen"}
_CIRCULAR = (
    "Regimes are made from the same margins as the shift: means by regime describe, they test"
    " nothing."
)


def what_training_changed(analysed: Analysed) -> None:
    """Say how margins and verdicts moved from one model to the other, and feature by feature."""
    if "shift" not in analysed.tables:
        _two_to_name(analysed)
        return
    labeler = labeler_of_page(analysed)
    say(shift_sentence(analysed, labeler), "headline")
    say(regime_sentence(analysed, labeler))
    for told in net_sentences(analysed, net_change(analysed)):
        say(told, "small")
    _seen_and_unseen(analysed, labeler)
    say(trained_sentence(analysed), "small", quiet=True)
    say(labeler_sentence(analysed, analysed.labeler(labeler)), "small", quiet=True)
    view, control = view_and_control(analysed, "change")
    effects = change_rows(analysed, labeler, view, control)
    left, right = st.columns([3, 2], gap="large")
    with left:
        name, title = f"change-{labeler}-{view}-{control}", change_title(analysed, labeler)
        if effects_chart(
            analysed, name, lambda dark: imprint_dots(effects, TITLES, title, dark=dark)
        ):
            figure_menu(analysed.run.id, "change", labeler=labeler, control=control, view=view)
    with right:
        named = chosen_effect(effects.to_dict("records"), "model")
        if named:
            say(TITLES.get(named[0]["feature"], named[0]["feature"]), "lead")
            say(effect_sentence(named[0], analysed.labeler(labeler)))
            shown = named[0]
            see_pairs(analysed, shown["model"], shown["differs"], behind(labeler, shown))
    _regimes(analysed, labeler)
    with st.expander(FOR_THE_PAPER):
        say(_CIRCULAR, "small")
        for table in ("regimes", "shift"):
            shown = analysed.table(table, labeler=labeler)
            numbers_table(analysed, shown, f"{table}-numbers", f"Table of {table}")


def _seen_and_unseen(analysed: Analysed, labeler: str) -> None:
    """The shift of pairs that the later model was trained on, and of the others."""
    for told in seen_sentences(analysed, labeler):
        say(told, "small")
    rows = analysed.table("shift", labeler=labeler, by="seen").to_dict("records")
    if sum(row["pairs"] > 0 for row in rows) < len(_APART):
        return
    with st.container(horizontal=True):
        for row in rows:
            label = f"{number_of(int(row['pairs']), 'pair')} {_APART[row['value']]}"
            pairs_link(analysed, label, *of_training(row))


def _regimes(analysed: Analysed, labeler: str) -> None:
    """The counts of pairs before and after, by what the labels prefer; each opens its pairs."""
    say("Before and after, by which reply the labels prefer", "lead")
    say(f"{analysed.labeler(labeler).sentence} A count opens its pairs.", "small", quiet=True)
    table = analysed.table("regimes", labeler=labeler)
    for regime, name in REGIME_NAMES.items():
        rows = table[table["regime"] == regime].to_dict("records")
        with st.container(horizontal=True, vertical_alignment="center", key=f"regime-{regime}"):
            say(f"{name}: {sum(row['pairs'] for row in rows):,}", "body", width="content")
            for row in rows:
                if row["pairs"]:
                    label = f"{row['pairs']:,} {PREFERS_WORDS[row['labeler_prefers']]}"
                    pairs_link(analysed, label, *of_regime(row))


def _two_to_name(analysed: Analysed) -> None:
    """What is missing, and the buttons that get it: which of two models was before training."""
    if len(analysed.models) < 2:
        say("This analysis has one model. Judge these pairs with the model before training, too.")
        return
    if only_reads() or left_behind(analysed.spec):
        say("No card says that one of these models is the other after training.")
        return
    say(
        "No card says that one of these models is the other after training, so this analysis says"
        " nothing of it. Name the two:"
    )
    with st.container(horizontal=True):
        for before, after in permutations(analysed.models[:_MOST], 2):
            label = md_escape(f"{before} before, {after} after")
            if st.button(label, key=f"change-{before}-{after}"):
                named = {"before": before, "after": after}
                run_id, _ = runs.start(analysed.spec.model_copy(update=named))
                choose_run(run_id, ANALYSIS)
                st.rerun()
