"""A provider of batches whose files lie in a folder, so that they outlive who is killed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ivan_core.backends.openai.batches import MOST_FILE
from ivan_core.backends.openai.client import account_for
from ivan_core.demo.answers import answer
from ivan_core.domain.labels import BatchState
from ivan_core.domain.models import ModelReply
from ivan_core.experiments.batches.answers import answer_record

IN, OUT = 100, 20
"""Tokens of each request and of each answer."""
Thirds = tuple[int, int]
WHOLE, FEW, REST = (0, 3), (0, 2), (1, 3)
"""Which thirds of a result file come; the last two are all of it together."""


class FolderBatches:
    """A provider whose files and batches lie in a folder: what was created survives any kill."""

    def __init__(self, folder: Path, step: Callable[[], None], delivers: Thirds) -> None:
        self.folder, self.step, self.delivers = folder, step, delivers
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def account(self) -> str:
        return account_for().fingerprint

    def upload(self, path: Path) -> str:
        self.step()
        file_id = f"file-{sum(1 for _ in self.folder.iterdir())}"
        (self.folder / file_id).write_bytes(path.read_bytes())
        self.step()
        return file_id

    def create(self, file_id: str, metadata: Mapping[str, str]) -> str:
        self.step()
        made = self._made()
        with (self.folder / "created").open("a", encoding="utf-8") as file:
            file.write(json.dumps([file_id, dict(metadata)]) + "\n")
        self.step()
        return f"batch_{len(made) + 1}"

    def batches(self) -> Iterator[BatchState]:
        self.step()
        return reversed(self._made())

    def poll(self, batch_id: str) -> BatchState:
        self.step()
        return next(batch for batch in self._made() if batch.id == batch_id)

    def cancel(self, batch_id: str) -> BatchState:
        return self.poll(batch_id)

    def collect(self, file_id: str, into: Path, most_bytes: int = MOST_FILE) -> None:
        lines = [_answered(line) for line in self._lines(file_id.removeprefix("out-"))]
        start, end = (third * len(lines) // 3 for third in self.delivers)
        whole = b"".join(lines[start:end])
        with into.open("wb") as file:
            file.write(whole[: len(whole) // 2])
            file.flush()
            self.step()
            file.write(whole[len(whole) // 2 :])
        self.step()

    def asked(self) -> Counter[str]:
        """How often each body was asked for in a batch that was created: each time is paid."""
        return Counter(
            line.rstrip().partition(b'"body":')[2][:-1].decode()
            for batch in self._made()
            for line in self._lines(batch.input_file)
        )

    def creations(self) -> int:
        return len(self._made())

    def _made(self) -> list[BatchState]:
        path = self.folder / "created"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [self._batch(number, *json.loads(line)) for number, line in enumerate(lines, 1)]

    def _batch(self, number: int, file_id: str, metadata: dict[str, str]) -> BatchState:
        count = len(self._lines(file_id))
        return BatchState(
            f"batch_{number}",
            "completed",
            count,
            count,
            0,
            f"out-{file_id}",
            "",
            file_id,
            (),
            IN * count,
            OUT * count,
            metadata,
        )

    def _lines(self, file_id: str) -> list[bytes]:
        return (self.folder / file_id).read_bytes().splitlines(keepends=True)


def _answered(line: bytes) -> bytes:
    """The line of a result file for a request, its labels by rules."""
    asked = json.loads(line)
    system, user = (message["content"] for message in asked["body"]["messages"])
    schema = asked["body"]["response_format"]["json_schema"]["schema"]
    reply = ModelReply(answer(system, user, schema), finish="stop")
    return json.dumps(answer_record(asked["custom_id"], "gpt-6-luna", reply)).encode() + b"\n"
