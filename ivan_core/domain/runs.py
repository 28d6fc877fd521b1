"""A run as others see it: its state, its progress, and how long it takes, if that is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import sqrt


class RunState(StrEnum):
    """Where a run stands.

    Two are never stored: `interrupted` is a run that says running while nobody holds its lock,
    `damaged` one whose entry in the registry makes no sense.
    """

    QUEUED = "queued"
    RUNNING = "running"
    AWAITING_CONFIRMATION = "waiting for a confirmation"
    AWAITING_PROVIDER = "waiting for a provider"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"

    @property
    def live(self) -> bool:
        """A worker is at it, or about to be."""
        return self in (RunState.QUEUED, RunState.RUNNING, RunState.AWAITING_PROVIDER)

    @property
    def resumable(self) -> bool:
        return self in (RunState.CANCELLED, RunState.FAILED, RunState.INTERRUPTED)


ACTIVE = (
    RunState.QUEUED,
    RunState.RUNNING,
    RunState.AWAITING_CONFIRMATION,
    RunState.AWAITING_PROVIDER,
)


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the registry. Times are Unix seconds; `done` and `total` count pair × model."""

    id: str
    kind: str
    spec: str
    state: RunState
    created: float
    started: float | None
    finished: float | None
    heartbeat: float | None
    doing: str
    done: int
    total: int
    computed: int
    rate: float | None
    problem: str
    hint: str
    notes: tuple[str, ...] = ()
    name: str = ""
    """What a person called the run; empty until they do."""
    facts: str = "{}"
    """What else its worker tells while it is at work, as a JSON object."""
    starred: bool = False
    """Whether a person wants to find it again: starred runs stand first."""

    @property
    def label(self) -> str:
        """The run's name, or its id where it has none."""
        return self.name or self.id

    @property
    def left(self) -> Span | None:
        """Time left at the present speed; None before anything is known."""
        return time_left(self.done, self.total, self.rate) if self.rate and self.total else None


@dataclass(frozen=True, slots=True)
class LivePoint:
    """What one model said of one chunk, the chunks being in seeded random order."""

    model: str
    step: int
    agree: int
    tie: int
    disagree: int
    unrated: int
    margin_sum: float
    margin_squares: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a spec would take. Nothing has happened yet.

    `pairs` is None while the dataset has never been read on this machine; `takes` is None where
    nobody can know.
    """

    pairs: int | None
    models: int
    cached: int
    takes: Span | None
    estimate_from: str
    notes: tuple[str, ...] = field(default=())


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


def time_under_load(
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


def time_left(done: int, total: int, rate: float) -> Span:
    """The time that the rest takes at the present rate, which at first says little."""
    seconds = max(total - done, 0) / rate
    share = done / total if total else 1.0
    spread = 2.0 if share < _HARDLY else 1.4 if share < _BARELY else 1.0
    return Span(seconds / spread, seconds * spread)
