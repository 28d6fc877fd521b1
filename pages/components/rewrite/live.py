"""A rewording at work: what was accepted and what has moved so far; nothing is judged yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ivan_core.charts.live import changes_so_far, flips_so_far, running_flips
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import RewriteSpec
from ivan_core.domain.words import short_names
from ivan_core.engine import handling as runs
from ivan_core.experiments.labels.conditions import label_name
from ivan_core.experiments.rewrite.views import VARIANTS
from ivan_core.metrics.intervals import number_text
from ivan_core.models.names import reader_note, shown_name
from pages.components.kit.live import Panel, doing
from pages.components.kit.results import plain_chart
from pages.components.kit.state import dark
from pages.components.kit.text import say

Facts = Mapping[str, Any]
_STYLES = {
    "published": "Reworded",
    "second": "Second rewording",
    "surface": "Change of punctuation",
}
_STEPS = {"rewordings": "reworded", "scores": "scored", "similar": "compared", "labels": "labelled"}


def _headline(run: Run) -> str:
    spec = runs.spec_of(run, RewriteSpec)
    return f"Rewording {spec.dataset.label} with {shown_name(spec.rewriter)}"


def _standing(run: Run) -> list[str]:
    facts: Facts = json.loads(run.facts)
    done, pairs = facts.get("done", {}), facts.get("pairs", 0)
    counted = [f"{done[step]:,} {word}" for step, word in _STEPS.items() if done.get(step)]
    if not counted:
        return [doing(run)]
    number, word = counted[0].split(" ", 1)
    return [doing(run), ", ".join([f"{number} of {pairs:,} pairs {word}", *counted[1:]])]


def _so_far(run: Run) -> None:
    note_of_rules = reader_note(runs.spec_of(run, RewriteSpec).rewriter)
    for note in filter(None, [note_of_rules, *run.notes]):
        say(note, "small", quiet=True)
    so_far(json.loads(run.facts))


def so_far(facts: Facts) -> None:
    """What has been accepted and what has moved, as far as it is known; nothing is judged yet."""
    for line in accepted_lines(facts):
        say(line)
    _draw_curves(facts)
    rows = moved_rows(facts)
    if rows:
        st.dataframe(
            rows,
            hide_index=True,
            key="moved-so-far",
            placeholder="",
            column_config={
                "share": st.column_config.ProgressColumn(
                    "verdicts flipped so far",
                    format="%.1f%%",
                    min_value=0.0,
                    max_value=100.0,
                    help="Of the pairs that the model rated before and after",
                ),
                "similarity": st.column_config.NumberColumn(
                    "similarity so far",
                    format="%.3f",
                    help="Mean cosine of each text with its original: 1 means the same",
                ),
                "chosen": st.column_config.TextColumn(
                    "reward change, chosen",
                    alignment="right",
                    help="Mean change of reward, in its own units",
                ),
                "rejected": st.column_config.TextColumn(
                    "reward change, rejected",
                    alignment="right",
                    help="Mean change of reward, in its own units",
                ),
            },
            alt="What rewording did so far to verdicts and rewards, model by model",
        )
    labels = label_lines(facts)
    if labels:
        say(labels)


def _draw_curves(facts: Facts) -> None:
    """Flips and changes of reward over the pairs so far, model by model."""
    models = facts.get("models", {})
    found = running_flips({model: told["points"] for model, told in models.items()})
    if found.empty:
        return
    left, right = st.columns(2)
    with left:
        plain_chart(flips_so_far(found, facts["pairs"], dark=dark()), "flips-so-far")
    with right:
        plain_chart(changes_so_far(found, facts["pairs"], dark=dark()), "changes-so-far")


def accepted_lines(facts: Facts) -> list[str]:
    """How many answers were accepted in each style, and why the others were not."""
    lines = []
    for style, counts in facts.get("pieces", {}).items():
        asked, accepted = counts["asked"], counts["accepted"]
        why = sorted(counts["refused"].items(), key=lambda item: -item[1])
        refused = ", ".join(f"{count:,} {reason}" for reason, count in why)
        share = f" ({accepted / asked:.0%})" if asked else ""
        line = f"{_STYLES[style]}: {accepted:,} of {asked:,} pieces accepted so far{share}"
        lines.append(f"{line}; refused: {refused}." if refused else f"{line}.")
    return lines


def moved_rows(facts: Facts) -> list[dict[str, Any]]:
    """One row a model and kind of change: what it did to verdicts and rewards so far."""
    models = facts.get("models", {})
    names = short_names(list(models))
    found = []
    for model, told in models.items():
        for variant, moved in told["variants"].items():
            if not moved["pairs"]:
                continue
            flips = moved["became_misaligned"] + moved["became_aligned"]
            found.append(
                {
                    "model": names[model],
                    "what changed": VARIANTS[variant],
                    "pairs": moved["pairs"],
                    "share": 100 * flips / moved["pairs"],
                    "flips": flips,
                    "chosen": _signed(moved["chosen_change"]),
                    "rejected": _signed(moved["rejected_change"]),
                    "similarity": facts.get("similarity", {}).get(variant),
                }
            )
    return found


def _signed(change: float | None) -> str:
    """A change of reward with its sign, a real minus."""
    return "" if change is None else number_text(change, 3, signed=True)


def label_lines(facts: Facts) -> str:
    """How many labels moved so far."""
    told = []
    for key, counts in facts.get("labels", {}).items():
        moved, known = (
            counts.get("lost", 0) + counts.get("gained", 0),
            sum(counts.get(name, 0) for name in ("lost", "gained", "same")),
        )
        if known:
            told.append(f"{label_name(key)} {moved:,} of {known:,}")
    return f"Labels that moved so far: {', '.join(told)}." if told else ""


PANEL = Panel(_headline, _standing, _so_far)
