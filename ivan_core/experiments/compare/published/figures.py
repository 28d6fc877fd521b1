"""Figures of prompts with several replies, and of how strongly replies were preferred."""

from __future__ import annotations

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.published.told import (
    rates_of,
    strengths_of,
    told_of_best,
    told_of_strength,
)
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.figures.chart import Chart, Drawn
from ivan_core.figures.words import with_ends

_METHOD = (
    "A prompt counts where a model rated all of its replies: 1 if the highest reward is a right"
    " reply's, 0 if a wrong one's; of several equal highest rewards, the share of right ones."
)
_WILSON = " Intervals are Wilson's, of as many prompts as those that share a first turn are worth."


def best_of_n(results: Results) -> Drawn:
    """How often each model rewards a right reply most, by subset."""
    from ivan_core.charts.best_of_n import best_bars

    rates = rates_of(results)
    every = "All picked prompts" if results.whole else "All prompts"
    return Drawn(
        lambda: best_bars(rates, every=every, dark=False),
        rates,
        "How often each reward model gives a right reply of a prompt the highest"
        f" reward{with_ends(results)}. {' '.join(told_of_best(results))}",
        _METHOD + ("" if results.bare else _WILSON),
    )


def _no_replies(name: str, results: Results) -> BadInput | None:
    if results.best_of_n is not None:
        return None
    return BadInput("The dataset has two replies a prompt.", "Draw agreement instead.")


def by_strength(results: Results) -> Drawn:
    """Mean margins by how strong the preference is."""
    from ivan_core.charts.strength import strength_dots

    shown = strengths_of(results)
    if shown is None:
        raise BadInput(_UNSAID)
    return Drawn(
        lambda: strength_dots(shown, dark=False),
        shown,
        "Mean margin of each reward model by how strongly the chosen reply was preferred"
        f"{with_ends(results)}. {' '.join(told_of_strength(results))}",
        "Strengths are those of the dataset; more than 12 different ones are quarters. A margin is"
        " the reward of the chosen minus that of the rejected reply, in units of the model's own"
        " root-mean-square margin in this run."
        + ("" if results.bare else " Intervals of means are Student's, as wide as prompts ask."),
    )


def _no_strength(name: str, results: Results) -> BadInput | None:
    if results.strength is not None:
        return None
    return BadInput(_UNSAID)


_UNSAID = "The dataset does not say how strong preferences are."
_ALL = {"model": "all models", "other": "all models"}
PUBLISHED_CHARTS = (
    Chart(
        "best-of-n",
        "How often a right reply is rewarded most",
        best_of_n,
        instead=_ALL,
        lacks=_no_replies,
        measure=REWARDS,
    ),
    Chart(
        "strength",
        "Margins by the strength of the preference",
        by_strength,
        instead=_ALL,
        lacks=_no_strength,
        measure=REWARDS,
    ),
)
