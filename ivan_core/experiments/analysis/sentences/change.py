"""What training changed, in sentences."""

from __future__ import annotations

from math import isnan

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.metrics.sentences import the


def shift_sentence(analysed: Analysed, labeler: str) -> str:
    """By how much the margin moved from one model to the other, over all pairs."""
    table = analysed.table("shift", labeler=labeler, by="all")
    row = table.to_dict("records")[0]
    if isnan(row["mean"]):
        return "No pair was rated by both models."
    ends = interval_text(row["low"], row["high"], 2, signed=True)
    moved = f"{number_text(row['mean'], 2, signed=True)} typical margins {ends}"
    pairs = number_of(int(row["pairs"]), "pair")
    return (
        f"From {row['before']} to {row['after']} the chosen reply's margin moved by {moved} on"
        f" average ({pairs})."
    )


def regime_sentence(analysed: Analysed, labeler: str) -> str:
    """How many pairs changed sides between two models, and in which direction."""
    table = analysed.table("regimes", labeler=labeler)
    counts = table.groupby("regime")["pairs"].sum()
    row = table.to_dict("records")[0]
    return (
        f"Of {number_of(int(counts.sum()), 'pair')}, {counts['got']:,} got aligned with"
        f" {the(analysed.dataset.chosen_by)} from {row['before']} to {row['after']},"
        f" {counts['reversed']:,} went the other way, {counts['stayed']:,} stayed aligned and"
        f" {counts['resists']:,} were against it before and after."
    )


def trained_sentence(analysed: Analysed) -> str:
    """Who says that training lies between the two models."""
    spec = analysed.spec
    return (
        f"{spec.before} was named as the model before training and {spec.after} as the one after"
        " it; nothing here checks that."
    )
