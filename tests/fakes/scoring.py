"""Fake reward models one can read, and nothing of a worker: the process of a device starts soon."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.transcripts import Dialogue

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
