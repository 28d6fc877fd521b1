"""The run of a page and those before it: the title, the button for a new one, links to earlier."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from ivan_core.domain.runs import Run
from pages.components.kit.state import choose_run, page_of
from pages.components.kit.text import md_escape, say


def title(page: str, named: str, new: str, run: Run | None) -> None:
    """The title of a page of one experiment; beside a run, the button that leaves it for `new`."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title(named, anchor=False)
        if run is not None and st.button(new, key="new"):
            choose_run(None, page)
            st.rerun()


def list_of_runs(
    heading: str,
    found: Sequence[Run],
    named: Callable[[Run], str],
    below: Callable[[Run], str] | None = None,
) -> None:
    """Links to runs, each by its name and with a line below it; nothing where there are none."""
    if not found:
        return
    st.subheader(heading, anchor=False)
    for run in found:
        label = f":primary[{md_escape(named(run))}]"
        st.page_link(page_of(run), label=label, query_params={"run": run.id})
        if below is not None:
            say(below(run), "small", quiet=True)
