"""What a step of an experiment may touch: its run's folder, progress, score cache and parts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ivan_core.domain.runs import LivePoint
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import append_line, storage_errors


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
        self._told = 0
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
        self._done_before = self._told = done
        self._registry.progress(self.id, total=total, done=done)

    def working(self, done: int) -> None:
        """Progress inside a chunk, told at most four times a second."""
        now = time.monotonic()
        if now - self._said > 0.25:
            self._said = now
            self._registry.progress(self.id, **self._reached(done))

    def finished(self, done: int, computed: int, points: list[LivePoint]) -> None:
        """A unit is done and kept: publish its live points and the counters."""
        self._computed += computed
        if len(self.cache.notes) > self._of_cache:
            self.note(self._notes)
        self._registry.publish(self.id, points, **self._reached(done), computed=self._computed)

    def publish(self, points: list[LivePoint]) -> None:
        """Publish points of units that an earlier worker kept but may not have told of."""
        self._registry.publish(self.id, points)

    def start_clock(self) -> None:
        """Speed is measured from here: models are loaded."""
        self._clock = self._clock or time.monotonic()

    def _reached(self, done: int) -> dict[str, int | float | None]:
        # What is finished is told by the writer, which is behind what is worked on.
        self._told = max(self._told, done)
        return {"done": self._told, "rate": self._rate(self._told, time.monotonic())}

    def _rate(self, done: int, now: float) -> float | None:
        if self._clock is None or now - self._clock < 0.2:
            return None
        return (done - self._done_before) / (now - self._clock) or None


class Parts:
    """The finished units of a run: `key -> rows`, each a line of a file, synced to disk.

    A last line torn by a crash is not a unit: it is cut off when the run goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "parts.jsonl"
        self._offsets: dict[str, tuple[int, int]] = {}
        self._end = 0
        self._appending = threading.Lock()
        self._scan()

    def _scan(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                unit = _complete(line)
                if unit is None:
                    break
                self._offsets[unit["key"]] = (self._end, len(line))
                self._end += len(line)

    def __contains__(self, key: str) -> bool:
        return key in self._offsets

    def append(self, key: str, rows: list[Any]) -> None:
        """Keep a finished unit; after this call it survives a power cut.

        Raises:
            StorageProblem: the disk is full or read-only; earlier units are intact.
        """
        line = json.dumps({"key": key, "rows": rows}, ensure_ascii=False, allow_nan=False) + "\n"
        # Half a surrogate pair is no text, yet it occurs in texts; `json.loads` reads it back.
        data = line.encode("utf-8", "surrogatepass")
        with self._appending, storage_errors(self.path.parent):
            append_line(self.path, self._end, data)
            self._offsets[key] = (self._end, len(data))
            self._end += len(data)

    def rows(self, key: str) -> list[Any]:
        """The rows of one finished unit."""
        offset, length = self._offsets[key]
        with self.path.open("rb") as file:
            file.seek(offset)
            return list(json.loads(file.read(length))["rows"])

    def all(self) -> Iterator[tuple[str, list[Any]]]:
        """Every finished unit in the order of the file."""
        for key in self._offsets:
            yield key, self.rows(key)


def _complete(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        unit = json.loads(line)
    except ValueError:
        return None
    return unit if isinstance(unit, dict) and {"key", "rows"} <= unit.keys() else None
