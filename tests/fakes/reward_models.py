"""A worker that has fake reward models (also a script: RUN)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import json
import os
import signal
import threading
import time
from itertools import count
from typing import Any

from fakes.scoring import (
    SETTING,
    FakeEncoder,
    FakeLoader,
    FakeRewardModel,
    Fakes,
    fake_reward,
    float32,
)
from ivan_core.backends.pools.devices import PoolOfDevices
from ivan_core.backends.pools.here import PoolHere
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import work as engine_work
from ivan_core.engine.work import wait_for_slot
from ivan_core.experiments.compare.scoring import Models
from ivan_core.experiments.compare.units import CHUNK, SLOW_CHUNK
from ivan_core.experiments.compare.work import Provider, work_compare
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.settings import share_the_machine
from ivan_core.worker import Heart, Work, work

__all__ = [
    "SETTING",
    "FakeEncoder",
    "FakeLoader",
    "FakeRewardModel",
    "Fakes",
    "fake_reward",
    "float32",
]


def provider(fakes: Fakes) -> dict[str, Work]:
    """What a worker does instead of a comparison: one by the fakes."""

    def provide(_: CompareSpec, context: RunContext, slot: FileLock) -> Models:
        encoder = FakeEncoder()

        def load(name: str, revision: str) -> FakeRewardModel:
            if fakes.hangs_loading:
                time.sleep(3600)
            return FakeRewardModel(name, fakes, encoder if fakes.together else None)

        pool = PoolOfDevices(FakeLoader(fakes), fakes.devices) if fakes.devices else PoolHere(load)
        chunk = SLOW_CHUNK if fakes.slow else CHUNK
        return Models(lambda: wait_for_slot(context, slot), pool, fakes.together, chunk)

    return comparing_with(provide)


def comparing_with(provide: Provider) -> dict[str, Work]:
    """What a worker does instead of a comparison: one by models of your own."""
    return {"compare": lambda job: work_compare(job, provide)}


class Steps:
    """Counts all that a worker does to the disk, and kills the process at a given step.

    The beats of its heart do not count: they come by the clock.
    """

    def __init__(self, kill_at: int | None) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._counting = threading.Lock()

    def watch(self) -> None:
        from ivan_core.runs.database import Database
        from ivan_core.runs.score_table import ScoreTable

        self._before(os, "fsync")
        self._before(Path, "replace")
        self._before(Path, "rename")
        self._before(ScoreTable, "put_many")
        self._before(Database, "reading", every=2)
        write = os.pwrite

        def torn(descriptor: int, data: bytes, offset: int) -> int:
            if self._step():
                write(descriptor, data[: len(data) // 2], offset)
                self._kill()
            return write(descriptor, data, offset)

        os.pwrite = torn  # type: ignore[assignment]

    def _before(self, owner: Any, name: str, every: int = 1) -> None:
        done = getattr(owner, name)
        calls = count()

        def step(*args: Any, **options: Any) -> Any:
            if next(calls) % every == 0 and self._step():
                self._kill()
            return done(*args, **options)

        setattr(owner, name, step)

    def _step(self) -> bool:
        if isinstance(threading.current_thread(), Heart):
            return False
        with self._counting:
            self.count += 1
            return self.count == self._kill_at

    @staticmethod
    def _kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def run_worker(data_dir: Path, run_id: str, fakes: Fakes, kill_at: int | None = None) -> None:
    """Be a worker with fakes, killed at a step if one is given; writes down how many it took."""
    os.environ |= {"IVAN_DATA_DIR": str(data_dir), "IVAN_SLOT_FILE": str(data_dir.parent / "slot")}
    steps = Steps(kill_at)
    steps.watch()
    work(Registry(data_dir), run_id, provider(fakes))
    (data_dir.parent / "steps").write_text(str(steps.count))


def hold(file: Path) -> None:
    """Stop after each unit, once it is kept and told, for as long as the file exists."""
    finished = RunContext.finished

    def finished_and_held(context: RunContext, *told: Any) -> None:
        finished(context, *told)
        while file.exists():
            time.sleep(0.02)

    RunContext.finished = finished_and_held  # type: ignore[method-assign]


if __name__ == "__main__":
    share_the_machine()
    told = Fakes(**json.loads(os.environ.get(SETTING, "{}")))
    if told.held:
        hold(Path(told.held))
    if told.hangs_preparing:
        engine_work.prepare = lambda *_: time.sleep(3600)
    work(Registry(Path(os.environ["IVAN_DATA_DIR"])), sys.argv[1], provider(told))
