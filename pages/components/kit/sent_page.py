"""A finished run, a study, reviews or a ranking of words as one page to send, made at the press."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine.kind import known
from ivan_core.engine.studies import STUDY, About
from pages.components.public.pace import FILE, MANY_CHARTS, paced

_TOLD = "One HTML file: sentences, charts, the table behind each, and how the run was made."
_TOLD_OF_STUDY = (
    "One HTML file: what each experiment of this study says, its charts, the table behind each, "
    "and how its run was made."
)
_TOLD_OF_NO_RUN = "One HTML file: sentences, charts and the table behind each. It names no person."


def page_to_send(run: Run, key: str, *, texts: bool = False) -> None:
    """A button that makes it; nothing where a run is not finished or tells nothing."""
    if run.state is not RunState.DONE or known(run).figures is None:
        return
    _button(run.id, key, _TOLD, texts)


def study_to_send(about: About, key: str) -> None:
    """A button that makes the page of a study, of which a run is finished."""
    _button(f"{STUDY}{about.id}", key, _TOLD_OF_STUDY, cost=MANY_CHARTS)


def told_to_send(named: str, key: str) -> None:
    """A button that makes the page of what belongs to no run, by what its figures are asked as."""
    _button(named, key, _TOLD_OF_NO_RUN)


def _button(named: str, key: str, told: str, texts: bool = False, cost: float = FILE) -> None:
    st.download_button(
        "One page with a few texts" if texts else "One page to send",
        paced(partial(_made, named, texts), cost),
        f"{named}{'-with-texts' if texts else ''}.html",
        key=f"{key}-{texts}",
        help=told,
        on_click="ignore",
    )


def _made(named: str, texts: bool) -> bytes:
    # What makes it is loaded at the press: few ask for it.
    from ivan_core.report.page import report

    return report(named, texts=texts).encode("utf-8", "replace")
