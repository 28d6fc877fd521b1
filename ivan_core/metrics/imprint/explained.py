"""How much of what a model prefers the labels explain, and which of them matter most.

Explained is held out: R² = 1 − Σ(y − ŷ)² / Σ y², each pair predicted from the other nine of ten
folds. All pairs of a prompt lie in one fold. Its interval comes from linearisation over prompts:
IF_g = −(a_g − (A / B) b_g) / B with the group sums a of (y − ŷ)² and b of y², and
SE² = G / (G − 1) Σ IF_g².

A column's importance is its Shapley share of the in-sample R², averaged over all orders in which
the columns can enter: Lindeman, Merenda and Gold (1980), Introduction to Bivariate and Multivariate
Analysis, p. 119. Shares add up to R².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.least_squares import NOTHING, Estimate, with_interval
from ivan_core.metrics.imprint.rows import Rows, columns_of, design_of
from ivan_core.metrics.intervals import MOST_UNITS, resampled_sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SETS = ("length", "labels", "labels+length")
DRAWS = 200
_DETERMINED = 1e-6
"""What a column keeps of its square, below which those before it say all of it."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The held-out R² of one set of columns; `found` has no number where nothing varies."""

    columns: str
    found: Estimate
    n: int


@dataclass(frozen=True, slots=True)
class Share:
    """One column's share of the in-sample R², with a percentile interval over draws of prompts."""

    feature: str
    share: float
    low: float
    high: float


def explained(rows: Rows, outcome: Floats, folds: Ints) -> tuple[Explained, ...]:
    """Held-out R² of length, of the labels, and of both. `folds` (n) are numbers from 0 on."""
    sets = (
        columns_of(rows, "length", labels=False),
        columns_of(rows, "none"),
        columns_of(rows, "length"),
    )
    return tuple(
        Explained(name, _held_out(columns.values, outcome, folds, rows.groups), len(rows))
        for name, columns in zip(SETS, sets, strict=True)
    )


def _held_out(x: Floats, y: Floats, folds: Ints, groups: Groups) -> Estimate:
    """R² of pairs predicted without their own fold: 0 where there are no columns."""
    total = float(y @ y)
    if not total or groups.count < 2:
        return NOTHING
    predicted = np.zeros_like(y)
    square, along = x.T @ x, x.T @ y
    for fold in np.unique(folds) if x.shape[1] else ():
        inside = folds == fold
        own = x[inside]
        left = square - own.T @ own
        # A column may vary in one fold alone: the least coefficients that fit are 0 there.
        beta = np.linalg.lstsq(left, along - own.T @ y[inside], rcond=1e-10)[0]
        predicted[inside] = own @ beta
    missed, there = groups.sums((y - predicted) ** 2), groups.sums(y**2)
    ratio = float(missed.sum()) / total
    influence = -(missed - ratio * there) / total
    g = groups.count
    return with_interval(1 - ratio, sqrt(g / (g - 1) * float(influence @ influence)), g - 1)


def importance(
    rows: Rows, outcomes: Sequence[Floats], generator: np.random.Generator, draws: int = DRAWS
) -> tuple[tuple[Share, ...], ...]:
    """The shares of each outcome (n) of all columns, features and length: one tuple an outcome.

    Every draw takes as many prompts as there are, with replacement, the same for all outcomes.
    """
    columns, _ = design_of(rows, "length")
    width = len(columns.names)
    if not width or not len(rows):
        return tuple(() for _ in outcomes)
    table = np.column_stack([columns.values, *outcomes])
    by_prompt = _products(table, rows.groups)
    weights = _weights(width)
    points = _shares(_square(by_prompt.sum(axis=0)), weights)
    # Half the digits are enough for the ends of an interval, and twice as fast.
    drawn = [
        _shares(_square(one).astype(np.float32), weights)
        for one in resampled_sums(by_prompt, generator, draws)
    ]
    low, high = np.quantile(np.stack(drawn), (0.025, 0.975), axis=0)
    return tuple(
        tuple(
            Share(name, float(points[k, j]), float(low[k, j]), float(high[k, j]))
            for j, name in enumerate(columns.names)
        )
        for k in range(len(outcomes))
    )


def _products(table: Floats, groups: Groups) -> Floats:
    """The products of any two columns, summed by prompt: (prompts, k (k + 1) / 2).

    Of more than 10,000 prompts every 10,000th are one, as where they are drawn.
    """
    units = Groups(groups.codes % MOST_UNITS)
    first, second = np.triu_indices(table.shape[1])
    sums = np.empty((units.count, len(first)))
    for place, (i, j) in enumerate(zip(first, second, strict=True)):
        sums[:, place] = units.sums(table[:, i] * table[:, j])
    return sums


def _square(products: Floats) -> Floats:
    """The symmetric matrix of products of any two columns, scaled to a diagonal of 1 or 0."""
    width = int(sqrt(2 * len(products)))
    square = np.zeros((width, width))
    square[np.triu_indices(width)] = products
    square = square + np.triu(square, 1).T
    scale = np.sqrt(np.diag(square))
    scale[scale == 0] = 1
    return np.asarray(square / np.outer(scale, scale))


def _shares(square: NDArray[np.floating[Any]], weights: Floats) -> Floats:
    """The shares (outcomes, columns), from scaled products whose outcomes stand last.

    Column by column each subset either leaves it out or has it swept out of the block that
    trails, which so shrinks by one row while their number doubles.
    """
    width = len(weights)
    block = square[None]
    for _ in range(width):
        pivot, beside, rest = block[:, 0, 0], block[:, 0, 1:], block[:, 1:, 1:]
        told = pivot > _DETERMINED
        scaled = beside * np.where(told, 1 / np.where(told, pivot, 1), 0)[:, None]
        swept = np.empty((2, *rest.shape), dtype=square.dtype)
        swept[0] = rest
        np.subtract(rest, scaled[:, :, None] * beside[:, None, :], out=swept[1])
        block = swept.reshape(-1, *rest.shape[1:])
    explains = 1 - np.diagonal(block, axis1=1, axis2=2).astype(np.float64)
    explains[:, np.diag(square)[width:] == 0] = nan
    return np.asarray((weights @ explains).T)


@lru_cache(maxsize=4)
def _weights(width: int) -> Floats:
    """What each subset's R² counts in each column's share: (columns, subsets).

    In a subset's number the first column is the lowest bit.
    """
    subsets = np.arange(2**width)
    sizes = sum((subsets >> bit) & 1 for bit in range(width))
    joins = np.array([1 / (width * comb(width - 1, size)) for size in range(width)])
    without = joins[np.minimum(sizes, width - 1)]
    before = joins[np.maximum(sizes - 1, 0)]
    has = [(subsets >> column) & 1 == 1 for column in range(width)]
    return np.stack([np.where(one, before, -without) for one in has])
