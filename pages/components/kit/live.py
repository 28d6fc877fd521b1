"""A run at work, alike for every experiment: progress, time left, Cancel; and one that stopped.

What has been found so far is the experiment's own: it hands over how to draw it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from ivan_core.domain.engine_choice import LOCAL
from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import handling as runs
from pages.components.kit.press import in_browser
from pages.components.kit.redrawn import redrawn
from pages.components.kit.tab import tell_progress
from pages.components.kit.text import say, say_with_hint
from pages.components.public.reading import only_reads


@dataclass(frozen=True, slots=True)
class Panel:
    """What an experiment says and draws of its run at work."""

    headline: Callable[[Run], str]
    """What is being done; empty where nothing is known of it yet."""
    standing: Callable[[Run], Sequence[str]]
    """How far it is, in pieces of one line, without the time left."""
    so_far: Callable[[Run], None]
    """Draws its notes and its numbers so far."""


def live(run_id: str, panel: Panel) -> None:
    """Draw a run at work, again every second until it ends; then the whole page once."""

    def draw(run: Run) -> None:
        headline = panel.headline(run)
        if headline:
            say(headline, "headline")
        bar_and_tab(run.done, run.total)
        say(_standing(run, panel))
        say_silence(run)
        cancel_button(run.id, "cancel", "What is finished is kept; you can resume later.")
        panel.so_far(run)

    while_live(run_id, draw)


def while_live(run_id: str, draw: Callable[[Run], None], every: float = 1.0) -> None:
    """Draw a run, again after so many seconds, until it ends; then the whole page once."""
    redrawn(_again, every)(run_id, draw)


def _again(run_id: str, draw: Callable[[Run], None]) -> None:
    run = runs.get(run_id)
    if not run.state.live:
        st.rerun()
    draw(run)


def bar(done: int, total: int) -> None:
    """How far something is, as a bar; empty where nobody knows of how much."""
    st.progress(min(done / total, 1.0) if total else 0.0)


def bar_and_tab(done: int, total: int) -> None:
    """How far the run of the page is, as a bar and in the browser's tab."""
    bar(done, total)
    tell_progress(done, total)


def doing(run: Run) -> str:
    """What its worker does now."""
    return in_browser(run.doing) or "Starting a worker"


def counted(run: Run, noun: str) -> str:
    """What its worker does now, and how much of it is done."""
    return f"{doing(run)}: {run.done:,} of {run.total:,} {noun}"


def _standing(run: Run, panel: Panel) -> str:
    if not run.total:
        return f"{doing(run)} …"
    return " · ".join([*panel.standing(run), *time_left(run)])


def time_left(run: Run) -> list[str]:
    """The time left, as the last piece of a line; nothing while nobody knows."""
    return [f"{run.left.words} left"] if run.left is not None else []


def say_silence(run: Run) -> None:
    """Say that a worker hangs, where it does."""
    silent = runs.silence(run)
    if silent:
        say(silent, "lead")


def cancel_button(run_id: str, key: str, told: str | None = None) -> None:
    """Stop a run that is at work; one that has ended meanwhile is left as it is. Not in a demo."""
    if not only_reads() and st.button("Cancel", key=key, help=told):
        if runs.get(run_id).state.live:
            runs.cancel(run_id)
        st.rerun()


def stopped(run: Run, at: str, beside: Callable[[Run], None] | None = None) -> None:
    """A run that ended before its end: why, where (`at`, a sentence or nothing), how to go on.

    `beside` draws what can be done besides, if anything.
    """
    with st.container(border=True, key="stopped"):
        why = {
            RunState.CANCELLED: "This run was cancelled.",
            RunState.INTERRUPTED: "The worker of this run is gone.",
        }.get(run.state, run.problem or "This run failed.")
        say_with_hint(f"{why} {at}".strip(), run.hint, lead=True)
        if only_reads():
            return
        with st.container(horizontal=True):
            if st.button("Resume", type="primary", key="resume"):
                runs.resume(run.id)
                st.rerun()
            if runs.engine_of(run.id) != LOCAL and st.button(
                "Resume on this machine", key="resume-here", help="Without the cluster."
            ):
                runs.resume(run.id, LOCAL)
                st.rerun()
            if beside is not None:
                beside(run)
