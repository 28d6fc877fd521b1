"""A finished analysis: one question at a time, its answer first, then one chart, then the rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from ivan_core.experiments.analysis.results import Analysed
from pages.components.analysis.rewards import what_it_rewards
from pages.components.kit.results import file_buttons, one_question, quotable
from pages.components.kit.text import say


def analysis(analysed: Analysed) -> None:
    """Draw what a finished analysis found."""
    if note := analysed.dataset.about["note"]:
        say(note, "small", quiet=True)
    tabs: dict[str, Callable[[], None]] = {
        "What does it reward?": partial(what_it_rewards, analysed)
    }
    one_question(tabs, "analysis-view")
    quotable(analysed.run.id)
    with st.expander("Files"):
        file_buttons({path.name: path for path in analysed.files}, "analysis-file")
