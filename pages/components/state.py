"""What the browser remembers: run and row in the URL, so that others see the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.workspace import runs

_Given = ParamSpec("_Given")


def chosen_run() -> str | None:
    """The run in the URL, else the one last looked at in this session.

    Raises:
        BadInput: there is no such run; the session then looks at none.
    """
    run_id = st.query_params.get("run") or st.session_state.get("run")
    if not run_id:
        return None
    if not _exists(run_id):
        st.session_state.pop("run", None)
        raise BadInput(f"There is no run {run_id!r} here.", "The page Runs lists those there are.")
    choose_run(run_id)
    return str(run_id)


def _exists(run_id: str) -> bool:
    try:
        runs.get(run_id)
    except BadInput:
        return False
    return True


def choose_run(run_id: str | None) -> None:
    """Look at a run from now on (None: at no run)."""
    if run_id is None:
        st.session_state.pop("run", None)
        st.query_params.clear()
        return
    st.session_state["run"] = run_id
    if st.query_params.get("run") != run_id:
        st.query_params["run"] = run_id


def chosen_row() -> int | None:
    """The row in the URL; None if there is none or it is no number."""
    text = st.query_params.get("row", "")
    return int(text) if text.isdecimal() and len(text) < 12 else None


def link_parameters() -> dict[str, str] | None:
    """What a link must carry to show the same run, with the rows last looked at."""
    run_id = st.query_params.get("run") or st.session_state.get("run")
    if not run_id or not _exists(run_id):
        return None
    return {"run": run_id, **kept_filter(run_id)}


def keep_filter(run_id: str, query: dict[str, str]) -> None:
    """Remember the filter of a run, in words of a URL, for links that lead back to it."""
    st.session_state["filter"] = (run_id, query)


def kept_filter(run_id: str) -> dict[str, str]:
    """The filter last looked at, if it was of this run."""
    of, query = st.session_state.get("filter", ("", {}))
    return dict(query) if of == run_id else {}


def kindly(action: Callable[_Given, None]) -> Callable[_Given, None]:
    """Keep the problem of a press for the page: nobody would catch it there, before the page."""

    @wraps(action)
    def attempt(*args: _Given.args, **kwargs: _Given.kwargs) -> None:
        try:
            action(*args, **kwargs)
        except IvanError as error:
            st.session_state["problem-of-press"] = error

    return attempt


def problem_of_press() -> IvanError | None:
    """The problem of the last press, told once."""
    problem: IvanError | None = st.session_state.pop("problem-of-press", None)
    return problem


def latest_done() -> str | None:
    """The newest finished run, for a page opened without one."""
    return next((run.id for run in runs.every() if run.state == "done"), None)


def dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"
