"""Fake reward models for the nodes of a Ray cluster, which die and fail as files tell them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fakes.reward_models import FakeRewardModel, Fakes, comparing_with
from ivan_core.backends.pools.ray_cluster import RayPool
from ivan_core.domain.models import Reward
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.compare.scoring import Models
from ivan_core.experiments.compare.units import SLOW_CHUNK
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.worker import Work, work

KILLS, RAISES, ONCE, HOLDS = "kills", "raises", "kills-once", "holds"


@dataclass(frozen=True)
class LoadOnNode:
    """Loads fakes. A file in the folder, named after what they shall do, holds a word: they do it
    when they read a text with that word; what is held goes on when the file is gone. `delay` is how
    long each call takes."""

    folder: Path
    delay: float = 0.0

    def tell(self, deed: str, word: str) -> None:
        (self.folder / deed).write_text(word)

    def __call__(self, name: str, revision: str) -> FakeOnNode:
        return FakeOnNode(name, self)


class FakeOnNode(FakeRewardModel):
    def __init__(self, name: str, told: LoadOnNode) -> None:
        super().__init__(name, Fakes(delay=told.delay))
        self._folder = told.folder

    def score_read(
        self, read: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        if self._does(KILLS, read):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._does(ONCE, read):
            (self._folder / ONCE).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        while self._does(HOLDS, read):
            time.sleep(0.02)
        if self._does(RAISES, read):
            raise RuntimeError("the fake was told to raise")
        return super().score_read(read, progress)

    def _does(self, deed: str, read: Sequence[Dialogue]) -> bool:
        file = self._folder / deed
        return file.exists() and any(file.read_text() in text.text for text in read)


def on_cluster(load: LoadOnNode, address: str) -> dict[str, Work]:
    """What a worker does instead of a comparison: one by fakes on a cluster."""

    def provide(spec: CompareSpec, context: RunContext, slot: FileLock) -> Models:
        return Models(lambda: None, RayPool(load, address, 2, 1), together=False, chunk=SLOW_CHUNK)

    return comparing_with(provide)


def run_on_cluster(data_dir: Path, run_id: str, load: LoadOnNode, address: str) -> None:
    """Be a worker whose models are on a cluster."""
    work(Registry(data_dir), run_id, on_cluster(load, address))
