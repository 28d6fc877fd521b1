"""Shares with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `n` as a share, with the ends of its interval (all between 0 and 1)."""

    count: int
    n: int
    rate: float
    low: float
    high: float


def wilson(count: int, n: int, level: float = 0.95) -> Rate | None:
    """Share of `count` in `n` with its Wilson score interval; None if `n` is 0.

    Wilson (1927), Journal of the American Statistical Association 22:209-212, without continuity
    correction. Raises ValueError unless 0 <= count <= n and 0 < level < 1.
    """
    if not 0 <= count <= n:
        raise ValueError(f"A share needs 0 <= count <= n, not {count} of {n}.")
    if not 0 < level < 1:
        raise ValueError(f"The level lies between 0 and 1, not at {level}.")
    if n == 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = count / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At the ends the formula gives exactly 0 or 1, which rounding would miss by a hair.
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == n else min(1.0, centre + half)
    return Rate(count, n, share, low, high)
