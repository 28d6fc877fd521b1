"""The models of the Ollama server; one that it lacks is downloaded by one button, with a bar."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.experiments.labels import plan as labels
from ivan_core.models import servers
from pages.components.kit.news import keep_news, keep_problem
from pages.components.kit.text import md_escape, say


def ollama_models() -> servers.OllamaModels:
    """The models of the Ollama server, asked for every few seconds at most."""
    return _models(servers.ollama_address())


@st.cache_data(ttl=4.0, max_entries=8, show_spinner=False)
def _models(address: str) -> servers.OllamaModels:
    return servers.ollama_models()


def pull_button(model: str, then: str) -> None:
    """Offer to pull a model; `then` says what it can do once it is there."""
    say(f"The Ollama server does not have {model} yet.", "lead")
    say(
        "Pulling downloads it to that server, often several gigabytes. This page has to stay "
        "open; what has come is kept if it stops.",
        "small",
        quiet=True,
    )
    if st.button(f"Pull {md_escape(model)}", type="primary", key="pull"):
        _pull(model, then)
        _models.clear()
        st.rerun()


def _pull(model: str, then: str) -> None:
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
        keep_news(f"{model} is there.", then)
