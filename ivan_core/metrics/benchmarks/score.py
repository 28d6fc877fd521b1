"""A benchmark's own number with its parts. Rows are drawn again for the intervals: what a benchmark
adds up are no counts of one kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.intervals import TIMES, resampled_sums

Floats = NDArray[np.float64]
_SEED = 0
_OUTER = (0.025, 0.975)
_DRAWN = f"Intervals are of rows drawn again {TIMES:,} times."


@dataclass(frozen=True, slots=True)
class Part:
    """One of the numbers that the whole is the mean of: `n` rows, with its 95% interval."""

    name: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Score:
    """What a benchmark's own code would say of a model; `value` is NaN where it has no whole.

    `missing`: why there is no whole, in a sentence; `notes`: what to know of the numbers.
    """

    benchmark: str
    value: float
    low: float
    high: float
    parts: tuple[Part, ...]
    missing: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return not isnan(self.value)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A number, and the same of rows drawn again (`TIMES` values)."""

    value: float
    again: Floats
    n: int

    @property
    def ends(self) -> tuple[float, float]:
        """The interval; NaN where it is of one row, or of none."""
        known = self.again[~np.isnan(self.again)]
        if self.n < 2 or len(known) < len(self.again):
            return nan, nan
        low, high = np.quantile(known, _OUTER)
        return float(low), float(high)

    def part(self, name: str) -> Part:
        return Part(name, self.value, *self.ends, self.n)


def drawn(rows: Floats, count: Callable[[Floats], Floats], seed: int) -> Drawn:
    """A number that is made of sums over rows, and the same of rows drawn again.

    `rows` has a row of addends each; `count` makes numbers of sums (one row of sums each). Each
    `seed` draws on its own.
    """
    generator = np.random.default_rng([_SEED, seed])
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(count(rows.sum(axis=0, keepdims=True))[0])
        return Drawn(value, count(resampled_sums(rows, generator, TIMES)), len(rows))


def drawn_mean(values: Floats, seed: int) -> Drawn:
    """The mean of one value a row, and the same of rows drawn again."""
    n = len(values)

    def mean(sums: Floats) -> Floats:
        return sums[:, 0] / n

    return drawn(values[:, None], mean, seed)


def mean_of(parts: Sequence[Drawn]) -> Drawn:
    """The plain mean of parts whose rows are drawn apart from each other."""
    again = np.mean([part.again for part in parts], axis=0)
    value = float(np.mean([part.value for part in parts]))
    return Drawn(value, again, sum(part.n for part in parts))


def score(
    benchmark: str,
    parts: Mapping[str, Drawn],
    missing: str,
    notes: Sequence[str] = (),
    whole: Drawn | None = None,
) -> Score:
    """The score of parts; with no `missing` the mean of them, or `whole`."""
    told = tuple(part.part(name) for name, part in parts.items())
    notes = (*notes, _DRAWN)
    if missing or not parts:
        return Score(benchmark, nan, nan, nan, told, missing, tuple(notes))
    every = whole or mean_of(list(parts.values()))
    return Score(benchmark, every.value, *every.ends, told, "", tuple(notes))
