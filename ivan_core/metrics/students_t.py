"""Student's t: interval and test of a mean over pairs, without a library of distributions."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


def mean_interval(values: Floats, level: float = 0.95, design: float = 1.0) -> tuple[float, float]:
    """The interval of the mean of values; NaN for fewer than two of them.

    With a design effect (1 or more) it is that of n / design independent values.
    """
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) * sqrt(design / n)
    half = quantile(_freedom(n, design), level) * spread
    return mean - half, mean + half


def mean_p(values: Floats, design: float = 1.0) -> float:
    """Two-sided p-value of the mean against 0, in the same way; NaN for fewer than two values."""
    n = len(values)
    if n < 2:
        return float("nan")
    mean, spread = float(values.mean()), float(values.std(ddof=1)) * sqrt(design / n)
    if not spread:
        return 0.0 if mean else 1.0
    return max(0.0, 1 - _within(abs(mean) / spread, _freedom(n, design)))


def _freedom(n: int, design: float) -> int:
    """Degrees of freedom of so many values, or of as few as they are worth."""
    return max(1, round(n / design) - 1)


@lru_cache(maxsize=256)
def quantile(df: int, level: float = 0.95) -> float:
    """The t within which this share of Student's distribution lies, by bisection."""
    if df < 1 or not 0 < level < 1:
        raise ValueError(f"Student's t needs df >= 1 and 0 < level < 1, not {df} and {level}.")
    low, high = 0.0, 1.0
    while _within(high, df) < level:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, df) < level else (low, middle)
    return (low + high) / 2


def _within(t: float, df: int) -> float:
    """The share of Student's distribution between -t and t.

    With x = sqrt(df) tan a the density becomes cos(a)^(df - 1), smooth on a bounded range.
    """
    reach = float(np.arctan(t / sqrt(df)))
    angles = reach * (_NODES + 1) / 2
    constant = exp(lgamma((df + 1) / 2) - lgamma(df / 2) - log(pi) / 2)
    density = constant * np.cos(angles) ** (df - 1)
    return float(reach * (_WEIGHTS @ density))
