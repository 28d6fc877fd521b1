"""Step 3 of a labelling: every part with its state and counts, as its worker sees them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.batches.confirm import files_changed
from ivan_core.experiments.batches.watch import KEPT, USUAL
from ivan_core.ledger.records import Stage
from pages.components.kit.live import bar_and_tab, doing, say_silence, while_live
from pages.components.kit.state import TAXONOMY, choose_run
from pages.components.kit.text import say, say_with_hint
from pages.components.labels.send import ask_to_cancel, ask_to_close, follow
from pages.components.labels.steps import facts
from pages.components.public.reading import only_reads
from pages.components.runs.duplicate import change_button

FOUND = "label-found"
"""Where the session keeps the labelling that was found in place of a new one."""
_MOST_ROWS = 12
_AT_ONCE = "This page may be closed: a process of its own asks on, and each answer is kept."
_STAGES = {
    Stage.PLANNED: "to be sent",
    Stage.UPLOADING: "being uploaded",
    Stage.UPLOADED: "uploaded, not sent yet",
    Stage.CREATING: "being sent",
    Stage.IN_DOUBT: "in doubt: no answer came",
    Stage.ABANDONED: "never sent",
}
_STATUSES = {
    "validating": "being checked by the provider",
    "in_progress": "at work",
    "finalizing": "almost done",
    "cancelling": "being cancelled",
    "completed": "finished",
    "failed": "refused by the provider",
    "expired": "expired: not all was done within a day",
    "cancelled": "cancelled",
}


def following(run: Run) -> None:
    """A run whose batches are at work, drawn again every second or two until they end."""
    while_live(run.id, _parts_so_far, every=1.5)
    told = "Asks first, and says what is paid then."
    if not only_reads() and st.button("Cancel", key="cancel-batches", help=told):
        ask_to_cancel(run.id)


def _parts_so_far(run: Run) -> None:
    done, total = _progress(run, taxonomy.parts(run.id))
    bar_and_tab(done, total)
    counted = f" · {done:,} of {total:,} texts" if total else ""
    say(f"{doing(run)}{counted}")
    say_silence(run)
    _say_watch(run)
    show_parts(run.id)
    estimate = taxonomy.estimate(run.id)
    at_once = estimate is not None and estimate.mode == "now"
    for sentence in (_AT_ONCE,) if at_once else (USUAL, KEPT):
        say(sentence, "small", quiet=True)


def _say_watch(run: Run) -> None:
    """When the batches were sent, and when they are looked at; nothing before they were sent."""
    told = taxonomy.watch(run.id).sentence(time.time())
    if told:
        say(told, "small")


def _progress(run: Run, parts: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """How many texts of the newest attempt are answered, and of how many.

    A run whose worker has not begun still has the counts of what it did before.
    """
    if run.state is RunState.QUEUED or not run.doing:
        return 0, 0
    estimate = taxonomy.estimate(run.id)
    if estimate is not None and estimate.mode == "now":
        return run.done, run.total
    newest = max((part["attempt"] for part in parts), default=0)
    own = [part for part in parts if part["attempt"] == newest]
    done = sum((part.get("completed") or 0) + (part.get("failed") or 0) for part in own)
    return done, sum(part["requests"] for part in own)


def not_followed(run: Run) -> None:
    """A run with batches that nobody follows: it is followed again, once a visit."""
    visited = st.session_state.setdefault("label-followed", [])
    if run.state is RunState.INTERRUPTED and run.id not in visited:
        visited.append(run.id)
        follow(run.id)
        st.rerun()
    if run.state is RunState.CANCELLED and taxonomy.job(run.id).cancelled:
        _said(run, "The batches were cancelled.")
        once_more(run)
    elif run.state is RunState.FAILED and files_changed(run.id):
        _said(run, "The request files have changed.")
        once_more(run)
    elif taxonomy.undelivered(run.id):
        _undelivered(run)
    else:
        stopped(run)
    _say_watch(run)
    show_parts(run.id, said=run.problem)


def _undelivered(run: Run) -> None:
    """Answers that the provider counts as finished and that did not come: look again, or close."""
    _said(run, "Not all answers of this labelling have come.")
    if only_reads():
        return
    with st.container(horizontal=True):
        if st.button("Look again", type="primary", key="go-on", help="It costs nothing."):
            follow(run.id)
            st.rerun()
        if st.button("Close it as it is", key="close", help="Asks first, and says what it costs."):
            ask_to_close(run.id)


def once_more(run: Run) -> None:
    """Offer to label the same texts again: a labelling of its own, with its own estimate.

    Of one that was stopped only what has no labels is asked for; one that is done is asked anew.
    """
    spec = runs.spec_of(run, TaxonomySpec)
    if not only_reads() and st.button("Label them once more", key="once-more"):
        st.session_state.pop(FOUND, None)
        every = run.state is RunState.DONE
        choose_run(taxonomy.start(spec, again=True, ask_all=every)[0], TAXONOMY)
        st.rerun()


def stopped(run: Run) -> None:
    """A run that ended before its end: why, and how to go on."""
    said = {
        RunState.CANCELLED: "This labelling was cancelled.",
        RunState.INTERRUPTED: "The worker of this labelling is gone.",
    }.get(run.state, "This labelling failed.")
    _said(run, said)
    counted = run.done and not taxonomy.sends(run)
    at = f"It stopped at {run.done:,} of {run.total:,} texts. " if counted else ""
    say(f"{at}What is finished is kept.", "small", quiet=True)
    if only_reads():
        return
    with st.container(horizontal=True):
        if st.button("Resume", type="primary", key="go-on"):
            follow(run.id)
            st.rerun()
        change_button(run)


def _said(run: Run, otherwise: str) -> None:
    say_with_hint(run.problem or otherwise, run.hint, lead=True)


def show_parts(run_id: str, said: str = "") -> None:
    """A table of the parts, what is to be known of each unless it was said, and their batch ids."""
    parts = taxonomy.parts(run_id)
    if not parts:
        return
    attempts = len({part["attempt"] for part in parts}) > 1
    rows = [_row(part, attempts) for part in parts]
    header = ("Part", "State", "Answered", "Failed", "Of")
    if len(rows) <= _MOST_ROWS:
        facts(rows, header)
    else:
        st.dataframe(
            [dict(zip(header, row, strict=True)) for row in rows],
            hide_index=True,
            height=320,
            key=f"parts-{run_id}",
        )
    for part in parts:
        for told in (part.get("problem"), part.get("note")):
            if told and f"Part {part['part']}: {told}" not in said:
                say(f"Part {part['part']}: {told}", "small")
    ids = [part["batch"] for part in parts if part["batch"]]
    if ids:
        say(f"{number_of(len(ids), 'batch id', 'batch ids')}, to copy:", "small", quiet=True)
        st.code(",".join(ids), language=None, wrap_lines=True)


def _row(part: Mapping[str, Any], attempts: bool) -> tuple[str, ...]:
    name = f"{part['part']}, attempt {part['attempt']}" if attempts else str(part["part"])
    told = (part.get(which) for which in ("completed", "failed"))
    return (
        name,
        state_words(part),
        *(f"{count or 0:,}" for count in told),
        f"{part['requests']:,}",
    )


def state_words(part: Mapping[str, Any]) -> str:
    """The state of a part in words that need no knowledge of the provider's."""
    stage, status = Stage(part["state"]), str(part.get("status") or "")
    if stage in _STAGES:
        return _STAGES[stage]
    word = _STATUSES.get(status, status)
    if stage is Stage.CREATED:
        return word or "at the provider"
    lacks = ", results are not whole" if part.get("problem") else ""
    fetched = lacks if stage is Stage.TERMINAL else ", results are here"
    return f"{word or 'ended'}{fetched}"
