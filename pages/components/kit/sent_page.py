"""A finished run as one page to send, made at the press."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine.kind import known
from pages.components.public.pace import paced

_TOLD = "One HTML file: sentences, charts, the table behind each, and how the run was made."


def page_to_send(run: Run, key: str, *, texts: bool = False) -> None:
    """A button that makes it; nothing where a run is not finished or tells nothing."""
    if run.state is not RunState.DONE or known(run).figures is None:
        return
    st.download_button(
        "One page with a few texts" if texts else "One page to send",
        paced(partial(_made, run.id, texts)),
        f"{run.id}{'-with-texts' if texts else ''}.html",
        key=f"{key}-{texts}",
        help=_TOLD,
        on_click="ignore",
    )


def _made(run_id: str, texts: bool) -> bytes:
    # What makes it is loaded at the press: few ask for it.
    from ivan_core.report.page import report

    return report(run_id, texts=texts).encode("utf-8", "replace")
