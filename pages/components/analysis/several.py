"""Several models and several labels at once, folded: where two models differ, and what two labels
add together."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ivan_core.charts.imprint import imprint_dots
from ivan_core.domain.words import short_names
from ivan_core.experiments.analysis.figures import TITLES, difference_title
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.rewards import effect_sentence
from ivan_core.experiments.analysis.sentences.several import (
    alike_sentence,
    difference_rows,
    interaction_sentences,
    two_models,
)
from ivan_core.experiments.analysis.views import behind
from ivan_core.metrics.imprint.effects import AS_PEOPLE
from pages.components.analysis.charts import effects_chart
from pages.components.analysis.chosen import chosen_effect, see_pairs
from pages.components.analysis.numbers import numbers_table
from pages.components.kit.figure import figure_menu
from pages.components.kit.results import one_of
from pages.components.kit.text import md_escape, say

_MOST = 3
"""Of any two models that many are told at once; the fold has all."""


def say_alike(analysed: Analysed, labeler: str) -> None:
    """Whether two models reward all labels alike, a sentence for each two."""
    for model, before in two_models(analysed)[:_MOST]:
        say(alike_sentence(analysed, model, before, labeler))


def where_models_differ(analysed: Analysed, labeler: str, view: str, control: str) -> None:
    """By how much two models reward each label differently, and the pairs behind a mark."""
    found = two_models(analysed)
    if not found:
        return
    folded = st.expander("Where do two models differ?", key="analysis-differ", on_change="rerun")
    if not folded.open:
        return
    with folded:
        model, before = _two(found, analysed.models)
        say(alike_sentence(analysed, model, before, labeler, control), "lead")
        rows = difference_rows(analysed, model, before, labeler, view, control)
        if not rows["estimate"].notna().any():
            return
        named = chosen_effect(rows.to_dict("records"), "model")
        for row in named:
            say(effect_sentence(row, analysed.labeler(labeler), in_time=False))
            if row["clear"] != AS_PEOPLE:
                see_pairs(analysed, row["model"], row["differs"], behind(labeler, row))
        name = f"differences-{labeler}-{model}-{before}-{view}-{control}"
        title = difference_title(model, before)
        if effects_chart(analysed, name, lambda dark: imprint_dots(rows, TITLES, title, dark=dark)):
            figure_menu(
                analysed.run.id,
                "differences",
                model=model,
                other=before,
                labeler=labeler,
                control=control,
                view=view,
            )
        numbers_table(analysed, rows, "differences-numbers", "Differences in numbers")


def _two(found: list[tuple[str, str]], models: Sequence[str]) -> tuple[str, str]:
    """The two models to look at: the only ones, or those chosen."""
    if len(found) == 1:
        return found[0]
    names = short_names(models)
    places = list(range(len(found)))
    told = [" less ".join(md_escape(names[one]) for one in two) for two in found]
    return found[one_of("Two models", places, "differences-of", named=told.__getitem__)]


def both_labels(analysed: Analysed, labeler: str, control: str) -> None:
    """What two labels add together, where somebody asked."""
    told = interaction_sentences(analysed, labeler, control)
    if not told:
        return
    with st.expander("What do both labels together add?", expanded=True):
        for sentence in told:
            say(sentence)
        table = analysed.table("interaction", labeler=labeler)
        table = table.assign(other=[TITLES.get(one, one) for one in table["other"]])
        alt = "What both labels together add, in numbers"
        numbers_table(analysed, table, "interaction-numbers", alt)
