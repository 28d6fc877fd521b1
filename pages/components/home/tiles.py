"""The stages of a study as tiles: how far each is, its number, and the button that comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import handling as runs, studies
from ivan_core.engine.kind import experiments, known
from ivan_core.engine.plan import Proposal
from ivan_core.engine.studies import About, Stage, Study
from ivan_core.engine.whole_study import Left, cancel_all, do_all, left_of
from pages.components.kit.frame import tell_refusal
from pages.components.kit.live import bar, doing, time_left
from pages.components.kit.redrawn import redrawn
from pages.components.kit.state import REVIEW, kindly, page_file, page_of
from pages.components.kit.study import STUDY
from pages.components.kit.tab import tell_progress
from pages.components.kit.text import md_escape
from pages.components.public.reading import only_reads

_STYLE = """<style>
.st-key-tiles { display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fit, minmax(min(10rem, 46%), 1fr)); }
.st-key-tiles > div { height: 100%; width: auto; }
.st-key-tiles [data-testid=stPageLink] a { padding-left: 0; }
.ivan-tile { line-height: 1.35; overflow-wrap: anywhere; }
.ivan-tile b { font-weight: 600; }
.ivan-tile span { display: block; font-size: 1.5rem; font-weight: 600; }
.ivan-tile small { font-size: .85rem; opacity: .72; }
</style>"""


@dataclass(frozen=True, slots=True)
class _Tile:
    """One stage with its runs, newest first."""

    stage: Stage
    runs: tuple[Run, ...]

    @property
    def live(self) -> Run | None:
        return next((run for run in self.runs if run.state.live), None)

    @property
    def newest(self) -> Run | None:
        """The run to see: the newest finished one, of all rows if there is one, else the newest."""
        done = studies.whole_first(run for run in self.runs if run.state is RunState.DONE)
        return next(iter([*done, *self.runs]), None)


def stages(about: About, own: Sequence[Run]) -> None:
    """The tiles of a study with its runs, drawn again every second while one of them is at work."""
    st.html(_STYLE)
    at_work = _at_work(own)
    left = left_of(about.spec, own)
    tell_refusal()
    redrawn(_draw, every=1.0 if at_work else None)(about, at_work, left)


def _at_work(found: Sequence[Run]) -> dict[str, RunState]:
    """The states of the runs that are at work, or about to be."""
    return {run.id: run.state for run in found if run.state.live}


def _draw(about: About, at_work: Mapping[str, RunState], left: Left) -> None:
    found = studies.runs_of(about.id)
    if _at_work(found) != at_work:
        st.rerun()
    study = studies.with_runs(about, found)
    _tell_tab(found)
    with st.container(key="tiles"):
        for stage in study.stages:
            own = tuple(run for run in found if known(run).stage == stage.name)
            with st.container(border=True, height="stretch", key=f"tile-{stage.name}"):
                _tile(study, _Tile(stage, own), left.of(stage.name))
    if not only_reads():
        whole_study(study, at_work, left)


def _tell_tab(found: Sequence[Run]) -> None:
    """Say in the browser's tab how far the study's run is; of several, the one that has begun."""
    live = [run for run in found if run.state.live]
    run = next((run for run in live if 0 < run.done < run.total), next(iter(live), None))
    if run is not None:
        tell_progress(run.done, run.total, known(run).stage)


def _tile(study: Study, tile: _Tile, step: Proposal | None) -> None:
    live = tile.live
    if live is not None:
        _say(tile.stage.name, _far(live), _at(live))
        bar(live.done, live.total)
        if not only_reads():
            st.button("Cancel", key=f"cancel-{live.id}", on_click=kindly(_stop), args=(live.id,))
        return
    _say(tile.stage.name, *_standing(tile))
    _button(study, tile, step)


def whole_study(study: Study, at_work: Mapping[str, RunState], left: Left) -> None:
    """Do all that is left, one after the other; while several are at work, cancel them all."""
    if len(at_work) > 1:
        st.button("Cancel all", key="cancel-all", on_click=kindly(cancel_all), args=(study,))
    elif len(left.steps) > 1 and not at_work:
        begun = bool(study.runs)
        st.button(
            f"Do the {'rest of the' if begun else 'whole'} study{takes_words(left)}",
            key="do-all",
            help=what_is_done(left),
            on_click=kindly(do_all),
            args=(study,),
        )


def takes_words(left: Left) -> str:
    """How long all of it takes, to stand behind what it is; nothing where nobody knows."""
    return f", {left.takes.words}" if left.takes else ""


def what_is_done(left: Left) -> str:
    """What doing all does, one after the other."""
    steps = ", ".join(f"{step.does} ({step.terms})" for step in left.steps)
    last = "".join(f"; then {one}" for one in left.then)
    return md_escape(
        f"One after the other: {steps}{last}. Each can be cancelled and resumed. Nothing is sent or"
        " paid."
    )


def _say(name: str, number: str, below: str) -> None:
    st.html(
        f'<div class="ivan-tile"><b>{escape(name)}</b><span>{escape(number)}</span>'
        f"<small>{escape(below)}</small></div>"
    )


def _far(run: Run) -> str:
    return f"{min(100 * run.done // run.total, 100)}%" if run.total else "…"


def _at(run: Run) -> str:
    if run.state is RunState.QUEUED and not run.doing:
        return "waits for its turn"
    return " · ".join([doing(run), *time_left(run)])


def _stop(run_id: str) -> None:
    if runs.get(run_id).state.live:
        runs.stop(run_id)


def _standing(tile: _Tile) -> tuple[str, str]:
    """The number of a stage, and what it counts."""
    stage, newest, did = tile.stage, tile.newest, _did(tile.stage)
    if stage.done is None:
        return "–", did if newest is None else str(newest.state)
    if stage.finished and stage.reworded is not None:
        return f"{stage.reworded:,}", f"of {stage.total:,} {did}"
    if stage.finished:
        return f"{stage.done:,}", did
    state = f", {newest.state}" if newest is not None else ""
    return f"{stage.done:,}", f"of {stage.total:,} {did}{state}"


def _did(stage: Stage) -> str:
    """What is counted in a stage, as in "pairs judged"."""
    own = (kind.did for kind in experiments() if kind.stage == stage.name)
    return next(
        filter(None, own), "items answered by rules" if stage.by_rules else "items answered"
    )


def _button(study: Study, tile: _Tile, step: Proposal | None) -> None:
    """What comes next in a stage: see it, go on with it, or begin it."""
    stage, newest, key = tile.stage, tile.newest, f"begin-{tile.stage.name}"
    if newest is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if newest.state.resumable and not only_reads():
                st.button("Resume", key=key, on_click=kindly(runs.resume), args=(newest.id,))
            query = {"run": newest.id}
            st.page_link(page_of(newest), label=":primary[See it →]", query_params=query)
    elif step is not None and not only_reads():
        takes = f", {step.takes.words}" if step.takes else ""
        label = md_escape(f"{step.does}{takes}")
        st.button(label, key=key, help=_why(step), on_click=kindly(_begin), args=(step.spec,))
    else:
        page = next((kind.page for kind in experiments() if kind.stage == stage.name), "")
        label = "Begin" if page else "Ask people" if stage.done is None else "See it"
        where = page_file(page) if page else REVIEW
        st.page_link(where, label=f":primary[{label} →]", query_params={STUDY: study.id})


def _begin(spec: RowsSpec) -> None:
    runs.start(spec)


def _why(step: Proposal) -> str:
    return md_escape(f"{step.why} By {step.by}, here and free.")
