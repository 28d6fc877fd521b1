"""Home of a study: its stages, what was found in it, and its runs."""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import partial

import streamlit as st

from ivan_core.datasets.sources import SAMPLE
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import experiments, known
from ivan_core.engine.studies import About
from ivan_core.metrics.models.sentences import named
from pages.components.home.found import found_in
from pages.components.home.tiles import stages
from pages.components.home.tour import show_me
from pages.components.kit.frame import list_of_runs, problems_shown
from pages.components.kit.sent_page import study_to_send
from pages.components.kit.state import page_of
from pages.components.kit.text import md_escape, say
from pages.components.study.own_pairs import show_found

_RECENT = 5


def study_panel(about: About, own: Sequence[Run]) -> None:
    """The stages of a study with its runs, and what was found in it; its first pair while nothing
    was."""
    pairs = number_of(about.rows, "pair")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title(md_escape(f"What do {pairs} of {about.dataset} show?"), anchor=False)
        if about.spec.dataset.source == SAMPLE:
            show_me()
    with problems_shown():  # a team's database may be away
        stages(about, own)
    with problems_shown():
        done = [run for run in own if run.state is RunState.DONE]
        if done:
            found_in(done)
            study_to_send(about, "study-page")
        else:
            show_found(about.spec.dataset, lambda _, __: None)


def texts_lost() -> None:
    """Where runs are finished and none belongs to a study: say why, as their results do."""
    for kind in experiments():
        for run in runs.newest_done(kind.name):
            if kind.open is not None:
                with problems_shown():
                    kind.open(run.id)
                return


def begun_elsewhere() -> None:
    """Runs that are at work and belong to no study yet, since their dataset is still read."""
    for run in runs.live_experiments()[:1]:
        say("A run is at work.", "lead")
        st.page_link(page_of(run), label=":primary[Watch it →]", query_params={"run": run.id})


def recent_runs(own: Sequence[Run]) -> None:
    """The newest runs, those of the study before others."""
    newest = own[:_RECENT]
    known_here = {run.id for run in newest}
    others = [run for run in runs.experiments(_RECENT) if run.id not in known_here]
    named = partial(_name, known_here)
    list_of_runs("Recent runs", [*newest, *others][:_RECENT], named)


def _name(own: Set[str], run: Run) -> str:
    """As in "Comparison, ivan/minilm-control: done", with the dataset of those of other studies."""
    told = runs.about(run)
    what = (known(run).listed or "run").capitalize()
    who = told.rpartition(" | ")[2] if run.id in own else told.replace(" | ", ", ")
    models = named(who.split(", "))
    called = f"{what}, {models}"
    return f"{run.name or called}: {run.state}"
