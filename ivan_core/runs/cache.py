"""The score cache: what a model gave a text, kept for good and shared by all runs.

Where nothing may be written, or nothing is to be made, it is read only.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

import diskcache

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.models import Reward
from ivan_core.runs.locks import FileLock
from ivan_core.runs.storage import can_only_be_read, read_only_query, storage_errors

DAMAGED = "-damaged-"
"""Stands in the names of caches that were set aside."""
_FILE = "cache.db"
"""The name that diskcache gives its database."""
_Cache: TypeAlias = "diskcache.Cache | CacheToRead"
_Given = TypeVar("_Given")


class ScoreCache:
    """Rewards by model identity and text hash. Failures are not kept: they may be mended next time.

    One that turns out damaged is set aside under another name beside it, never deleted, and work
    goes on with an empty one: all it held can be computed again. `notes` says so.

    With `makes` off none is made where there is none. Where nothing can be written it is read.

    Every method raises StorageProblem where the cache's folder cannot be used.
    """

    def __init__(self, folder: Path, *, makes: bool = True) -> None:
        self.notes: list[str] = []
        self._folder = folder
        self._makes = makes
        self._file: int | None = None
        self._opened: _Cache | None = None
        self._do(lambda cache: None)

    def get_many(self, identity: str, hashes: Iterable[str]) -> dict[str, Reward]:
        """The known rewards among these texts, by text hash."""
        wanted = list(hashes)

        def get(cache: _Cache) -> dict[str, Reward]:
            found: dict[str, Reward] = {}
            for text_hash in wanted:
                value = _read(cache, _key(identity, text_hash))
                if isinstance(value, list) and len(value) == 2:
                    found[text_hash] = Reward(value[0], bool(value[1]))
                elif value is not None:
                    raise _Damaged(str(cache.directory))
            return found

        return self._do(get)

    def put_many(self, identity: str, rewards: Mapping[str, Reward]) -> None:
        """Keep these rewards in one transaction: after a crash either all are there or none."""

        def put(cache: _Cache) -> None:
            with cache.transact():
                for text_hash, reward in rewards.items():
                    if reward.value is not None:
                        cache.set(_key(identity, text_hash), [reward.value, reward.truncated])

        self._do(put)

    def recall(self, name: str) -> Any:
        """A small fact about models on this machine (speeds, budgets); None if unknown."""
        return self._do(lambda cache: _read(cache, f"fact|{name}"))

    def remember(self, name: str, value: Any) -> None:
        """Keep a small fact under a name."""
        self._do(lambda cache: cache.set(f"fact|{name}", value))

    def __len__(self) -> int:
        return self._do(lambda cache: len(cache))

    def clear(self) -> int:
        """Forget everything; returns how many rewards and facts that were.

        A run that is at work meanwhile loses nothing: what it has finished lies in its parts.
        """
        return self._do(lambda cache: int(cache.clear()))

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def _do(self, work: Callable[[_Cache], _Given]) -> _Given:
        with self._errors():
            try:
                return work(self._open())
            except (sqlite3.DatabaseError, _Damaged) as error:
                damaged = _is_damage(error) or (self._folder / _FILE).is_dir()
                if not damaged or not self._set_aside():
                    raise
            return work(self._open())

    def _open(self) -> _Cache:
        if self._opened is None:
            self._file = self._inode()
            if can_only_be_read(self._folder) or not (self._makes or self._file):
                self._opened = CacheToRead(self._folder, _FILE)
                return self._opened
            # The library's defaults would drop the oldest values past 1 GiB and pickle objects.
            self._opened = diskcache.Cache(
                str(self._folder), disk=diskcache.JSONDisk, eviction_policy="none", size_limit=2**62
            )
            self._file = self._inode()
        return self._opened

    def _set_aside(self) -> bool:
        """Make room for an empty cache; False if that cannot be done.

        Of several processes that find the damage one does so; the others open what it made.
        """
        self.close()
        self._opened = None
        with FileLock(self._folder.with_name(f"{self._folder.name}.lock")) as lock:
            if not lock.acquire(timeout=10):
                return False
            if self._inode() == self._file:
                aside = self._folder.with_name(f"{self._folder.name}{DAMAGED}{uuid4().hex[:8]}")
                try:
                    self._folder.rename(aside)
                except OSError:
                    return False
                self.notes.append(
                    "The score cache was damaged. It was set aside as "
                    f"{aside.parent.name}/{aside.name}; its rewards are computed again."
                )
        return True

    def _inode(self) -> int | None:
        """Which file the cache lies in."""
        try:
            return (self._folder / _FILE).stat().st_ino
        except FileNotFoundError:
            return None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with storage_errors(self._folder):
            try:
                yield
            except (diskcache.Timeout, sqlite3.OperationalError) as error:
                if isinstance(error, sqlite3.OperationalError) and "locked" not in str(error):
                    raise
                raise StorageProblem(
                    f"The score cache in {self._folder} has been busy for a minute.",
                    "See whether another program holds it, then resume the run.",
                ) from error


class _Damaged(StorageProblem):
    """What was read is nothing that was put."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"The score cache in {folder} is damaged.", "Move it away.")


def _read(cache: _Cache, key: str) -> Any:
    try:
        return cache.get(key)
    except (zlib.error, ValueError) as error:
        raise _Damaged(str(cache.directory)) from error


def _is_damage(error: sqlite3.DatabaseError | _Damaged) -> bool:
    """Whether an error tells of a file that is no cache, is cut, or holds what nobody put."""
    if isinstance(error, _Damaged):
        return True
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_ERROR":
        # Its tables are not those of a cache; or a disk's failure had ended the transaction before.
        return "transaction" not in str(error)
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def _key(identity: str, text_hash: str) -> str:
    return f"score|{identity}|{text_hash}"


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
