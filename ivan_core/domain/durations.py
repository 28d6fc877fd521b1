"""How long something takes, as far as that can be known before: a number, or a range."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_SURE = 1.6
"""Ends no further apart than so many times are told as one number."""
_HARDLY, _BARELY = 0.1, 0.3
"""Shares done below which the time left is told as a wide and as a narrower range."""


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds that something takes, at the least and at the most."""

    low: float
    high: float

    def __add__(self, other: Span) -> Span:
        return Span(self.low + other.low, self.high + other.high)

    @property
    def middle(self) -> float:
        """The middle as one judges times: as many times the low end as the high end is of it."""
        return sqrt(self.low * self.high)

    @property
    def words(self) -> str:
        """As in "about 20 s"; where it is not sure "15 to 40 s", "50 s to 3 min"."""
        low, high = time_words(self.low), time_words(self.high)
        if self.high <= _SURE * self.low or low == high:
            return f"about {time_words(self.middle)}"
        number, _, unit = low.partition(" ")
        return f"{number if high.endswith(f' {unit}') else low} to {high}"


def time_words(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 20:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def slowness(load: float, threads: int, cores: int) -> float:
    """How many times longer work with so many threads takes beside others.

    `load` is how many others want a core; all who want one share the cores evenly.
    """
    return max(1.0, (max(load, 0.0) + threads) / cores)


def measured(
    seconds: float, load_then: float | None, load: float, threads: int, cores: int
) -> Span:
    """What took so long under one load, under another, which may go on or halve.

    Without a load of then (an older IVAN did not keep it) the range is wider.
    """
    now = slowness(load / 2, threads, cores), slowness(load, threads, cores)
    if load_then is None:
        return Span(seconds / 2 * now[0], seconds * now[1])
    idle = seconds / slowness(load_then, threads, cores)
    return Span(idle * now[0], idle * now[1])


def left(done: int, total: int, rate: float) -> Span:
    """The time that the rest takes at the present rate, which at first says little."""
    seconds = max(total - done, 0) / rate
    share = done / total if total else 1.0
    spread = 2.0 if share < _HARDLY else 1.4 if share < _BARELY else 1.0
    return Span(seconds / spread, seconds * spread)
