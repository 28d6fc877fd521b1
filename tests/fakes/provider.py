"""A provider of batches in memory or in a folder, with faults that a test turns on.

It counts what costs money: batches created. `Killed` is a power cut: nothing catches it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import AnswerLost, BatchState


class Killed(BaseException):
    """The process died here."""


@dataclass
class Steps:
    """Counts what happens, and dies at a given step."""

    kill_at: int | None = None
    count: int = 0

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.kill_at:
            raise Killed


@dataclass
class FakeProvider:
    """Behaves as told; every call is a step before it takes effect and one after."""

    account: str = "account one"
    lose: str = ""
    """`before` or `after` the batch is made, its answer is lost; once."""
    refuse: str = ""
    """The next create is refused in these words; once."""
    refuse_upload: str = ""
    lag: int = 0
    """So many listings show nothing yet."""
    list_fails: int = 0
    """So many listings fail."""
    on_upload: Callable[[Path], None] = lambda path: None
    on_create: Callable[[], None] = lambda: None
    step: Callable[[], None] = lambda: None
    clock: Callable[[], float] = lambda: 0.0
    files: dict[str, bytes] = field(default_factory=dict)
    made: list[BatchState] = field(default_factory=list)
    listings: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def upload(self, path: Path) -> str:
        self.step()
        if self.refuse_upload:
            self.refuse_upload, words = "", self.refuse_upload
            raise BackendUnavailable(words)
        with self._lock:
            file_id = f"file-{len(self.files) + 1}"
            self.files[file_id] = path.read_bytes()
        self.on_upload(path)
        self.step()
        return file_id

    def create(self, file_id: str, metadata: Mapping[str, str]) -> str:
        self.step()
        self.on_create()
        if self.refuse:
            self.refuse, words = "", self.refuse
            raise BackendUnavailable(words)
        lose, self.lose = self.lose, ""
        if lose == "before":
            raise AnswerLost("The connection broke.")
        with self._lock:
            batch_id = f"batch-{len(self.made) + 1}"
            lines = len(self.files[file_id].splitlines())
            self.made.append(
                BatchState(
                    batch_id,
                    "validating",
                    total=lines,
                    input_file=file_id,
                    metadata=dict(metadata),
                    created=self.clock(),
                )
            )
        if lose == "after":
            raise AnswerLost("The connection broke.")
        self.step()
        return batch_id

    def batches(self) -> Iterator[BatchState]:
        self.step()
        self.listings += 1
        if self.list_fails:
            self.list_fails -= 1
            raise BackendUnavailable("The provider is away.")
        if self.lag:
            self.lag -= 1
            return
        yield from reversed(self.made)

    def poll(self, batch_id: str) -> BatchState:
        return next(batch for batch in self.made if batch.id == batch_id)

    def cancel(self, batch_id: str) -> BatchState:
        return self.end(batch_id, "cancelled")

    def collect(self, file_id: str, into: Path, most_bytes: int) -> None:
        into.write_bytes(self.files[file_id])

    def end(self, batch_id: str, status: str = "completed") -> BatchState:
        """Let a batch end so."""
        place = [batch.id for batch in self.made].index(batch_id)
        self.made[place] = replace(
            self.made[place], status=status, input_tokens=1000, output_tokens=100
        )
        return self.made[place]


class FolderProvider(FakeProvider):
    """One that several processes share: each batch is a line of a file."""

    def __init__(self, folder: Path, dies_after_create: bool = False) -> None:
        super().__init__()
        self._created = folder / "created.jsonl"
        self._dies = dies_after_create

    def create(self, file_id: str, metadata: Mapping[str, str]) -> str:
        with self._created.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(metadata)) + "\n")
        if self._dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().create(file_id, metadata)

    def batches(self) -> Iterator[BatchState]:
        lines = self._created.read_text(encoding="utf-8").splitlines()
        for number, line in reversed(list(enumerate(lines, 1))):
            yield BatchState(f"batch-{number}", "validating", metadata=json.loads(line))
