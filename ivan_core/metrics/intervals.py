"""Shares with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `n` as a share, with the ends of its interval (all between 0 and 1).

    `design` is the design effect that widened the interval: it is that of n / design pairs.
    """

    count: int
    n: int
    rate: float
    low: float
    high: float
    design: float = 1.0

    @property
    def effective_n(self) -> int:
        """How many independent pairs would give an interval as wide."""
        return max(1, round(self.n / self.design))


def wilson(count: int, n: int, level: float = 0.95, design: float = 1.0) -> Rate | None:
    """Share of `count` in `n` with its Wilson score interval; None if `n` is 0.

    Wilson (1927), Journal of the American Statistical Association 22:209-212, without continuity
    correction; with a design effect (1 or more), that of n / design. Raises ValueError unless
    0 <= count <= n and 0 < level < 1.
    """
    if not 0 <= count <= n:
        raise ValueError(f"A share needs 0 <= count <= n, not {count} of {n}.")
    if not 0 < level < 1:
        raise ValueError(f"The level lies between 0 and 1, not at {level}.")
    if n == 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, design = count / n, max(1.0, design)
    alone = n / design
    centre = (share + z**2 / (2 * alone)) / (1 + z**2 / alone)
    half = z / (1 + z**2 / alone) * sqrt(share * (1 - share) / alone + z**2 / (4 * alone**2))
    # At the ends the formula gives exactly 0 or 1, which rounding would miss by a hair.
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == n else min(1.0, centre + half)
    return Rate(count, n, share, low, high, design)


def rate_of_row(count: int, n: int, low: float, high: float, effective_n: float) -> Rate | None:
    """The share of a table's row again, with the ends it has there; None if `n` is 0."""
    return Rate(count, n, count / n, low, high, n / effective_n) if n else None
