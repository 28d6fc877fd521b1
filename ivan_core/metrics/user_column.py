"""A user column on both sides: how its values spread, and which side has more of it.

Values are one number for each side of a row, NaN where a side has none. Ranges that a click asks
for are made of values that occur, so that they hold exactly the rows that were counted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.agreement import rated
from ivan_core.metrics.bins import bin_of
from ivan_core.metrics.prompts import rate_in
from ivan_core.metrics.sentences import percent

Floats = NDArray[np.float64]

LARGER = ("chosen", "equal", "rejected")
"""Which side has the larger number."""
FEW = 6
"""Up to so many different values have a bar each; more are counted in bins."""
_TAIL = 0.005
_LARGEST = 1e300
_BINS = ["bin", "x0", "x1", "low", "high", "side", "count", "n", "share"]
_AGREEMENT = [
    "model",
    "larger",
    "agree",
    "n",
    "rate",
    "rate_low",
    "rate_high",
    "low",
    "high",
    "effective_n",
]


def column_bins(chosen: Floats, rejected: Floats, bins: int = 30) -> pd.DataFrame:
    """Count the values of both sides, one row a bin and side, in the order of values.

    Columns: bin (from 0), x0 and x1 (where the bin is drawn), low and high (the smallest and the
    largest value in it), side, count, n (values of the side), share (count / n). Up to 6 different
    values have a bin each, with x0 = x1. Else bins are equally wide, and whole numbers never share
    theirs with a part of a number; a thin tail (0.5% at an end that is longer than all the rest)
    is counted in the last bin before it. Bins that are empty on both sides are left out.
    """
    known = {side: _known(v) for side, v in zip(SIDES, (chosen, rejected), strict=True)}
    values = np.concatenate(list(known.values()))
    if not values.size:
        return pd.DataFrame(columns=_BINS)
    distinct = np.unique(values)
    few = len(distinct) <= FEW
    edges = distinct if few else _edges(values, bins)
    place = _place_few if few else bin_of
    parts = {side: place(own, edges) for side, own in known.items()}
    everywhere = np.concatenate(list(parts.values()))
    found: list[tuple[object, ...]] = []
    for number in np.unique(everywhere):
        inside = values[everywhere == number]
        x0, x1 = (edges[number], edges[number]) if few else (edges[number], edges[number + 1])
        for side, own in parts.items():
            count = int(np.count_nonzero(own == number))
            share = count / own.size if own.size else 0.0
            found.append(
                (int(number), x0, x1, inside.min(), inside.max(), side, count, own.size, share)
            )
    return pd.DataFrame(found, columns=_BINS)


def agreement_by_larger(table: pd.DataFrame, difference: pd.Series) -> pd.DataFrame:
    """How often each model agrees where the number is larger on the chosen side, equal, or smaller.

    `table` is the scores table, `difference` chosen minus rejected by row id. Columns: model,
    larger, agree, n (rated pairs), rate with its 95% Wilson interval (rate_low, rate_high), low and
    high (the ends of the differences there), effective_n (how many pairs without shared prompts
    give so wide an interval). Groups without a rated pair are left out.
    """
    own = rated(table)
    apart = difference.reindex(own["row_id"]).to_numpy(float)
    groups = {"chosen": apart > 0, "equal": apart == 0, "rejected": apart < 0}
    agree = own["verdict"].isin(["agree"]).to_numpy(bool)
    code, models = pd.factorize(own["model"])
    found: list[tuple[object, ...]] = []
    for number, model in enumerate(models):
        for larger in LARGER:
            inside = groups[larger] & (code == number)
            rate = rate_in(own[inside], agree[inside])
            if rate is not None:
                ends = _ends(difference, larger)
                found.append(
                    (
                        str(model),
                        larger,
                        rate.count,
                        rate.n,
                        rate.rate,
                        rate.low,
                        rate.high,
                        *ends,
                        rate.effective_n,
                    )
                )
    return pd.DataFrame(found, columns=_AGREEMENT)


def sides_sentence(chosen: Floats, rejected: Floats) -> str:
    """Both means, and how often which side has more, in words."""
    both = ~(np.isnan(chosen) | np.isnan(rejected))
    n, total = int(np.count_nonzero(both)), len(both)
    if not n:
        return "No pair has a value on both sides."
    ours, theirs = chosen[both], rejected[both]
    counts = [np.count_nonzero(found) for found in (ours > theirs, ours == theirs, ours < theirs)]
    more, equal, less = (percent(int(count) / n, n) for count in counts)
    left = total - n
    lack = "pair lacks" if left == 1 else "pairs lack"
    missing = f" {left:,} {lack} a value on a side." if left else ""
    return (
        f"Mean {_mean(ours):.4g} on the chosen side and {_mean(theirs):.4g} on the rejected side; "
        f"larger on the chosen side in {more}, equal in {equal}, larger on the rejected side in "
        f"{less} of {n:,} pairs.{missing}"
    )


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _mean(values: Floats) -> float:
    return float((values / len(values)).sum())  # a sum of the largest numbers would overflow


def _ends(difference: pd.Series, larger: str) -> tuple[float, float]:
    """The smallest and the largest difference of a group, over all rows."""
    values = difference.to_numpy(float)
    if larger == "equal":
        return 0.0, 0.0
    own = values[values > 0] if larger == "chosen" else values[values < 0]
    return float(own.min()), float(own.max())


def _edges(values: Floats, bins: int) -> Floats:
    within = np.clip(values, -_LARGEST, _LARGEST)
    least, low, high, most = (float(q) for q in np.quantile(within, [0, _TAIL, 1 - _TAIL, 1]))
    span = high - low
    low = low if span and low - least > span else least
    high = high if span and most - high > span else most
    if np.all(values == np.floor(values)) and high - low < 1e15:
        width = max(1, int(np.ceil((high - low + 1) / bins)))
        return np.arange(np.floor(low), high + width + 1, width, dtype=np.float64)
    return np.linspace(low, high, bins + 1)


def _place_few(values: Floats, distinct: Floats) -> NDArray[np.int64]:
    return np.searchsorted(distinct, values).astype(np.int64)
