"""A labelling at work: progress, time left, what came of the texts so far, and Cancel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ivan_core.domain.pairs import SIDES
from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.labels.kind import LEXICON_NOTE
from ivan_core.labels.reconcile import STATES
from pages.components.kit.frame import problems_shown
from pages.components.kit.live import say_silence
from pages.components.kit.text import say

_YES = "True"
_NO = "False"


def live_labels(run_id: str) -> None:
    """Draw a labelling at work, again every second until it ends; then the whole page once."""
    st.fragment(_draw, run_every=1.0)(run_id)


def _draw(run_id: str) -> None:
    with problems_shown():
        _progress(run_id)


def _progress(run_id: str) -> None:
    run = runs.get(run_id)
    if not run.state.live:
        st.rerun()
    say(f"Labelling {runs.about(run)}", "headline")
    st.progress(min(run.done / run.total, 1.0) if run.total else 0.0)
    say(_progress_sentence(run))
    say_silence(run)
    if st.button("Cancel", key="cancel", help="What is finished is kept; you can resume later."):
        if runs.get(run_id).state.live:
            runs.cancel(run_id)
        st.rerun()
    for note in run.notes:
        say(note, "small", quiet=True)
    if getattr(runs.any_spec_of(run), "is_rules", False):
        say(LEXICON_NOTE, "small", quiet=True)
    facts = json.loads(run.facts)
    if facts.get("states"):
        say(states_sentence(facts["states"]))
    rows = label_rows(facts.get("labels", {}))
    if rows:
        st.dataframe(
            rows, hide_index=True, key="labels-so-far", height=420,
            column_config={
                side: st.column_config.ProgressColumn(
                    side, format="%d%%", min_value=0, max_value=100, width=130,
                    help="Of the texts of this side with an answer so far",
                )
                for side in SIDES
            },
            alt="How often each label was given so far, to chosen and to rejected replies",
        )  # fmt: skip


def _progress_sentence(run: Run) -> str:
    if not run.total:
        return f"{run.doing or 'Starting a worker'} …"
    parts = [f"{run.doing or 'Starting a worker'}: {run.done:,} of {run.total:,} texts"]
    if run.rate:
        speed = f"{run.rate:,.0f}" if run.rate >= 10 else f"{run.rate:.1f}"
        parts.append(f"{speed} texts/s")
    if run.left is not None:
        parts.append(f"{run.left.words} left")
    return " · ".join(parts)


def states_sentence(states: Mapping[str, int]) -> str:
    """What came of the texts so far."""
    told = ", ".join(f"{states[state]:,} {state}" for state in STATES if states.get(state))
    return f"So far: {told}."


def label_rows(labels: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[dict[str, Any]]:
    """One row a label that was given at all: its share on each side in percent, and the texts."""
    found = []
    for key, sides in labels.items():
        given = {answer for counts in sides.values() for answer in counts}
        values = [_YES] if given <= {_YES, _NO} else sorted(given)
        for value in values:
            n = {side: sum(sides.get(side, {}).values()) for side in SIDES}
            row: dict[str, Any] = {"label": label_name(key, "" if value == _YES else value)}
            for side in SIDES:
                count = sides.get(side, {}).get(value, 0)
                row[side] = 100 * count / n[side] if n[side] else None
            found.append(row | {"texts": sum(n.values())})
    return found
