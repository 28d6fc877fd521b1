"""Bootstrap by prompt: both sides of a pair are drawn together, and pairs that share a prompt."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIMES = 1_000
MOST_UNITS = 10_000
_AT_ONCE = 4_000_000
_LEAST_DEFINED = 0.95
_ROUNDING = 1e-9
"""Coefficients that are so near each other are the same, computed in another order."""


def resampled_sums(by_pair: Floats, generator: np.random.Generator, times: int = TIMES) -> Floats:
    """Column sums over pairs drawn with replacement, as many as there are, `times` times.

    `by_pair` has a row a pair, or a prompt where pairs share one. All columns see the same draws;
    what is drawn depends only on the generator, the number of pairs and `times`. Of more than
    10,000 pairs, every 10,000th are drawn together, which leaves the spread of sums over
    independent pairs as it is.
    """
    by_pair = _grouped(by_pair)
    n = len(by_pair)
    sums = np.zeros((times, by_pair.shape[1]))
    if n == 0:
        return sums
    step = max(1, _AT_ONCE // n)
    for start in range(0, times, step):
        size = min(step, times - start)
        drawn = generator.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        sums[start : start + size] = weights.astype(np.float64) @ by_pair
    return sums


def _grouped(by_pair: Floats) -> Floats:
    """Sums over every 10,000th pair where there are more pairs than that."""
    n, width = by_pair.shape
    if n <= MOST_UNITS:
        return by_pair
    padded = np.zeros((-(-n // MOST_UNITS) * MOST_UNITS, width))
    padded[:n] = by_pair
    return np.asarray(padded.reshape(-1, MOST_UNITS, width).sum(axis=0), dtype=np.float64)


def bca_interval(
    values: Floats, point: float, without: Floats, level: float = 0.95
) -> tuple[float, float]:
    """The interval of resampled values, corrected for bias and skewness (BCa).

    `without` are the values with each pair left out in turn. Efron (1987), Journal of the American
    Statistical Association 82:171-185: of small or skewed samples it covers 92-97% where the plain
    percentiles cover 89-93%. NaN if more than one in twenty resampled values does not exist.
    """
    defined = values[~np.isnan(values)]
    if not len(values) or len(defined) < _LEAST_DEFINED * len(values):
        return float("nan"), float("nan")
    normal, n = NormalDist(), len(defined)
    same = np.abs(defined - point) <= _ROUNDING
    below = (np.count_nonzero(~same & (defined < point)) + np.count_nonzero(same) / 2) / n
    bias = normal.inv_cdf(min(max(below, 0.5 / n), 1 - 0.5 / n))
    left = without[~np.isnan(without)]
    off = left.mean() - left if len(left) else np.zeros(1)
    squares = float((off**2).sum())
    varies = bool(np.abs(off).max() > _ROUNDING)
    skew = float((off**3).sum()) / (6 * squares**1.5) if varies else 0.0
    places = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        z = bias + normal.inv_cdf(tail)
        places.append(normal.cdf(bias + z / max(1 - skew * z, 1e-6)))
    low, high = np.quantile(defined, places)
    return float(low), float(high)
