"""What the demo server remembers: files and batches of each account, and what it was asked.

Tests count the requests that would have cost money.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import uuid4

from ivan_core.demo.wire import Request
from ivan_core.domain.errors import BadInput
from ivan_core.runs.storage import storage_errors

ENDED = ("failed", "completed", "expired", "cancelled")
_SHOWN = 120


@dataclass
class StoredFile:
    """A file as it was uploaded or written by a batch."""

    id: str
    account: str
    filename: str
    purpose: str
    content: bytes
    created_at: int

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_at,
            "expires_at": self.created_at + 30 * 86_400,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


@dataclass
class StoredBatch:
    """A batch, its progress, and what of the fault switchboard holds for it.

    `faults` are the names that were taken when it was created; `hidden_lists` is the number of
    list calls that will not show it yet.
    """

    id: str
    account: str
    endpoint: str
    input_file_id: str
    metadata: dict[str, str] | None
    created_at: int
    status: str = "validating"
    model: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    errors: list[dict[str, object]] = field(default_factory=list)
    times: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    hidden_lists: int = 0

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def move(self, status: str) -> None:
        """Enter a status and remember when."""
        self.status = status
        self.times[f"{status}_at"] = int(time.time())

    def as_json(self) -> dict[str, object]:
        counted = self.status not in ("validating", "failed")
        shown: dict[str, object] = {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "model": self.model,
            "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "input_file_id": self.input_file_id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": self.created_at,
            "expires_at": self.created_at + 86_400,
            "request_counts": {
                "total": self.total if counted else 0,
                "completed": self.completed if counted else 0,
                "failed": self.failed if counted else 0,
            },
            "metadata": self.metadata,
            **self.times,
        }
        if self.ended and self.status != "failed":
            shown["usage"] = {
                "input_tokens": self.input_tokens,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": self.output_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": self.input_tokens + self.output_tokens,
            }
        return shown


def account_of(key: str, organisation: str) -> str:
    """One account a key and organisation, without keeping the key."""
    return hashlib.sha256(f"{key}\0{organisation}".encode()).hexdigest()[:16]


class DemoState:
    """Files and batches of all accounts. With a `data_file` they outlive the server.

    Raises:
        BadInput: the data file holds something else.
        StorageProblem: it cannot be written.
    """

    def __init__(self, data_file: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.files: dict[str, StoredFile] = {}
        self.batches: dict[str, StoredBatch] = {}
        self._data_file = data_file
        if data_file is not None and data_file.exists():
            self._load(data_file)
        self.save()

    def add_file(self, account: str, filename: str, purpose: str, content: bytes) -> StoredFile:
        stored = StoredFile(
            f"file-{uuid4().hex[:24]}", account, filename, purpose, content, int(time.time())
        )
        with self.lock:
            self.files[stored.id] = stored
            self.save()
        return stored

    def add_batch(
        self, account: str, endpoint: str, input_file_id: str, metadata: dict[str, str] | None
    ) -> StoredBatch:
        stored = StoredBatch(
            f"batch_{uuid4().hex}", account, endpoint, input_file_id, metadata, int(time.time())
        )
        with self.lock:
            self.batches[stored.id] = stored
            self.save()
        return stored

    def file(self, account: str, file_id: str) -> StoredFile | None:
        """A file of this account; None if there is none, or it is somebody else's."""
        found = self.files.get(file_id)
        return found if found is not None and found.account == account else None

    def batch(self, account: str, batch_id: str) -> StoredBatch | None:
        found = self.batches.get(batch_id)
        return found if found is not None and found.account == account else None

    def newest_first(self, account: str) -> Iterator[StoredBatch]:
        with self.lock:
            mine = [batch for batch in self.batches.values() if batch.account == account]
        return reversed(mine)

    def save(self) -> None:
        """Write everything to the data file, if there is one, atomically."""
        if self._data_file is None:
            return
        with self.lock, storage_errors(self._data_file.parent):
            whole = {
                "files": [
                    asdict(f) | {"content": base64.b64encode(f.content).decode("ascii")}
                    for f in self.files.values()
                ],
                "batches": [asdict(batch) for batch in self.batches.values()],
            }
            self._data_file.parent.mkdir(parents=True, exist_ok=True)
            part = self._data_file.with_name(self._data_file.name + ".part")
            with part.open("w", encoding="utf-8") as out:
                json.dump(whole, out)
                out.flush()
                os.fsync(out.fileno())
            part.replace(self._data_file)

    def _load(self, data_file: Path) -> None:
        try:
            whole = json.loads(data_file.read_text(encoding="utf-8"))
            for facts in whole["files"]:
                facts["content"] = base64.b64decode(facts["content"])
                self.files[facts["id"]] = StoredFile(**facts)
            for facts in whole["batches"]:
                self.batches[facts["id"]] = StoredBatch(**facts)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(
                f"{data_file} does not hold the files and batches of a demo server.",
                hint="Name another file, or delete this one to start afresh.",
            ) from error


@dataclass(frozen=True, slots=True)
class Entry:
    """One request: what it asked for, what its body was about, and the status that was sent.

    A status of 0 means that no answer was sent.
    """

    method: str
    path: str
    body: str
    status: int


class RequestLog:
    """Every request in the order of its answer; safe to read while the server runs."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, request: Request, status: int) -> None:
        with self._lock:
            self._entries.append(Entry(request.method, request.path, _summary(request), status))

    def count(self, method: str, path: str, status: int | None = None) -> int:
        """How often exactly this path was asked for, answered or not."""
        return sum(
            entry.method == method and entry.path == path and status in (None, entry.status)
            for entry in self
        )

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def as_json(self) -> list[dict[str, object]]:
        return [asdict(entry) for entry in self]

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)


def _summary(request: Request) -> str:
    """The body in one short line: no header, and so no key, is ever kept."""
    if not request.body:
        return ""
    if request.headers.get("content-type", "").startswith("application/json"):
        facts = {
            name: value if isinstance(value, str | int | float | bool) else type(value).__name__
            for name, value in request.json().items()
        }
        text = json.dumps(facts, ensure_ascii=False)
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return f"{len(request.body)} bytes"
