"""A model that the Ollama server lacks: one button downloads it, with a bar."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.experiments.labels import plan as labels
from pages.components.kit.text import md_escape, say
from pages.components.labels.steps import keep_problem, keep_told


def pull_button(model: str, forget: Callable[[], None]) -> None:
    """Offer to pull a model; `forget` drops what was known of the server's models."""
    say(f"The Ollama server does not have {model} yet.", "lead")
    say(
        "Pulling downloads it to that server, often several gigabytes. This page has to stay "
        "open; what has come is kept if it stops.",
        "small",
        quiet=True,
    )
    if st.button(f"Pull {md_escape(model)}", type="primary", key="pull"):
        pull(model)
        forget()
        st.rerun()


def pull(model: str) -> None:
    """Pull a model and show how far it is; keeps what came of it for the next drawing."""
    bar, word = st.progress(0.0), st.empty()

    def show(done: int, total: int, step: str) -> None:
        bar.progress(min(done / total, 1.0) if total else 0.0)
        size = f": {done / 1e9:.2f} of {total / 1e9:.2f} GB" if total else ""
        with word:
            say(f"{step}{size}", "small", quiet=True)

    try:
        labels.pull(model, show)
    except IvanError as error:
        keep_problem(error)
    else:
        keep_told(f"{model} is there.", "It can label now.")
