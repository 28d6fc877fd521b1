"""Sentences to copy: every number of a run with its n and interval, and where it comes from."""

from __future__ import annotations

from typing import Protocol

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import handling as runs
from ivan_core.engine.take_away import take_away
from ivan_core.figures import figure as figures
from ivan_core.figures.picks import Quote
from pages.components.kit.text import say


class _Results(Protocol):
    """The results of a run of any kind."""

    @property
    def run(self) -> Run: ...


def quotable(results: _Results) -> None:
    """Draw the sentences when they are asked for; each has a button that copies it."""
    shown = st.expander("Sentences to copy", on_change="rerun", key="sentences")
    if not shown.open:
        return
    with shown:
        # Sentences about two labelers change when another labelling ends.
        finished = runs.registry().count(states=(RunState.DONE,))
        found, source = _quotes(results.run.id, figures.stamp(results.run.id), finished)
        say("What they rest on", "small", quiet=True)
        st.code(source, language=None, wrap_lines=True)
        questions = list(dict.fromkeys(quote.question for quote in found))
        asked = st.pills("Question", questions, default=questions[0], key="sentences-about")
        for quote in found:
            if quote.question == asked:
                st.code(f"{quote.sentence}\n{quote.command}", language=None, wrap_lines=True)


@st.cache_data(max_entries=8, show_spinner=False)
def _quotes(run_id: str, stamp: object, finished: int) -> tuple[list[Quote], str]:
    given = take_away(run_id)
    return given.quotes(run_id), given.source(run_id)
