"""Saying that nobody real answers, where a demo server stands in for a provider or for Ollama."""

from __future__ import annotations

import streamlit as st

from ivan_core.models import servers
from pages.components.kit.text import say


def demo_banner(base_url: str = "") -> None:
    """Say it where nobody real answers."""
    who = servers.provider(base_url)
    if who.demo:
        pretended(
            f"The demo server answers at {who.host}: nothing is paid.",
            "It pretends to be OpenAI and answers by rules. Costs are shown as the real provider "
            "would charge them.",
        )


def pretended(sentence: str, more: str) -> None:
    """A box with a sentence and what it means."""
    with st.container(border=True, key="demo"):
        say(sentence, "lead")
        say(more, "small", quiet=True)
