"""What training changed, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.metrics.comparison_sentences import difference_sentence, mcnemar_sentence
from ivan_core.metrics.imprint.against import REGIMES
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.metrics.paired import Difference, difference_of_counts
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


REGIME_NAMES = {
    "stayed": "Stayed aligned",
    "got": "Got aligned",
    "resists": "Resists: against it before and after",
    "reversed": "Reversed",
}
"""What regimes are called in front of their counts."""


def net_sentences(analysed: Analysed, net: Difference | None = None) -> list[str]:
    """By how much more often the later model agrees, with its test; nothing without pairs.

    `net` is for an analysis that did not keep what the regimes lack for that.
    """
    spec, design = analysed.spec, analysed.manifest.get("net_design")
    if design is not None:
        table = analysed.table("regimes", labeler=analysed.labelers[0].run_id)
        pairs = table.groupby("regime")["pairs"].sum()
        stayed, got, resists, reversed_ = (int(pairs[name]) for name in REGIMES)
        net = difference_of_counts(stayed, got, reversed_, resists, design=design)
    if net is None:
        return []
    told = f"Net: {net.first_only:,} got aligned, {net.second_only:,} reversed."
    seen = analysed.table("shift", by="seen", value="seen")["pairs"].max()
    known = f"{spec.after} was trained on {seen:,} of them." if seen > 0 else ""
    choice = analysed.dataset.chosen_by
    sides = difference_sentence(
        net, spec.after, spec.before, choice, complete=True, never_clear=known
    )
    return [f"{told} {sides}", mcnemar_sentence(net)]


def seen_sentences(analysed: Analysed, labeler: str) -> list[str]:
    """The shift apart for pairs that the later model was trained on and others, where its card
    lists them; else that these may be pairs it was trained on."""
    rows = analysed.table("shift", labeler=labeler, by="seen").to_dict("records")
    if not rows:
        after = analysed.table("shift", labeler=labeler)["after"].iloc[0]
        return [f"These may be pairs that {after} was trained on: its card does not list them."]
    there, after = [row for row in rows if row["pairs"]], rows[0]["after"]
    if len(there) == 1:
        which = "all" if there[0]["value"] == "seen" else "none"
        return [f"By its card {after} was trained on {which} of these pairs."]
    return [_seen(row) for row in there]


def _seen(row: Mapping[str, Any]) -> str:
    pairs = number_of(int(row["pairs"]), "pair")
    trained = "was" if row["value"] == "seen" else "was not"
    which = f"{row['after']} {trained} trained on {pairs} of these"
    moved = f"{number_text(row['mean'], 2, signed=True)} typical margins"
    ends = "" if isnan(row["low"]) else f" {interval_text(row['low'], row['high'], 2, signed=True)}"
    return f"{which}: there the margin moved by {moved}{ends} on average."


def trained_sentence(analysed: Analysed) -> str:
    """Who says that training lies between the two models."""
    spec = analysed.spec
    return (
        f"{spec.before} was named as the model before training and {spec.after} as the one after"
        " it; nothing here checks that."
    )
