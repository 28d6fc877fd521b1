"""A finished analysis: one question at a time, its answer first, then one chart, then the rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from ivan_core.experiments.analysis.here import not_here
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.breaks import BREAKS
from ivan_core.experiments.analysis.sentences.looks import SECOND_LOOK
from ivan_core.experiments.analysis.sentences.words import AGAINST, CHANGED, WHAT_FOR
from pages.components.analysis.against import where_against_people
from pages.components.analysis.breaks import what_breaks_it
from pages.components.analysis.change import what_training_changed
from pages.components.analysis.for_others import files_for_others
from pages.components.analysis.picked import of_all_pairs
from pages.components.analysis.published import as_published
from pages.components.analysis.rewards import what_it_rewards
from pages.components.analysis.second_look import worth_a_second_look
from pages.components.kit.results import files_and_settings, fold, one_question, quotable
from pages.components.kit.sent_page import page_to_send
from pages.components.kit.state import RUNS
from pages.components.kit.text import say

_TABS: dict[str, Callable[[Analysed], None]] = {
    WHAT_FOR: what_it_rewards,
    AGAINST: where_against_people,
    CHANGED: what_training_changed,
    BREAKS: what_breaks_it,
    SECOND_LOOK: worth_a_second_look,
}


def analysis(analysed: Analysed) -> None:
    """Draw what a finished analysis found."""
    if note := analysed.dataset.about["note"]:
        say(note, "small", quiet=True)
    if gone := not_here(analysed):
        say(gone)
        st.page_link(RUNS, label=":primary[Import runs →]")
    tabs = {question: partial(_question, question, analysed) for question in _TABS}
    one_question(tabs, "analysis-view")
    as_published(analysed)
    quotable(analysed.run.id)
    files_and_settings(analysed.spec.command_line, analysed.files, analysed.manifest)
    fold("Files for other tools", "files-for-others", partial(files_for_others, analysed))
    page_to_send(analysed.run, "analysis-page")


def _question(question: str, analysed: Analysed) -> None:
    """One question; those that no condition narrows say so."""
    if question not in (WHAT_FOR, AGAINST):
        of_all_pairs()
    _TABS[question](analysed)
