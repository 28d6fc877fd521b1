"""Sentences to copy: every number of a run with its n and interval, and where it comes from."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.runs import RunState
from ivan_core.engine import figures, handling as runs
from ivan_core.figures.sentences import Quote
from pages.components.kit.text import say


def quotable(run_id: str, key: str = "sentences") -> None:
    """Draw the sentences of a run when they are asked for; each has a button that copies it."""
    shown = st.expander("Sentences to copy", on_change="rerun", key=key)
    if not shown.open:
        return
    with shown:
        # Sentences about two labelers change when another labelling ends.
        finished = runs.registry().count(states=(RunState.DONE,))
        found, source = _quotes(run_id, figures.stamp(run_id), finished)
        say("What they rest on", "small", quiet=True)
        st.code(source, language=None, wrap_lines=True)
        questions = list(dict.fromkeys(quote.question for quote in found))
        if not questions:
            return
        asked = st.pills("Question", questions, default=questions[0], key=f"{key}-about")
        for quote in found:
            if quote.question == asked:
                st.code(f"{quote.sentence}\n{quote.command}", language=None, wrap_lines=True)


@st.cache_data(max_entries=8, show_spinner=False)
def _quotes(run_id: str, stamp: object, finished: int) -> tuple[list[Quote], str]:
    return figures.quotes(run_id), figures.source_line(run_id)
