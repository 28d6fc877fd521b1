"""A run as others see it: its state, its progress, and what it would take."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ivan_core.domain.durations import Span, left


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

    @property
    def label(self) -> str:
        """The run's name, or its id where it has none."""
        return self.name or self.id

    @property
    def left(self) -> Span | None:
        """Time left at the present speed; None before anything is known."""
        return left(self.done, self.total, self.rate) if self.rate and self.total else None


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
