"""A labelling at work: what came of the texts so far, and which labels they were given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ivan_core.domain.pairs import SIDES
from ivan_core.domain.runs import Run
from ivan_core.engine import handling as runs
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.labels.reconcile import STATES
from ivan_core.models.names import rules_note
from pages.components.kit.live import Panel, counted
from pages.components.kit.text import say

_YES = "True"
_NO = "False"


def _headline(run: Run) -> str:
    return f"Labelling {runs.about(run)}"


def _standing(run: Run) -> list[str]:
    if not run.rate:
        return [counted(run, "texts")]
    speed = f"{run.rate:,.0f}" if run.rate >= 10 else f"{run.rate:.1f}"
    return [counted(run, "texts"), f"{speed} texts/s"]


def _so_far(run: Run) -> None:
    for note in run.notes:
        say(note, "small", quiet=True)
    if note := rules_note(getattr(runs.any_spec_of(run), "labeler", "")):
        say(note, "small", quiet=True)
    facts = json.loads(run.facts)
    if facts.get("states"):
        say(states_sentence(facts["states"]))
    rows = label_rows(facts.get("labels", {}))
    if rows:
        st.dataframe(
            rows,
            hide_index=True,
            key="labels-so-far",
            column_config={
                side: st.column_config.ProgressColumn(
                    side,
                    format="%d%%",
                    min_value=0,
                    max_value=100,
                    width=130,
                    help="Of the texts of this side with an answer so far",
                )
                for side in SIDES
            },
            alt="How often each label was given so far, to chosen and to rejected replies",
        )


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


PANEL = Panel(_headline, _standing, _so_far)
