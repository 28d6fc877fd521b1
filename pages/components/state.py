"""What the browser remembers: run and row in the URL, so that others see the same."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.errors import BadInput
from ivan_core.workspace import runs


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
    """What a link must carry to show the same run."""
    run_id = st.query_params.get("run") or st.session_state.get("run")
    return {"run": run_id} if run_id and _exists(run_id) else None


def latest_done() -> str | None:
    """The newest finished run, for a page opened without one."""
    return next((run.id for run in runs.every() if run.state == "done"), None)


def dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"
