"""What is said of prompts with several replies, of a benchmark's own number, and of strengths."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.results import Results
from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.benchmarks.sentences import score_sentence
from ivan_core.metrics.best_of_n.sentences import best_sentence, lead_sentence, pairs_sentence
from ivan_core.metrics.strength import strength_correlation, strength_sentence

if TYPE_CHECKING:
    import pandas as pd

_ENDS = ("low", "high", "pairs_low", "pairs_high")


def rates_of(results: Results) -> pd.DataFrame:
    """The table of rates, without intervals where they mean nothing.

    Raises:
        BadInput: no prompt has several replies, all of whose pairs are there.
    """
    best = results.best_of_n
    if best is None:
        raise BadInput(
            "No prompt has several replies of which all are here.", "Take a condition away."
        )
    table = best.rates()
    return table.assign(**dict.fromkeys(_ENDS, nan)) if results.bare else table


def best_lead(results: Results) -> str:
    """Each model's best of several replies in one sentence, beside chance; empty without any."""
    best = results.best_of_n
    if best is None:
        return ""
    rows = rates_of(results)
    return lead_sentence(rows[rows["subset"] == ALL_SUBSETS].to_dict("records"), best.sizes)


def told_of_best(results: Results) -> list[str]:
    """What is said of each model's best of several replies, sentences in two parts a model."""
    best = results.best_of_n
    if best is None:
        return []
    rows = rates_of(results)
    return [
        " ".join(
            filter(
                None,
                (
                    best_sentence(row, best.sizes, _noun(results, str(row["model"]))),
                    pairs_sentence(row),
                    results.training[str(row["model"])].caveat,
                ),
            )
        )
        for row in rows[rows["subset"] == ALL_SUBSETS].to_dict("records")
    ]


def _noun(results: Results, model: str) -> str:
    """What the prompts of a model's figures are to be called."""
    return results.training[model].noun.replace("pairs", "prompts")


def told_of_benchmark(results: Results) -> list[str]:
    """What a benchmark's own code would say of each model."""
    return [score_sentence(score, model) for model, score in results.benchmark.items()]


def notes_on_benchmark(results: Results) -> list[str]:
    """What to know of these numbers, each note once."""
    notes = [note for score in results.benchmark.values() for note in score.notes]
    return list(dict.fromkeys(notes))


def strengths_of(results: Results) -> pd.DataFrame | None:
    """The table of margins by strength, without intervals where they mean nothing."""
    margins = results.strength
    if margins is None or not results.bare:
        return margins
    return margins.assign(low=nan, high=nan)


def told_of_strength(results: Results) -> list[str]:
    """What is said of each model's margins by strength."""
    shown = strengths_of(results)
    if shown is None:
        return []
    return [
        f"{strength_sentence(shown, model, *_correlation(results, model))}"
        f" {results.training[model].caveat}".strip()
        for model in results.models
        if (shown["model"] == model).any()
    ]


def _correlation(results: Results, model: str) -> tuple[float | None, int]:
    return strength_correlation(results.fair, results.strengths, model)
