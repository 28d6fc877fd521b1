"""How sure a model is, and whether it is right more often where it is surer.

A margin m becomes a probability sigma(m / T) that the model gives to the choice (Bradley and Terry
1952, Biometrika 39:324-345), with one temperature T a model. A model that gives more than 50% to
the side it likes agrees by definition, so pairs are ordered by the size of the margin and never by
its sign. Ties make no claim and carry no information on T: they are left out here and counted
beside; the risk-coverage curve, which needs no scale, keeps them as pairs without agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.agreement import rated
from ivan_core.metrics.intervals import PROMPT, design_in, rate_in, wilson

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FOLDS = 5
LEAST_IN_BIN = 50
MOST_BINS = 10
LEAST_FOR_ECE = 300
MOST_POINTS = 500
DRAWS = 1_000
MARKED = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the pairs at which the risk-coverage curve carries an interval."""
_EXACT_UP_TO = 4_000_000
BIN_COLUMNS = [
    "scale",
    "bin",
    "n",
    "agree",
    "margin_low",
    "margin_high",
    "sure",
    "rate",
    "low",
    "high",
    "effective_n",
]
CURVE_COLUMNS = ["model", "coverage", "n", "rate", "low", "high", "least_margin", "marked"]
CURVE_COLUMNS += ["effective_n"]


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """Mean distance of agreement from sureness over the bins, weighted by pairs (ECE).

    `low` to `high` hold 95% of the values that a perfectly calibrated model would show with the
    same pairs in the same bins.
    """

    ece: float
    low: float
    high: float

    @property
    def beyond_chance(self) -> bool:
        """Whether a calibrated model would rarely show so large an error."""
        return self.ece > self.high


@dataclass(frozen=True, slots=True)
class Reliability:
    """How sure one model is against how often it agrees.

    `temperature` is None where the model has no usable scale. `bins` has one row per scale and bin:
    scale ("fitted" with the temperature of the other folds, "raw" with T = 1), bin (0 has the
    smallest margins), n, agree, margin_low, margin_high, sure (mean sigma(|m| / T)), rate, low,
    high (agreement with its Wilson interval), effective_n (as if
    of how many independent pairs). `fitted` and `raw` are None below 300 pairs.
    """

    n: int
    ties: int
    temperature: float | None
    bins: pd.DataFrame
    fitted: CalibrationError | None
    raw: CalibrationError | None


_ROUNDING = 1e-9
"""In typical margins; a mean that is 0 differs from it by the rounding of its sum."""


def temperature(margins: Floats) -> float | None:
    """The T that makes the choices likeliest under sigma(m / T); None if no T above 0 does.

    The log likelihood is concave in 1 / T, so its slope is 0 at its top alone. There is none where
    the mean margin is not positive (the best 1 / T is 0 or below) or where no margin is negative
    (the likelihood grows for ever).
    """
    from scipy.optimize import brentq

    values = np.asarray(margins, dtype=float)
    values = values[values != 0]
    largest = float(np.abs(values).max()) if values.size else 0.0
    if largest == 0 or not values.min() < 0:
        return None
    values = values / largest
    unit = float(np.sqrt(np.mean(values**2)))
    values = values / unit
    if float(values.mean()) <= _ROUNDING:
        return None
    low, high = 0.0, 1.0
    while _slope(high, values) > 0:
        low, high = high, high * 4
        if high > 1e9:
            return None
    at = float(brentq(_slope, low, high, (values,), xtol=1e-300, rtol=1e-15))
    return largest * unit / at


def cross_fitted(margins: Floats, folds: NDArray[np.int64]) -> Floats | None:
    """For each pair the T of all folds but its own; None if one of them has no T."""
    found = np.empty(len(margins))
    for fold in np.unique(folds):
        own = folds == fold
        fitted = temperature(margins[~own])
        if fitted is None:
            return None
        found[own] = fitted
    return found


def folds_of(keys: pd.Series) -> NDArray[np.int64]:
    """The fold of each pair from a hash of its key: the same in every run, whatever the order."""
    hashed = np.asarray(pd.util.hash_array(keys.to_numpy()), dtype=np.uint64)
    return np.asarray(hashed % np.uint64(FOLDS), dtype=np.int64)


def reliability(
    table: pd.DataFrame, rng: np.random.Generator, groups: pd.Series | None = None
) -> Reliability:
    """How sure one model is against how often it agrees, in bins of at least 50 pairs.

    Bins hold equal counts, but pairs with margins of one size are never split. `table` holds one
    model. `groups` gives each row id the group that must not be split between folds, such as the
    first Human turn; without it a pair is its own group. `rng` draws the range of a calibrated
    model. No usable scale: agreement of one half or less (ties are part of n), or a likelihood
    without a top.
    """
    own = rated(table)
    decided = own[own["verdict"].ne("tie").to_numpy(bool)]
    margins = decided["margin"].to_numpy(float)
    agree = decided["verdict"].eq("agree").to_numpy(bool)
    ties = len(own) - len(decided)
    empty = pd.DataFrame(columns=BIN_COLUMNS)
    if not len(own) or 2 * int(agree.sum()) <= len(own):
        return Reliability(len(decided), ties, None, empty, None, None)
    keys = decided["row_id"] if groups is None else decided["row_id"].map(groups)
    overall, by_fold = temperature(margins), cross_fitted(margins, folds_of(keys))
    if overall is None or by_fold is None:
        return Reliability(len(decided), ties, None, empty, None, None)
    size = np.abs(margins)
    order = np.argsort(size, kind="stable")
    edges = bin_edges(size[order])
    tables, errors = [], []
    for scale, unit in (("fitted", by_fold), ("raw", np.ones(len(size)))):
        sure = _sigma(size / unit)[order]
        tables.append(_bins(scale, size[order], sure, agree[order], edges, decided.iloc[order]))
        errors.append(
            calibration_error(sure, agree[order], edges, rng)
            if len(order) >= LEAST_FOR_ECE
            else None
        )
    bins = pd.concat(tables, ignore_index=True)
    return Reliability(len(decided), ties, overall, bins, errors[0], errors[1])


def calibration_error(
    sure: Floats, agree: Flags, edges: NDArray[np.int64], rng: np.random.Generator
) -> CalibrationError:
    """The expected calibration error, and the range a calibrated model shows with these pairs.

    Expected calibration error: Naeini, Cooper and Hauskrecht (2015), AAAI 29:2901-2907. Pairs stand
    in the order of the bins; `edges` are the places where bins begin, and the end. The range holds
    95% of 1,000 simulations in which each pair agrees with the probability `sure`.
    """
    expected = np.add.reduceat(sure, edges[:-1])
    observed = np.add.reduceat(agree.astype(float), edges[:-1])
    drawn = _simulated(sure, edges, rng)
    errors = np.abs(drawn - expected).sum(axis=1) / len(sure)
    low, high = np.quantile(errors, [0.025, 0.975])
    return CalibrationError(
        float(np.abs(observed - expected).sum() / len(sure)), float(low), float(high)
    )


def risk_coverage(table: pd.DataFrame) -> pd.DataFrame:
    """Agreement among the pairs a model is surest of, as more and more of its pairs count.

    Risk and coverage: El-Yaniv and Wiener (2010), Journal of Machine Learning Research
    11:1605-1641; here 1 - risk is drawn. One row per model and point: model, coverage (share of the
    rated pairs), n, rate (agreement, ties agreeing with neither), low, high (Wilson), least_margin
    (the smallest |margin| that counts), marked (about 10%, 25%, 50%, 75% and all of the pairs).
    Pairs of equal |margin| enter together. A curve starts at 50 pairs and has at most 500
    points; its last point is the agreement of all pairs.
    """
    parts = [_curve(str(model), own) for model, own in rated(table).groupby("model", sort=False)]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=CURVE_COLUMNS)


def _slope(at: float, values: Floats) -> float:
    """The derivative of the mean log likelihood by 1 / T."""
    # Plain sums: products of long vectors would start threads that cost more than they save.
    return float((values * _sigma(-at * values)).mean())


def _sigma(values: Floats) -> Floats:
    # Beyond 700 the exponential leaves the range of a float; the result is 0 or 1 long before.
    return 1 / (1 + np.exp(-np.clip(values, -700, 700)))


def bin_edges(size: Floats) -> NDArray[np.int64]:
    """Where bins of at least 50 pairs begin, and the end; one bin below 100 pairs.

    `size` is in order. Bins hold equal counts as far as can be: pairs of equal size share theirs,
    so that a bin is all pairs from its smallest to its largest size.
    """
    n = len(size)
    count = max(1, min(MOST_BINS, n // LEAST_IN_BIN))
    wanted = np.linspace(0, n, count + 1).round().astype(np.int64)[1:-1]
    edges = [0]
    for end in np.searchsorted(size, size[wanted - 1], side="right").tolist():
        if end - edges[-1] >= LEAST_IN_BIN and n - end >= LEAST_IN_BIN:
            edges.append(end)
    return np.array([*edges, n], dtype=np.int64)


def _bins(
    scale: str,
    size: Floats,
    sure: Floats,
    agree: Flags,
    edges: NDArray[np.int64],
    pairs: pd.DataFrame,
) -> pd.DataFrame:
    rows = []
    for i, (start, end) in enumerate(pairwise(edges.tolist())):
        rate = rate_in(pairs.iloc[start:end], agree[start:end])
        if rate is None or rate.n < LEAST_IN_BIN:
            continue
        ends = float(size[start]), float(size[end - 1])
        mean = float(sure[start:end].mean())
        shares = (rate.rate, rate.low, rate.high, rate.effective_n)
        rows.append((scale, i, rate.n, rate.count, *ends, mean, *shares))
    return pd.DataFrame(rows, columns=BIN_COLUMNS)


def _simulated(sure: Floats, edges: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """How many pairs of each bin agree in each simulation."""
    if len(sure) * DRAWS <= _EXACT_UP_TO:
        agree = rng.random((DRAWS, len(sure))) < sure
        return np.add.reduceat(agree, edges[:-1], axis=1, dtype=float)
    # Bins are so large here that their counts are normal with the same mean and variance.
    mean = np.add.reduceat(sure, edges[:-1])
    spread = np.sqrt(np.add.reduceat(sure * (1 - sure), edges[:-1]))
    return mean + spread * rng.standard_normal((DRAWS, len(mean)))


def _curve(model: str, own: pd.DataFrame) -> pd.DataFrame:
    size = np.abs(own["margin"].to_numpy(float))
    order = np.argsort(-size, kind="stable")
    size = size[order]
    sides = own["verdict"].eq("agree").to_numpy(bool)[order]
    agreed = np.cumsum(sides)
    total = len(size)
    # A point is the last pair of its size, from the first that leaves at least 50 pairs in.
    last = np.flatnonzero(np.append(size[1:] != size[:-1], True))
    last = last[last + 1 >= min(LEAST_IN_BIN, total)]
    wanted = np.array([int(np.ceil(share * total)) - 1 for share in MARKED])
    marked = np.unique(last[np.searchsorted(last, np.clip(wanted, 0, total - 1))])
    designs = np.ones(len(marked))
    if PROMPT in own.columns:
        groups = own[[PROMPT]].iloc[order]
        designs = np.array([design_in(groups[: at + 1], sides[: at + 1]) for at in marked])
    points = min(MOST_POINTS - len(marked), len(last))
    kept = last[np.unique(np.linspace(0, len(last) - 1, points).round().astype(int))]
    rows = []
    for place in np.union1d(kept, marked):
        n = int(place) + 1
        # Between marked points the design effect is that of the next one.
        design = float(designs[min(np.searchsorted(marked, place), len(designs) - 1)])
        rate = wilson(int(agreed[place]), n, design=design)
        if rate is not None:
            ends = (rate.rate, rate.low, rate.high, float(size[place]))
            told = bool(np.isin(place, marked)), rate.effective_n
            rows.append((model, n / total, n, *ends, *told))
    return pd.DataFrame(rows, columns=CURVE_COLUMNS)
