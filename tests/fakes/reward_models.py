"""Fake reward models one can read, and a worker that has them (also a script: RUN)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import json
import os
import signal
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import count
from typing import Any

from ivan_core.backends.pools.devices import PoolOfDevices
from ivan_core.backends.pools.here import PoolHere
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
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

SETTING = "FAKES"
"""The environment variable that tells a worker process how its fakes behave."""


@dataclass(frozen=True)
class Fakes:
    """How the fake models of a worker behave.

    `failing`, `not_finite` and `truncated` list first hex digits: a text belongs to those if its
    hash begins with one of them. `log` names a file that gets a line for every chunk scored;
    `silent` ones tell of no progress inside a chunk, which is told by the clock. `held` names a
    file: while it exists a worker process stops after each unit of its run, whatever the kind.

    With `devices` they work in a process for each, whose id goes to the file `pids`. A text whose
    hash begins with `deadly` kills the process that scores it, until `deaths`, a file with a line
    for each, has `lives` lines.
    """

    failing: str = ""
    not_finite: str = ""
    truncated: str = ""
    constant: bool = False
    delay: float = 0.0
    hangs_preparing: bool = False
    hangs_loading: bool = False
    hangs_at_call: int = 0
    breaks_at_call: int = 0
    revision: str = "r1"
    max_tokens: int = 512
    together: bool = True
    slow: bool = False
    silent: bool = False
    log: str = ""
    held: str = ""
    devices: tuple[str, ...] = ()
    pids: str = ""
    deadly: str = "none"
    deaths: str = ""
    lives: int = 0

    def environment(self) -> dict[str, str]:
        return {SETTING: json.dumps(asdict(self))}


def float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def fake_reward(name: str, text_hash: str, budget: int = 0) -> float:
    """A number between 0 and 1 from the model's name and the text, the same for ever.

    As with real models, how texts are batched shows in the last digits.
    """
    digits = sha256(f"{name}{text_hash}".encode()).hexdigest()
    return float32(int(digits[:8], 16) / 2**32 + budget * 1e-6)


class FakeEncoder:
    """What models that run together share: the token budget, as it was set last."""

    budget = 0


class FakeRewardModel:
    """A reward model without a model."""

    def __init__(self, name: str, fakes: Fakes, encoder: FakeEncoder | None = None) -> None:
        self.card = ModelCard(
            id=name,
            revision=fakes.revision,
            input_format="reply",
            max_tokens=fakes.max_tokens,
            trained_on_hh=False,
        )
        self._fakes = fakes
        self._encoder = encoder or FakeEncoder()
        self._calls = 0

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        """A budget that depends on the model and on the texts it is measured with."""
        if known is None:
            known = 1 + int(
                sha256(f"{self.card.id}{dialogues[0].hash}".encode()).hexdigest()[:2], 16
            )
        self._encoder.budget = known
        return known

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        return self.score_read(self.read(dialogues), progress)

    def read(self, dialogues: Sequence[Dialogue]) -> Sequence[Dialogue]:
        """A fake has no tokenizer."""
        return dialogues

    def score_read(
        self, read: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        self._calls += 1
        if self._fakes.log and progress:  # a check of batches reports no progress
            with Path(self._fakes.log).open("a") as file:
                file.write(f"{self.card.id} {len(read)}\n")
        if self._calls == self._fakes.hangs_at_call:
            time.sleep(3600)
        if self._calls == self._fakes.breaks_at_call:
            raise BackendUnavailable("The fake broke.", "Mend it.")
        if any(dialogue.hash.startswith(self._fakes.deadly) for dialogue in read):
            self._die()
        time.sleep(self._fakes.delay)
        if progress and not self._fakes.silent:
            progress(len(read))
        return [self._reward(dialogue.hash) for dialogue in read]

    def _die(self) -> None:
        with Path(self._fakes.deaths).open("a+") as file:
            file.seek(0)
            if len(file.readlines()) == self._fakes.lives:
                return
            file.write(f"{os.getpid()}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    def _reward(self, text_hash: str) -> Reward:
        first, truncated = text_hash[0], text_hash[0] in self._fakes.truncated
        if first in self._fakes.failing:
            return Reward(None, truncated, "the fake was told to fail")
        if first in self._fakes.not_finite:
            return Reward.measured(float("nan"), truncated)
        if self._fakes.constant:
            return Reward(0.5, truncated)
        return Reward(fake_reward(self.card.id, text_hash, self._encoder.budget), truncated)


@dataclass(frozen=True)
class FakeLoader:
    """Loads fakes in the process of a device."""

    fakes: Fakes

    def __call__(self, name: str, revision: str) -> FakeRewardModel:
        if self.fakes.pids:
            with Path(self.fakes.pids).open("a") as file:
                file.write(f"{os.getpid()}\n")
        return FakeRewardModel(name, self.fakes)


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
