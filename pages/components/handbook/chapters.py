"""One chapter of the handbook: its text, its pictures as the theme has them, and ways to pages."""

from __future__ import annotations

import streamlit as st

from ivan_core.datasets.sources import SAMPLE
from ivan_core.docs import CHAPTERS, PageLink, Picture, chapter
from ivan_core.domain.runs import RunState
from ivan_core.engine import studies
from pages.components.kit.state import COMPARE, PAIRS, dark, page_of
from pages.components.kit.text import say

CHAPTER = "chapter"
_KEY = "handbook-chapter"


def pick() -> str:
    """The chapter in the URL, else the first; another is a press away."""
    asked = st.query_params.get(CHAPTER, "")
    shown = asked if asked in CHAPTERS else CHAPTERS[0]
    st.session_state[_KEY] = shown
    st.segmented_control(
        "Chapter",
        CHAPTERS,
        format_func=lambda file: chapter(file).name,
        required=True,
        key=_KEY,
        label_visibility="collapsed",
        on_change=_turn,
    )
    return shown


def _turn() -> None:
    st.query_params[CHAPTER] = st.session_state[_KEY]


def show(file: str) -> None:
    """Draw a chapter from its beginning to its end."""
    for part in chapter(file).parts(link=f"?{CHAPTER}="):
        if isinstance(part, Picture):
            with st.container(border=True):
                st.image(part.dark if dark() else part.path, alt=part.shows)
                say(part.shows, "small", quiet=True)
        elif isinstance(part, PageLink):
            query = {**_run_of_sample(part.file), **part.query}
            st.page_link(part.file, label=f":primary[{part.label} →]", query_params=query)
        elif part.strip():
            st.markdown(part)


def _run_of_sample(page: str) -> dict[str, str]:
    """The newest finished run on the bundled pairs that a page shows: on all of them, if any is."""
    shown = COMPARE if page == PAIRS else page
    found = [one for one in studies.abouts() if one.spec.dataset.source == SAMPLE]
    for about in sorted(found, key=lambda one: -one.rows):
        for run in studies.runs_of(about.id):
            if run.state is RunState.DONE and page_of(run) == shown:
                return {"run": run.id}
    return {}
