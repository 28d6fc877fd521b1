"""Figures of many models at once: agreement by subset, likeness, and the few that show most."""

from __future__ import annotations

from functools import partial
from math import nan
from typing import TYPE_CHECKING

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.figures.chart import Chart, Drawn
from ivan_core.figures.words import wilson_words
from ivan_core.metrics.models.joint import LEAST_MODELS
from ivan_core.metrics.models.sentences import (
    MEASURE_WORDS,
    alike_sentence,
    disguise_sentence,
    extremes_sentence,
    fewest_sentence,
)
from ivan_core.metrics.sentences import the

if TYPE_CHECKING:
    import pandas as pd

    from ivan_core.metrics.models.likeness import Measure

_ENDS = (
    *("low", "high", "equal_low", "equal_high"),
    *("kappa_low", "kappa_high", "margins_low", "margins_high"),
)
_JOINT = (
    " The majority vote goes to the reply that more models prefer, a draw is a tie; the mean margin"
    " is that of margins in units of each model's root-mean-square margin; both are of pairs that"
    " all models rated."
)
_HOW: dict[Measure, str] = {
    "equal": "A tie is a verdict of its own.",
    "kappa": "Kappa is Cohen's (1960) of the verdicts agree, tie and disagree, with the"
    " large-sample interval of Fleiss, Cohen and Everitt (1969).",
    "margins": "Correlations are Pearson's of the margins, with intervals from their empirical"
    " influences on the scale of Fisher's z.",
}
NAMES: dict[Measure, str] = {"equal": "alike", "kappa": "alike-kappa", "margins": "alike-margins"}
"""What the chart of each measure is called."""


def bare_of(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """A table of shares, without intervals where they mean nothing."""
    if not results.bare:
        return table
    return table.assign(**{name: nan for name in _ENDS if name in table.columns})


def grid(results: Results) -> Drawn:
    from ivan_core.charts.heat import agreement_cells

    cells = bare_of(results, results.many.grid)
    every = "All picked pairs" if results.whole else "All pairs"
    return Drawn(
        lambda: agreement_cells(cells, every=every, dark=False),
        cells,
        f"How often each of {len(results.models)} reward models sides with"
        f" {the(results.dataset.chosen_by)}, by subset: shares of rated pairs on which it agrees"
        f"{'' if results.bare else ', with 95% intervals'}."
        f" {extremes_sentence(bare_of(results, results.many.singles), results.dataset.chosen_by)}",
        "A model agrees with a pair if it gives the chosen reply the higher reward; ties count"
        f" among the rated pairs.{_JOINT}{wilson_words(results)}",
    )


def alike(results: Results, *, measure: Measure) -> Drawn:
    from ivan_core.charts.heat import likeness_cells

    table, order = bare_of(results, results.many.alike), results.many.order(measure)
    same = " ".join(disguise_sentence(one) for one in results.many.disguises)
    return Drawn(
        lambda: likeness_cells(table, order, measure, dark=False),
        table,
        f"{MEASURE_WORDS[measure]} of each two of {len(order)} reward models, on the pairs that"
        f" both rated. {alike_sentence(table, measure)} {same}".strip(),
        f"{_HOW[measure]} Models are ordered by average linkage, so that neighbours are alike."
        f"{wilson_words(results)}",
    )


def fewest(results: Results) -> Drawn:
    import pandas as pd

    from ivan_core.charts.fewest import fewest_bars, shown_steps

    found = results.many.fewest
    steps = pd.DataFrame() if found is None else shown_steps(found)
    told = fewest_sentence(found, len(results.models))
    return Drawn(
        lambda: told if found is None else fewest_bars(found, dark=False),
        steps,
        "How much of all disagreements a few models show, each row adding the model that shows most"
        f" of the rest. {told}",
        "A disagreement is a pair on which the models that rated it do not all have the same"
        " verdict; models show it if two of them differ there. The set was found on these very"
        " pairs: on others it may be another.",
    )


def _at_least(models: int, chart: str, results: Results) -> BadInput | None:
    """Why a chart of so many models or more cannot be had; None where it can."""
    if len(results.models) >= models:
        return None
    return BadInput(
        f"The chart {chart} is of {models} models or more; run {results.run.id} has"
        f" {len(results.models)}.",
        "Run a comparison with more models.",
    )


_two, _three = partial(_at_least, 2), partial(_at_least, LEAST_MODELS)


_ALL = {"model": "all models", "other": "all models"}
MANY_CHARTS = (
    Chart(
        "grid",
        "Agreement of all models, by subset",
        grid,
        instead=_ALL,
        lacks=_three,
        measure=REWARDS,
    ),
    *(
        Chart(
            name,
            f"{MEASURE_WORDS[measure]} of all models, two by two",
            partial(alike, measure=measure),
            instead=_ALL,
            lacks=_two,
            measure=REWARDS,
        )
        for measure, name in NAMES.items()
    ),
    Chart(
        "fewest",
        "How few models show what all disagree on",
        fewest,
        instead=_ALL,
        lacks=_three,
        measure=REWARDS,
    ),
)
