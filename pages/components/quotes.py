"""Sentences to copy: every number of a run with its n and interval, and where it comes from."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ivan_core.workspace.quotes import Quote, quotes, source_line
from ivan_core.workspace.results import Results
from pages.components.text import say


def quotable(results: Results) -> None:
    """Draw the sentences when they are asked for; each has a button that copies it."""
    shown = st.expander("Sentences to copy", on_change="rerun", key="sentences")
    if not shown.open:
        return
    with shown:
        found, source = _quotes(results.run.id, results.run.done, results)
        say("What they rest on", "small", quiet=True)
        st.code(source, language=None, wrap_lines=True)
        questions = list(dict.fromkeys(quote.question for quote in found))
        asked = st.pills("Question", questions, default=questions[0], key="sentences-about")
        for quote in found:
            if quote.question == asked:
                st.code(f"{quote.sentence}\n{quote.command}", language=None, wrap_lines=True)


@st.cache_data(max_entries=8, show_spinner=False)
def _quotes(run_id: str, done: int, _results: Any) -> tuple[list[Quote], str]:
    return quotes(_results), source_line(_results)
