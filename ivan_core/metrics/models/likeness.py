"""How alike models are, two by two: equal verdicts, Cohen's kappa, correlated margins."""

from __future__ import annotations

from itertools import combinations
from math import atanh, isnan, nan, sqrt, tanh
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np
import pandas as pd

from ivan_core.metrics.agreement import VERDICTS
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.labels.coefficients import cohen_kappa
from ivan_core.metrics.models.judged import Bools, Floats, Judged

Measure = Literal["equal", "kappa", "margins"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
LIKENESS = (
    "first",
    "second",
    "n",
    "left_out",
    "trained",
    "verdicts_equal",
    "equal",
    "equal_low",
    "equal_high",
    "effective_n",
    "kappa",
    "kappa_low",
    "kappa_high",
    "margins",
    "margins_low",
    "margins_high",
)
LEAST_ROWS = 3
"""A correlation of fewer is not told."""
_K = len(VERDICTS)
_SAME = np.eye(_K)
_Z = NormalDist().inv_cdf(0.975)
Ends = tuple[float, float, float]


def likeness(judged: Judged) -> pd.DataFrame:
    """Each two models on the rows that both rated, one row a pair of models, in columns `LIKENESS`.

    `equal` is the share of equal verdicts (a tie is a verdict of its own) with Wilson's interval,
    `kappa` Cohen's with the interval of its large-sample variance (Fleiss, Cohen and Everitt 1969,
    Psychological Bulletin 72:323-327), `margins` Pearson's correlation of the margins with the
    interval of its empirical influences on the scale of Fisher's z. All are 95% and as wide as
    repeated prompts ask. What is not defined is NaN, and so are ends where the data show no spread.
    Rows that one of the two was trained on are left out where that leaves any; else `trained` of
    the `n` rows are such.
    """
    found = []
    for i, j in combinations(range(len(judged.names)), 2):
        rows, left_out = judged.shared(i, j)
        one, other = judged.verdict[i][rows], judged.verdict[j][rows]
        equal = one == other
        rate = wilson(int(equal.sum()), len(equal), design=judged.design(equal, rows))
        ends = (rate.rate, rate.low, rate.high, rate.effective_n) if rate else (nan,) * 4
        found.append(
            (
                judged.names[i],
                judged.names[j],
                len(equal),
                left_out,
                int((judged.seen[[i, j]][:, rows] == 1).any(axis=0).sum()),
                int(equal.sum()),
                *ends,
                *_kappa(judged, _K * one.astype(np.int64) + other, rows),
                *_correlation(judged, judged.margin[i][rows], judged.margin[j][rows], rows),
            )
        )
    return pd.DataFrame(found, columns=list(LIKENESS))


def _kappa(judged: Judged, cell: np.ndarray, rows: Bools) -> Ends:
    """Cohen's kappa with its ends; `cell` is 3 times the first's verdict plus the second's."""
    n = len(cell)
    if not n:
        return nan, nan, nan
    table = np.bincount(cell, minlength=_K * _K).reshape(_K, _K) / n
    kappa = float(cohen_kappa(table[None], _SAME)[0])
    if isnan(kappa):
        return nan, nan, nan
    across, down = table.sum(axis=1), table.sum(axis=0)
    expected, observed = float(across @ down), float(np.trace(table))
    influence = (_SAME * (1 - expected) - (1 - observed) * (down[:, None] + across[None, :])) / (
        1 - expected
    ) ** 2
    spread = float((table * influence**2).sum() - (table * influence).sum() ** 2)
    if spread <= 1e-12:
        return kappa, nan, nan
    half = _Z * sqrt(spread * judged.design(influence.ravel()[cell], rows) / n)
    return kappa, max(-1.0, kappa - half), min(1.0, kappa + half)


def _correlation(judged: Judged, x: Floats, y: Floats, rows: Bools) -> Ends:
    """Pearson's correlation with its ends; NaN below three rows or where one never varies."""
    n = len(x)
    if n < LEAST_ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return nan, nan, nan
    x, y = x - x.mean(), y - y.mean()
    x, y = x / sqrt(float(x @ x) / n), y / sqrt(float(y @ y) / n)
    # Rounded, so that equal margins give exactly 1.
    r = round(float(x @ y) / n, 12)
    influence = x * y - r * (x * x + y * y) / 2
    spread = float(influence @ influence) / n
    if abs(r) >= 1 or spread <= 1e-18:
        return r, nan, nan
    half = _Z * sqrt(spread * judged.design(influence, rows) / n) / (1 - r * r)
    return r, tanh(atanh(r) - half), tanh(atanh(r) + half)


def by_likeness(names: tuple[str, ...], table: pd.DataFrame, measure: Measure) -> list[str]:
    """The models in an order in which those that are alike stand beside each other.

    By average linkage of one minus the measure, the leaves turned so that neighbours are as near as
    can be: Bar-Joseph, Gifford and Jaakkola (2001), Bioinformatics 17:S22-S29. What is not defined
    counts as not alike at all.
    """
    if len(names) < 3:
        return list(names)
    from scipy.cluster.hierarchy import leaves_list, linkage

    # Rounded, so that the order does not hang on the last digits of a machine.
    apart = (1 - table[measure].fillna(0.0)).clip(lower=0.0).round(9).to_numpy(float)
    return [names[place] for place in leaves_list(linkage(apart, "average", optimal_ordering=True))]


def both_ways(table: pd.DataFrame) -> pd.DataFrame:
    """The same table with each two models in both orders."""
    turned = table.rename(columns={"first": "second", "second": "first"})
    return pd.concat([table, turned[list(table.columns)]], ignore_index=True)
