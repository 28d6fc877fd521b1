"""Plain sentences about labels: how often they are given, and how far labelers agree.

`called` is the words for what a label says, as in "an insult"; it may come from a schema that a
person wrote, and labelers' names are other people's text: a page escapes the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import Rate, interval_text, number_text, rate_of_row
from ivan_core.metrics.labels.agreement import LEAST_POSITIVES
from ivan_core.metrics.labels.shares import LEAST
from ivan_core.metrics.sentences import (
    PROMPTS_SHARED,
    as_if,
    as_if_apart,
    as_if_n,
    count_in,
    difference_ends,
    interval,
    number_in,
    percent,
    share_ends,
)

Row = Mapping[str, object]
"""One row of a table, with its columns as names."""

_MEASURES = {
    "kappa": "Cohen's kappa",
    "weighted kappa": "Cohen's kappa with linear weights",
    "alpha": "Krippendorff's alpha",
    "ordinal alpha": "Krippendorff's ordinal alpha",
    "jaccard": "Mean overlap of the words named (Jaccard)",
}

TOO_FEW = f"Too few to say more: the rarer answer was given to fewer than {LEAST_POSITIVES} texts."

_COUNTS = {"share": "same", "both": "both"}
"""What the shares of `agreement_table` count."""


def agreement_sentence(row: Row, called: str) -> str:
    """What opens the agreement on one label: of the texts any labeler called so, how many all did.

    `row` is one of `agreement_table` or `class_agreement`.
    """
    n, both, either = (count_in(row, name) for name in ("n", "both", "either"))
    if n == 0:
        return f"No text was answered by two labelers, so nothing is known about {called}."
    two = row["measure"] in ("kappa", "weighted kappa", "jaccard")
    any_of, all_of = ("either", "both") if two else ("any of them", "all who answered")
    rate = both_rate(row)
    if rate is None:
        return f"Of the {number_of(n, 'text')} compared, none was called {called} by {any_of}."
    wide = as_if(rate, PROMPTS_SHARED)
    ends = "" if isnan(rate.low) else f", 95% interval {interval(rate)}{wide}"
    told = (
        f"Of the {number_of(either, 'text')} {any_of} called {called}, {all_of} did in {both:,}"
        f" ({percent(rate.rate, either)}{ends})."
    )
    return f"{told} {TOO_FEW}" if row["few"] else told


def coefficient_sentence(row: Row) -> str:
    """How often answers are the same, and the coefficients, with the texts they rest on."""
    told = (same_sentence(row), coefficients(row), left_out_sentence(row))
    return " ".join(part for part in told if part)


def left_out_sentence(row: Row) -> str:
    """How many texts have no two answers; empty where all have."""
    out = count_in(row, "left_out")
    return f"{number_of(out, 'text')} without two answers left out." if out else ""


def coefficients(row: Row) -> str:
    """The coefficient of one label and AC1 beside it, each with its interval."""
    if not count_in(row, "n"):
        return "There is nothing to compare."
    if isnan(number_in(row, "coefficient")):
        return "No coefficient: the answers never change."
    measured = f"{_MEASURES[str(row['measure'])]} {_estimate(row, 'coefficient', '')}"
    ac1 = f", Gwet's AC1 {_estimate(row, 'ac1', 'ac1_')}"
    beside = "" if isnan(number_in(row, "ac1")) else ac1
    rough = " (rough: the rarer answer is rare)" if row["few"] and "[" in measured else ""
    return f"{measured}{beside}{rough}."


def same_rate(row: Row) -> Rate | None:
    """In which share all who answered gave the same answer; None if nothing was compared.

    `row` is one of `agreement_table`.
    """
    return _rate(row, "share", count_in(row, "n"))


def both_rate(row: Row) -> Rate | None:
    """Of the texts that any labeler called so, in which share all did; None if none was."""
    return _rate(row, "both", count_in(row, "either"))


def same_sentence(row: Row) -> str:
    """The same in words, with n and interval; empty if nothing was compared."""
    rate = same_rate(row)
    if rate is None:
        return ""
    share = f"{percent(rate.rate, rate.n)} of {number_of(rate.n, 'text')}"
    if not isnan(rate.low):
        share += f" {interval(rate)}{as_if_apart(rate.n, rate.effective_n, PROMPTS_SHARED)}"
    return f"The same answer in {share}."


def prevalence_sentence(row: Row, called: str) -> str:
    """How often a label is given to chosen and to rejected replies, and whether that is clear.

    `row` is one of `prevalence_differences`.
    """
    n = count_in(row, "n")
    if n == 0:
        return f"No pair has an answer on both sides, so nothing is known about {called}."
    chosen, rejected = (percent(number_in(row, side), n) for side in ("chosen", "rejected"))
    low, high = number_in(row, "low"), number_in(row, "high")
    ends = ""
    if not isnan(low):
        wide = as_if_n(n, count_in(row, "effective_n"))
        of = difference_ends(low, high, n)
        ends = f" (95% interval of the difference {of} points{wide})"
    told = (
        f"{chosen} of chosen and {rejected} of rejected replies are called {called}, on"
        f" {number_of(n, 'pair')}{ends}."
    )
    if isnan(number_in(row, "mid_p")):
        return f"{told} These pairs were chosen after looking, so this shows no more than a hint."
    return f"{told} " + (
        "The difference is clear." if row["clear"] else "No clear difference on these pairs."
    )


def co_occurrence_sentence(row: Row, first: str, second: str) -> str:
    """Of the texts called one thing, how many are called another, against all texts.

    `row` is one of `co_occurrence`.
    """
    n, has_first, both = (count_in(row, name) for name in ("n", "first", "both"))
    if has_first == 0:
        return f"None of {number_of(n, 'text')} is called {first}."
    low, high, alone = (number_in(row, name) for name in ("low", "high", "effective_n"))
    ends = share_ends(low, high, has_first, alone, PROMPTS_SHARED, ", 95% interval ")
    told = (
        f"Of the {number_of(has_first, 'text')} called {first}, {both:,} are called {second} too"
        f" ({percent(number_in(row, 'share'), has_first)}{ends});"
        f" of all {number_of(n, 'text')}, {percent(number_in(row, 'overall'), n)} are."
    )
    return f"{told} Fewer than {LEAST}: too few to tell." if row["too_few"] else told


def _estimate(row: Row, name: str, ends: str) -> str:
    """A coefficient with its interval, as in "0.52 [0.41, 0.63]"."""
    value, low, high = (number_in(row, column) for column in (name, f"{ends}low", f"{ends}high"))
    told = "" if isnan(low) else f" {interval_text(low, high, 2)}"
    return f"{number_text(value, 2)}{told}"


def _rate(row: Row, name: str, n: int) -> Rate | None:
    """A share of a row with the ends it has there."""
    low, high, alone = (number_in(row, f"{name}_{end}") for end in ("low", "high", "effective_n"))
    return rate_of_row(count_in(row, _COUNTS[name]), n, low, high, alone)
