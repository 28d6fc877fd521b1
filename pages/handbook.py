"""Handbook: what the pages mean, how to do it elsewhere, and how IVAN is built."""

from __future__ import annotations

import streamlit as st

from ivan_core.docs import CHAPTERS, Picture, chapter
from pages.components.kit.frame import frame
from pages.components.kit.text import say

_CHAPTER = "chapter"
_WIDTH = 780
"""Pixels: about a hundred characters a line."""

_NARROW = """<style>.stMarkdown td { min-width: 7rem; }
.stMarkdown td code { overflow-wrap: anywhere; }</style>"""
"""Tables name long paths, which else are wider than a phone; a single word is not cut."""


def _turn() -> None:
    st.query_params[_CHAPTER] = st.session_state["handbook-chapter"]


def _pick() -> str:
    """The chapter in the URL, else the first; another is a press away."""
    asked = st.query_params.get(_CHAPTER, "")
    shown = asked if asked in CHAPTERS else CHAPTERS[0]
    st.session_state["handbook-chapter"] = shown
    st.segmented_control(
        "Chapter",
        CHAPTERS,
        format_func=lambda file: chapter(file).name,
        required=True,
        key="handbook-chapter",
        label_visibility="collapsed",
        on_change=_turn,
    )
    return shown


def _show(shown: str) -> None:
    for part in chapter(shown).parts(link=f"?{_CHAPTER}="):
        if isinstance(part, Picture):
            with st.container(border=True):
                st.image(part.path, alt=part.shows)
                say(part.shows, "small", quiet=True)
        else:
            st.markdown(part)


with frame("Handbook"):
    shown = _pick()
    st.html(_NARROW)
    with st.container(width=_WIDTH):
        _show(shown)
