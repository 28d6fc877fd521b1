"""What a step of an experiment may touch: its run's folder, parts, progress and the score cache."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ivan_core.domain.runs import LivePoint
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.locks import FileLock
from ivan_core.runs.parts import Parts
from ivan_core.runs.registry import Registry


class RunContext:
    """One run at work.

    Everything it writes survives a kill; everything it reads may come from an earlier worker.
    """

    def __init__(self, registry: Registry, run_id: str, cache: ScoreCache) -> None:
        self.id = run_id
        self.data_dir: Path = registry.data_dir
        self.folder = registry.folder(run_id)
        self.parts = Parts(self.folder)
        self.cache = cache
        self._registry = registry
        self._clock: float | None = None
        self._done_before = 0
        self._computed = registry.get(run_id).computed
        self._said = 0.0
        self._notes: list[str] = []
        self._of_cache = 0

    def doing(self, what: str) -> None:
        """Say in a few words what is going on."""
        self._registry.progress(self.id, doing=what)

    def wait_for(self, lock: FileLock, what: Callable[[], str]) -> None:
        """Take a lock however long it takes, and say meanwhile what is waited for."""
        while not lock.acquire():
            self.doing(f"Waiting for {what()}")
            lock.acquire(timeout=1)

    def tell(self, facts: Mapping[str, Any]) -> None:
        """Publish what the page of the run shows beside its progress; replaces what was told."""
        self._registry.progress(self.id, facts=json.dumps(facts))

    def note(self, notes: list[str]) -> None:
        """Say what a reader of the run should know; replaces what was said before."""
        self._notes, self._of_cache = notes, len(self.cache.notes)
        self._registry.note(self.id, [*notes, *self.cache.notes])

    def plan(self, total: int, done: int) -> None:
        """So much there is to do, and so much an earlier worker did."""
        self._done_before = done
        self._registry.progress(self.id, total=total, done=done)

    def working(self, done: int) -> None:
        """Progress inside a chunk, told at most four times a second."""
        now = time.monotonic()
        if now - self._said > 0.25:
            self._said = now
            self._registry.progress(self.id, done=done, rate=self._rate(done, now))

    def finished(self, done: int, computed: int, points: list[LivePoint]) -> None:
        """A unit is done and kept: publish its live points and the counters."""
        self._computed += computed
        if len(self.cache.notes) > self._of_cache:
            self.note(self._notes)
        self._registry.publish(self.id, points)
        self._registry.progress(
            self.id, done=done, computed=self._computed, rate=self._rate(done, time.monotonic())
        )

    def publish(self, points: list[LivePoint]) -> None:
        """Publish points of units that an earlier worker kept but may not have told of."""
        self._registry.publish(self.id, points)

    def start_clock(self) -> None:
        """Speed is measured from here: models are loaded."""
        self._clock = self._clock or time.monotonic()

    def _rate(self, done: int, now: float) -> float | None:
        if self._clock is None or now - self._clock < 0.2:
            return None
        return (done - self._done_before) / (now - self._clock) or None
