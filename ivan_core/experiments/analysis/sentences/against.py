"""Where models go against people, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed, WhoLabelled
from ivan_core.experiments.analysis.sentences.words import REPLIES, unit_of
from ivan_core.metrics.imprint.against import ALL
from ivan_core.metrics.intervals import interval_text, number_text, rate_of_row
from ivan_core.metrics.paired import SIGNIFICANT
from ivan_core.metrics.sentences import rate_words, the

_PREFERRED = {"chosen": "the chosen reply", "none": "neither", "rejected": "the rejected one"}
NO_WHY = (
    "Authored labels tell how the two replies of a pair differ, not which labels each reply has: by"
    " them nothing can be said of either reply."
)
"""Why there is no chart of what goes with going against the choice."""


def against_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """How often a model goes against the choice, and of which pairs."""
    table = analysed.table("misaligned", model=model, labeler=labeler)
    rows, choice = table[table["labeler_prefers"] == ALL], the(analysed.dataset.chosen_by)
    if rows.empty:  # of an analysis from before it was counted
        return f"How often {model} goes against {choice} is not known here. Analyse anew."
    every = rows.to_dict("records")[0]
    if not every["pairs"]:
        return f"{model} rated none of these pairs."
    ties = f"; {number_of(every['ties'], 'tie')}" if every["ties"] else ""
    return f"{model} goes against {choice} in {_rate(every)} pairs{ties}."


def preference_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """The same apart by what the labels prefer; empty where they tell no preference."""
    table = analysed.table("misaligned", model=model, labeler=labeler)
    parts = {row["labeler_prefers"]: row for row in table.to_dict("records")}
    told = [
        f"in {_rate(parts[name])} where the labels prefer {words}"
        for name, words in _PREFERRED.items()
        if name in parts and parts[name]["pairs"]
    ]
    who = analysed.labeler(labeler)
    return f"{model}: {', '.join(told)} ({who.labels})." if told else ""


def no_preference_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """Of the pairs in which a model goes against the choice, on how many the labels prefer neither
    reply; empty where they tell no preference, or there are no such pairs."""
    table = analysed.table("no-preference", model=model, labeler=labeler)
    row = next(iter(table.to_dict("records")), None)
    if row is None or not row["misaligned"]:
        return ""
    ends = (row["low"], row["high"], row["effective_n"])
    share = rate_of_row(row["no_preference"], row["misaligned"], *ends)
    who = analysed.labeler(labeler)
    return (
        f"Where {model} goes against {the(analysed.dataset.chosen_by)}, the labels prefer neither"
        f" reply in {rate_words(share)} labelled pairs ({who.labels})."
    )


def _rate(row: Mapping[str, Any]) -> str:
    ends = (row["low"], row["high"], row["effective_n"])
    return rate_words(rate_of_row(row["misaligned"], row["pairs"], *ends))


def why_sentence(row: Mapping[str, Any], who: WhoLabelled, choice: str) -> str:
    """How one feature of one side goes with going against the choice; `row` is in points."""
    side, _, feature = str(row["column"]).rpartition(":")
    if side:
        of = f"{row['away']:,} of {number_of(int(row['n']), 'text')} differ from the most common"
        of, where = f"{of} label", f"the {side} reply is {REPLIES.get(feature, feature)}"
    else:
        of = f"{row['away']:,} of {number_of(int(row['n']), 'pair')} differ"
        where = "the chosen reply is twice as long"
    if isnan(row["estimate"]):
        return f"Where {where}: {row['why']} ({of}; {who.labels})."
    value, low, high = (row[name] * unit_of(row) for name in ("estimate", "low", "high"))
    less = value < 0
    ends = interval_text(*((-high, -low) if less else (low, high)), 0)
    sure = "" if row["p_holm"] < SIGNIFICANT or not side else " Not clear."
    often = f"{number_text(abs(value), 0)} points {'less' if less else 'more'} often {ends}"
    return (
        f"Alike in all else in this table, {row['model']} goes against {the(choice)} {often} where"
        f" {where} ({of}; {who.labels}).{sure}"
    )
