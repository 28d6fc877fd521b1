"""Two shares of the same pairs: their difference with interval and test, and the pairs it takes.

The two are models that agree with the choice or do not, or sides that a label is given to or is
not. Only discordant pairs, where one does and the other does not, tell their shares apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log, sqrt
from statistics import NormalDist

import numpy as np

from ivan_core.metrics.intervals import Rate, wilson

GAPS = (0.01, 0.02, 0.05)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more often the first model agrees than the second, on the pairs both rated.

    `first_only` and `second_only` are the discordant pairs, on which only that model agrees;
    `difference`, `low` and `high` are shares between -1 and 1; `mid_p` is McNemar's. With a
    `design` effect above 1, interval and test are those of n / design pairs.
    """

    both: int
    first_only: int
    second_only: int
    neither: int
    first: Rate
    second: Rate
    difference: float
    low: float
    high: float
    mid_p: float
    design: float = 1.0

    @property
    def n(self) -> int:
        """Pairs that both models rated."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def effective_n(self) -> int:
        """How many independent pairs would give an interval as wide."""
        return max(1, round(self.n / self.design))

    @property
    def discordance(self) -> float:
        """Share of pairs on which exactly one model agrees."""
        return (self.first_only + self.second_only) / self.n

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of no difference."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Needed:
    """How many pairs show a true difference of `gap`; `pairs` is None if it cannot be so large."""

    gap: float
    pairs: int | None


def difference_of_counts(
    both: int,
    first_only: int,
    second_only: int,
    neither: int,
    level: float = 0.95,
    design: float = 1.0,
) -> Difference | None:
    """The difference of two paired shares from the four counts; None if all are 0.

    The interval joins the Wilson limits of both shares by squaring and adding, with their
    correlation phi corrected for continuity: Newcombe (1998), Statistics in Medicine 17:2635-2650,
    method 10. `design` is the design effect of the difference (1 or more): interval and test are
    those of counts so many times as small. The test's are rounded towards each other.
    """
    n = both + first_only + second_only + neither
    first = wilson(both + first_only, n, level, design)
    second = wilson(both + second_only, n, level, design)
    if first is None or second is None:
        return None
    phi = _phi(both, first_only, second_only, neither, design)
    difference = (first_only - second_only) / n
    below = _joined(first.rate - first.low, second.high - second.rate, phi)
    above = _joined(first.high - first.rate, second.rate - second.low, phi)
    return Difference(
        both, first_only, second_only, neither, first, second,
        difference, max(-1.0, difference - below), min(1.0, difference + above),
        mcnemar_mid_p(*_effective(first_only, second_only, design)), design,
    )  # fmt: skip


def mcnemar_mid_p(first_only: int, second_only: int) -> float:
    """Two-sided mid-p value of McNemar's test, exact from the binomial distribution.

    2 P(X < m) + P(X = m) for the smaller discordant count m: Fagerland, Lydersen and Laake (2013),
    BMC Medical Research Methodology 13:91. Equal counts give 1.
    """
    n, smaller = first_only + second_only, min(first_only, second_only)
    k = np.arange(1, smaller + 1, dtype=float)
    # log C(n, k), each from the one before it, with log 2^n taken off.
    steps = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))]) - n * log(2)
    terms = np.exp(steps)
    return min(1.0, float(2 * terms[:-1].sum() + terms[-1]))


def pairs_needed(
    discordance: float, gaps: tuple[float, ...] = GAPS, design: float = 1.0
) -> list[Needed]:
    """How many pairs show true differences of these sizes with 80% power at a two-sided 5%.

    [z(.975) sqrt(d) + z(.8) sqrt(d - gap^2)]^2 / gap^2 for the discordance d: Connor (1987),
    Biometrics 43:207-211. Only the discordance comes from the data; the observed difference never
    enters. A difference cannot be larger than the discordance. With a `design` effect, so many
    times as many.
    """
    normal = NormalDist()
    z_alpha, z_beta = normal.inv_cdf(0.975), normal.inv_cdf(0.8)
    found = []
    for gap in gaps:
        if not 0 < gap <= discordance:
            found.append(Needed(gap, None))
            continue
        spread = z_alpha * sqrt(discordance) + z_beta * sqrt(discordance - gap**2)
        found.append(Needed(gap, ceil(design * spread**2 / gap**2)))
    return found


def _effective(first_only: int, second_only: int, design: float) -> tuple[int, int]:
    """The smaller and the larger discordant count, whole, as a test on fewer pairs has them.

    Rounded towards each other: rounding alone never makes a difference clear.
    """
    smaller, larger = sorted((first_only, second_only))
    least = ceil(smaller / design)
    return least, max(least, floor(larger / design))


def _phi(both: int, first_only: int, second_only: int, neither: int, design: float) -> float:
    """The correlation of the two verdicts, corrected for continuity; 0 if a margin is empty."""
    n = both + first_only + second_only + neither
    margins = [both + first_only, second_only + neither, both + second_only, first_only + neither]
    if 0 in margins:
        return 0.0
    excess: float = both * neither - first_only * second_only
    if excess > 0:
        # Half a pair in each of the n / design pairs' cells is half a design effect in these.
        excess = max(excess - n * design / 2, 0.0)
    return excess / sqrt(margins[0] * margins[1]) / sqrt(margins[2] * margins[3])


def _joined(one: float, other: float, phi: float) -> float:
    return sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))
