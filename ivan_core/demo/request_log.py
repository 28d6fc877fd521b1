"""What was asked of the demo server: tests count the requests that would have cost money."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from ivan_core.demo.wire import Request

_SHOWN = 120


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
