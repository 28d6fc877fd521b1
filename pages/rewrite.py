"""Rewrite: what moves when texts are reworded although their meaning did not?"""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.rewrite import words as rewrite_words
from ivan_core.experiments.rewrite.results import open_rewrite
from pages.components.kit.frame import frame
from pages.components.kit.live import live, stopped
from pages.components.kit.state import REWRITE, choose_run, chosen_row, chosen_run
from pages.components.kit.text import md_escape, say
from pages.components.labels.steps import tell
from pages.components.rewrite.form import rewrite_form
from pages.components.rewrite.live import PANEL
from pages.components.rewrite.results import rewrite_results
from pages.components.rewrite.rows import one_row

_RECENT = 8


def _heading(run: Run | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("Rewrite", anchor=False)
        if run is not None and st.button("New rewording", key="new"):
            choose_run(None, REWRITE)
            st.rerun()
    if run is not None:
        say(f"{runs.about(run)} | run {run.id}", "small", quiet=True)


def _new() -> None:
    say(
        "Texts are reworded a little, so that they still mean the same. Do the reward models "
        "still prefer the same reply?",
        "lead",
    )
    rewrite_form()
    found = runs.every("rewrite")[:_RECENT]
    if found:
        st.subheader("Earlier rewordings", anchor=False)
    for run in found:
        label = f":primary[{md_escape(runs.about(run))}]"
        st.page_link(REWRITE, label=label, query_params={"run": run.id})
        say(f"{run.label}: {run.state}", "small", quiet=True)


with frame("Rewrite"):
    run_id = chosen_run(REWRITE)
    run = runs.get(run_id) if run_id else None
    row = chosen_row()
    _heading(run)
    tell()
    if run is None:
        _new()
    elif run.state.live:
        live(run.id, PANEL)
    else:
        if run.state.resumable:
            stopped(run, rewrite_words.stopped_at(run))
        if run.done or run.state is RunState.DONE:
            results = open_rewrite(run.id)
            if row is None:
                rewrite_results(results)
            else:
                one_row(results, row)
