"""What the last press came to, kept for the page that is drawn next and told there once."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.errors import IvanError
from pages.components.kit.text import say

_NEWS = "label-told"


def keep_news(message: str, hint: str = "") -> None:
    """Keep what a press came to."""
    st.session_state[_NEWS] = (message, hint)


def keep_problem(error: IvanError) -> None:
    """Keep why a press was refused."""
    keep_news(error.message, error.hint)


def tell_news() -> None:
    """Say once what the last press came to."""
    message, hint = st.session_state.pop(_NEWS, ("", ""))
    if message:
        with st.container(border=True, key="told"):
            say(message, "lead")
            if hint:
                say(hint, quiet=True)
