"""What is said of prompts with several replies, and of a benchmark's own number."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from ivan_core.domain.words import number_of
from ivan_core.metrics.benchmarks.score import Part, Score
from ivan_core.metrics.intervals import Share
from ivan_core.metrics.sentences import as_if_apart, count_in, interval_ends, number_in, percent

_NO_MARK: tuple[float, ...] = ()


def best_sentence(row: Mapping[str, object], sizes: tuple[int, int], noun: str = "prompts") -> str:
    """How often a model rewards a right reply most, beside chance and length; `row` of RATES."""
    model, n = str(row["model"]), count_in(row, "n")
    if not n:
        return f"{model} rated all replies of no prompt."
    fewest, most = sizes
    of_each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    chance, longest, shortest = (number_in(row, name) for name in ("chance", "longest", "shortest"))
    told = (
        f"{model} rewards a right reply most for {percent(number_in(row, 'rate'), n)} of {n:,}"
        f" {noun} with {of_each} replies each{_ends(row)}; one drawn at random is right for"
        f" {percent(chance, n)}, the longest for {percent(longest, n)}, the shortest for"
        f" {percent(shortest, n)}."
    )
    shared = count_in(row, "shared")
    if shared:
        told += f" In {shared:,} several share the highest reward and the credit."
    return told


def pairs_sentence(row: Mapping[str, object]) -> str:
    """The same prompts pair by pair, each counting once; empty where no prompt is rated."""
    n = count_in(row, "n")
    if not n:
        return ""
    low, high = number_in(row, "pairs_low"), number_in(row, "pairs_high")
    ends = "" if isnan(low) else f" {interval_ends(low, high, n)}"
    told = (
        f"Pair by pair, each prompt counting once, {row['model']} has"
        f" {percent(number_in(row, 'pairs'), n)}{ends} right."
    )
    left_out = count_in(row, "left_out")
    if left_out:
        told += f" {number_of(left_out, 'prompt')} with a reply that it did not rate left out."
    return told


def _ends(row: Mapping[str, object]) -> str:
    low, high, n = number_in(row, "low"), number_in(row, "high"), count_in(row, "n")
    if isnan(low):
        return ""
    # Held against chance, which is another number for each number of replies.
    share = Share(n, number_in(row, "rate"), low, high, n / count_in(row, "effective_n"))
    wide = as_if_apart(n, share.effective_n)
    return f" {interval_ends(low, high, n, (number_in(row, 'chance'),))}{wide}"


def score_sentence(score: Score, model: str) -> str:
    """What a benchmark's own code would say of a model, with its parts."""
    whole = ""
    if score.is_whole:
        whole = f" {_percent(score.value)}{_interval(score.low, score.high)}"
    parts = "; ".join(map(part_words, score.parts))
    told = f"Counted as {score.benchmark} counts it, {model} reaches{whole}: {parts}."
    return f"{told} {score.missing}".strip()


def part_words(part: Part) -> str:
    """A part with its interval and rows."""
    return f"{part.name} {_percent(part.value)}{_interval(part.low, part.high)} of {part.n:,}"


def _percent(value: float) -> str:
    return f"{value * 100:.1f}%".replace("-", "−")


def _interval(low: float, high: float) -> str:
    return "" if isnan(low) else f" {interval_ends(low, high, 1_000, _NO_MARK)}"
