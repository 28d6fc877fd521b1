"""What a run has finished: lines appended to a file in its folder, one a unit of work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ivan_core.runs.storage import append_line, storage_errors


class Parts:
    """The finished units of a run: `key -> rows`, each written as one line and synced to disk.

    A last line torn by a crash is not a unit: it is cut off when the run goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "parts.jsonl"
        self._offsets: dict[str, tuple[int, int]] = {}
        self._end = 0
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
        with storage_errors(self.path.parent):
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
