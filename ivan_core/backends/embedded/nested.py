"""How well a way of training a head does, choosing included: nested cross-validation.

The best of several out-of-fold rates is too good, since it was picked for being the best. Here the
inner folds choose C and the pull towards the control head, and the outer folds, which no choice has
seen, measure what was chosen: Varma and Simon (2006), BMC Bioinformatics 7:91.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ivan_core.backends.embedded.fitting import (
    FOLDS,
    PENALTIES,
    SEED,
    Rows,
    agreement,
    fit_rows,
    folds,
    out_of_fold,
)
from ivan_core.metrics.intervals import design_effect, mean_interval

DIVISIONS = 5
"""How many times the rows are divided anew: one division moves the rate by about a point."""
WAYS: Mapping[str, tuple[float, ...]] = {
    "quarter": (0.25,),
    "none": (0.0,),
    "whole": (1.0,),
    "chosen": (1.0, 0.25, 0.0),
}
"""Ways to train, by the pulls towards the control that the inner folds may choose from."""
PULLS = WAYS["chosen"]
"""Candidates for the pull: how much of the control head is the prior."""


def nested(rows: Rows, control: np.ndarray, divisions: int = DIVISIONS) -> dict[str, Any]:
    """The agreement of every way on rows that neither fitted nor chose its head.

    Each way has its mean rate over the divisions with its 95% interval over rows, what was chosen
    how often, and how much it is ahead of the way in use (a quarter), paired by row. Intervals are
    as wide as rows of the same first Human turn ask.
    """
    found = [_one_division(rows, control, SEED + i) for i in range(divisions)]
    agrees = {way: np.mean([one[way][0] > 0 for one in found], axis=0) for way in WAYS}
    ahead = {way: agrees[way] - agrees["quarter"] for way in WAYS}
    chosen = {way: sum((Counter(one[way][1]) for one in found), Counter()) for way in WAYS}
    return {
        "rows": len(rows.group),
        "divisions": divisions,
        "folds": [FOLDS, FOLDS],
        "ways": {
            way: {
                **_mean(agrees[way], rows.group),
                "by_division": [round(agreement(one[way][0]), 4) for one in found],
                "chosen": {f"pull {p:g}, C {c:g}": n for (p, c), n in chosen[way].most_common()},
                **({} if way == "quarter" else {"ahead": _mean(ahead[way], rows.group)}),
            }
            for way in WAYS
        },
    }


def _one_division(
    rows: Rows, control: np.ndarray, seed: int
) -> dict[str, tuple[np.ndarray, list[tuple[float, float]]]]:
    """Margins of all rows by way, each by a head that knows nothing of the row, and the choices."""
    margins = {way: np.zeros(len(rows.group)) for way in WAYS}
    choices: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for train, test in folds(rows, seed):
        inner = rows.at(train)
        rates = {
            (pull, c): agreement(out_of_fold(inner, pull * control, c, seed))
            for pull in PULLS
            for c in PENALTIES
        }
        for way, pulls in WAYS.items():
            pull, c = best(rates, pulls)
            margins[way][test] = rows.difference[test] @ fit_rows(inner, pull * control, c)
            choices[way].append((pull, c))
    return {way: (margins[way], choices[way]) for way in WAYS}


def best(rates: Mapping[tuple[float, float], float], pulls: Sequence[float]) -> tuple[float, float]:
    """The pull and the C with the highest rate; of equals the first."""
    return max((key for key in rates if key[0] in pulls), key=lambda key: rates[key])


def _mean(values: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    low, high = mean_interval(values, design=design_effect(values, groups))
    return {"rate": round(float(values.mean()), 4), "interval": [round(low, 4), round(high, 4)]}
