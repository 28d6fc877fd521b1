"""The score cache where nothing may be written, or where nothing is to be made: read only."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import diskcache

from ivan_core.domain.errors import StorageProblem
from ivan_core.runs.storage import read_only_query

_ONE = "SELECT mode, filename, value FROM Cache WHERE key = ? AND raw = ?"


class CacheToRead:
    """Reads what diskcache keeps, without touching it; empty where there is no cache."""

    def __init__(self, folder: Path, file: str) -> None:
        self.directory = str(folder)
        self._disk = diskcache.JSONDisk(str(folder))
        self._db: sqlite3.Connection | None = None
        path = (folder / file).absolute()
        if path.exists():
            address = f"{path.as_uri()}?{urlencode(read_only_query(path))}"
            self._db = sqlite3.connect(address, uri=True, check_same_thread=False)

    def get(self, key: str) -> Any:
        """The value under a key; None if there is none."""
        if self._db is None:
            return None
        row = self._db.execute(_ONE, self._disk.put(key)).fetchone()
        return self._disk.fetch(*row, False) if row else None

    def __len__(self) -> int:
        if self._db is None:
            return 0
        return int(self._db.execute("SELECT COUNT(*) FROM Cache").fetchone()[0])

    def set(self, *_: Any) -> None:
        """Refuse to keep anything."""
        raise self._refused()

    def transact(self) -> AbstractContextManager[None]:
        """Refuse to keep several things at once."""
        raise self._refused()

    def clear(self) -> int:
        """Refuse to forget anything."""
        raise self._refused()

    def close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()

    def _refused(self) -> StorageProblem:
        return StorageProblem(
            f"The folder {self.directory} cannot be written.",
            "Make it writable, or name another data folder with IVAN_DATA_DIR.",
        )
