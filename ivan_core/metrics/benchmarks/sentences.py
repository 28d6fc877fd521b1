"""What is said of a benchmark's own number."""

from __future__ import annotations

from math import isnan

from ivan_core.metrics.benchmarks.score import Part, Score
from ivan_core.metrics.intervals import interval_text, number_text

_DECIMALS = 1


def score_sentence(score: Score, model: str) -> str:
    """What a benchmark's own code would say of a model, with its parts."""
    whole = ""
    if score.is_whole:
        whole = f" {percent_words(score.value)}{ends_words(score.low, score.high)}"
    parts = "; ".join(map(part_words, score.parts))
    told = f"Counted as {score.benchmark} counts it, {model} reaches{whole}: {parts}."
    return f"{told} {score.missing}".strip()


def part_words(part: Part) -> str:
    """A part with its interval and rows."""
    return f"{part.name} {percent_words(part.value)}{ends_words(part.low, part.high)} of {part.n:,}"


def percent_words(value: float) -> str:
    """A share as a percentage with one decimal; one of these may pass 100%."""
    return f"{number_text(value, _DECIMALS, scale=100)}%"


def ends_words(low: float, high: float) -> str:
    """Its interval after a space; empty where there is none."""
    return "" if isnan(low) else f" {interval_text(low, high, _DECIMALS, nulls=(), scale=100)}"
