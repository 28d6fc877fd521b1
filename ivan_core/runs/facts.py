"""Small facts that were measured or asked for once: speeds, budgets, rewordings; by name.

They are JSON, kept as text. A cache's file may come from anywhere, so nothing in it is unpickled.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlencode

import diskcache

from ivan_core.domain.errors import StorageProblem
from ivan_core.runs.score_table import Damaged
from ivan_core.runs.storage import read_only_query

FACTS_FILE = "cache.db"
"""The name that diskcache gives its database."""
_IN_DATABASE = diskcache.core.MODE_RAW
_Cache: TypeAlias = "diskcache.Cache | FactsToRead"


class FactsDisk(diskcache.Disk):  # type: ignore[misc]
    """Keeps texts inside the database and nothing else: no pickles, and no files beside it."""

    def put(self, key: Any) -> tuple[str, bool]:
        """A name as it is kept."""
        if not isinstance(key, str):
            raise TypeError("A fact's name is a text.")
        return key, True

    def get(self, key: Any, raw: bool) -> str:
        """A name that was kept."""
        if not raw or not isinstance(key, str):
            raise Damaged(Path(self._directory))
        return key

    def store(
        self, value: Any, read: bool, key: Any = None
    ) -> tuple[int, int, str | None, str | None]:
        """A text as it is kept."""
        if read or not isinstance(value, str):
            raise TypeError("A fact is kept as text.")
        return 0, _IN_DATABASE, None, value

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> str:
        """A text that was kept.

        Raises:
            Damaged: it is a pickle, lies in a file, or is no text: nobody put that.
        """
        if mode != _IN_DATABASE or filename is not None or not isinstance(value, str):
            raise Damaged(Path(self._directory))
        return value


class Facts:
    """Open facts. Every method raises sqlite3.Error, diskcache.Timeout or Damaged."""

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        """The facts in a folder. Where they are only read, and there are none, they are empty."""
        self._folder = folder
        self._cache: _Cache
        if not writes:
            self._cache = FactsToRead(folder)
            return
        # The library's defaults would drop the oldest values past 1 GiB.
        self._cache = diskcache.Cache(
            str(folder), disk=FactsDisk, eviction_policy="none", size_limit=2**62
        )

    def recall(self, name: str) -> Any:
        """The fact under a name; None if there is none."""
        told = self._cache.get(name)
        try:
            return None if told is None else json.loads(told)
        except (ValueError, RecursionError) as error:
            raise Damaged(self._folder) from error

    def remember(self, name: str, value: Any) -> None:
        """Keep a fact under a name."""
        self._cache.set(name, json.dumps(value))

    def __len__(self) -> int:
        return len(self._cache)

    def clear(self) -> int:
        """Forget every fact; returns how many there were."""
        return int(self._cache.clear())

    def close(self) -> None:
        self._cache.close()


class FactsToRead:
    """Reads what diskcache keeps, without touching it; empty where there is no cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._db: sqlite3.Connection | None = None
        path = (folder / FACTS_FILE).absolute()
        if path.exists():
            address = f"{path.as_uri()}?{urlencode(read_only_query(path))}"
            self._db = sqlite3.connect(address, uri=True, check_same_thread=False)

    def get(self, name: str) -> str | None:
        """The text under a name; None if there is none."""
        if self._db is None:
            return None
        row = self._db.execute(
            "SELECT mode, filename, value FROM Cache WHERE key = ? AND raw = 1", (name,)
        ).fetchone()
        if row is None:
            return None
        mode, filename, value = row
        return FactsDisk(str(self._folder)).fetch(mode, filename, value, read=False)

    def __len__(self) -> int:
        if self._db is None:
            return 0
        return int(self._db.execute("SELECT COUNT(*) FROM Cache").fetchone()[0])

    def set(self, *_: str) -> None:
        """Refuse to keep anything."""
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
            f"The folder {self._folder} cannot be written.",
            "Make it writable, or name another data folder with IVAN_DATA_DIR.",
        )
