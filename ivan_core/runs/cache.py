"""The score cache: what a model gave a text, kept for good and shared by all runs.

Where nothing may be written, or nothing is to be made, it is read only.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Generic, Protocol, TypeVar
from uuid import uuid4

import diskcache

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.models import Reward
from ivan_core.runs.facts import FACTS_FILE, Facts
from ivan_core.runs.locks import FileLock
from ivan_core.runs.older_cache import OLDER_FILE, OLDER_VALUES, take_over
from ivan_core.runs.score_table import SCORES_FILE, Damaged, ScoreTable
from ivan_core.runs.storage import can_only_be_read, storage_errors

DAMAGED = "-damaged-"
"""Stands in the names of caches that were set aside."""
_FACTS = "facts"
_PATIENCE = 60.0
"""Seconds to wait for another process that takes over an older cache."""


class ScoreCache:
    """Rewards by model identity and text hash. Failures are not kept: they may be mended next time.

    One that turns out damaged is set aside under another name beside it, never deleted, and work
    goes on with an empty one: all it held can be computed again. `notes` says so. The small facts
    about models lie beside the scores and are set aside by themselves.

    What an older IVAN kept in the folder is taken over by the first that may write there. With
    `makes` off no cache is made where there is none. Where nothing can be written it is read. It
    may be used from several threads.

    Every method raises StorageProblem where the cache's folder cannot be used.
    """

    def __init__(self, folder: Path, *, makes: bool = True) -> None:
        self.notes: list[str] = []
        self._folder = folder
        self._lock = RLock()
        older = folder / OLDER_FILE
        writes = not can_only_be_read(folder) and (
            makes or (folder / SCORES_FILE).exists() or older.exists()
        )
        self._scores = _Store(folder / SCORES_FILE, lambda: ScoreTable(folder, writes=writes))
        self._facts = _Store(
            folder / _FACTS / FACTS_FILE, lambda: Facts(folder / _FACTS, writes=writes)
        )
        self._do_scores(lambda scores: None)
        if writes and older.exists():
            self._take_over(older)

    def get_many(self, identity: str, hashes: Iterable[str]) -> dict[str, Reward]:
        """The known rewards among these texts, by text hash."""
        wanted = list(hashes)
        return self._do_scores(lambda scores: scores.get_many(identity, wanted))

    def put_many(self, identity: str, rewards: Mapping[str, Reward]) -> None:
        """Keep these rewards in one transaction: after a crash either all are there or none."""
        self._do_scores(lambda scores: scores.put_many(identity, rewards))

    def recall(self, name: str) -> Any:
        """A small fact about models on this machine (speeds, budgets); None if unknown."""
        return self._do_facts(lambda facts: facts.recall(name))

    def remember(self, name: str, value: Any) -> None:
        """Keep a small fact, which can be written as JSON, under a name."""
        self._do_facts(lambda facts: facts.remember(name, value))

    def __len__(self) -> int:
        return self._do_scores(len) + self._do_facts(len)

    def clear(self) -> int:
        """Forget everything; returns how many rewards and facts that were.

        A run that is at work meanwhile loses nothing: what it has finished lies in its parts.
        """
        return self._do_scores(ScoreTable.clear) + self._do_facts(Facts.clear)

    def close(self) -> None:
        with self._lock:
            self._scores.close()
            self._facts.close()

    def _do_scores(self, work: Callable[[ScoreTable], _Given]) -> _Given:
        return self._do(self._scores, work, self._set_scores_aside)

    def _do_facts(self, work: Callable[[Facts], _Given]) -> _Given:
        return self._do(self._facts, work, self._set_facts_aside)

    def _do(
        self,
        store: _Store[_Opened],
        work: Callable[[_Opened], _Given],
        set_aside: Callable[[], bool],
    ) -> _Given:
        with self._lock, self._errors():
            try:
                return work(store.opened())
            except (sqlite3.DatabaseError, Damaged) as error:
                if not (_is_damage(error) or store.file.is_dir()) or not set_aside():
                    raise
            return work(store.opened())

    def _set_scores_aside(self) -> bool:
        self._facts.close()

        def move(aside: Path) -> None:
            self._folder.rename(aside)
            if (aside / _FACTS).is_dir():
                self._folder.mkdir()
                (aside / _FACTS).rename(self._folder / _FACTS)

        return self._set_aside(
            self._scores,
            move,
            "The score cache was damaged. It was set aside as {}; its rewards are computed again.",
        )

    def _set_facts_aside(self) -> bool:
        return self._set_aside(
            self._facts,
            (self._folder / _FACTS).rename,
            "What the score cache knew of models' speeds and earlier rewordings was damaged. It "
            "was set aside as {}; it is found out again.",
        )

    def _set_aside(
        self, store: _Store[_Opened], move: Callable[[Path], Any], sentence: str
    ) -> bool:
        """Make room for an empty cache; False if that cannot be done.

        Of several processes that find the damage one does so; the others open what it made.
        """
        store.close()
        with FileLock(self._lock_path) as lock:
            if not lock.acquire(timeout=10):
                return False
            if store.is_the_one_opened():
                aside = self._aside()
                try:
                    move(aside)
                except OSError:
                    return False
                self.notes.append(sentence.format(f"{aside.parent.name}/{aside.name}"))
        return True

    def _take_over(self, older: Path) -> None:
        """Copy an older cache, then take it away; one that could not be read whole is set aside."""
        with self._errors(), FileLock(self._lock_path) as lock:
            if not lock.acquire(timeout=_PATIENCE) or not older.exists():
                return
            if not take_over(self._folder, self._scores.opened(), self._facts.opened()):
                aside = self._aside()
                aside.mkdir()
                for path in (older, *self._folder.glob(OLDER_VALUES)):
                    path.rename(aside / path.name)
                self.notes.append(
                    "A part of the older score cache was damaged. It was set aside as "
                    f"{aside.parent.name}/{aside.name}; what could be read was taken over."
                )
            for path in self._folder.glob(f"{older.name}*"):
                path.unlink(missing_ok=True)
            for path in self._folder.glob(OLDER_VALUES):
                shutil.rmtree(path, ignore_errors=True)

    @property
    def _lock_path(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}.lock")

    def _aside(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}{DAMAGED}{uuid4().hex[:8]}")

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


class _Closable(Protocol):
    def close(self) -> None: ...


_Opened = TypeVar("_Opened", bound=_Closable)
_Given = TypeVar("_Given")


class _Store(Generic[_Opened]):
    """One file of the cache, opened when it is first needed."""

    def __init__(self, file: Path, open_it: Callable[[], _Opened]) -> None:
        self.file = file
        self._open = open_it
        self._inode: int | None = None
        self._opened: _Opened | None = None

    def opened(self) -> _Opened:
        if not self.is_the_one_opened():  # Somebody took the folder away, and it would be lost.
            self.close()
        if self._opened is None:
            self._inode = self._inode_now()
            self._opened = self._open()
            self._inode = self._inode_now()
        return self._opened

    def is_the_one_opened(self) -> bool:
        """Whether the file has not been replaced by another process since it was opened."""
        return self._inode_now() == self._inode

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def _inode_now(self) -> int | None:
        try:
            return self.file.stat().st_ino
        except FileNotFoundError:
            return None


def _is_damage(error: sqlite3.DatabaseError | Damaged) -> bool:
    """Whether an error tells of a file that is no cache, is cut, or holds what nobody put."""
    if isinstance(error, Damaged):
        return True
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_ERROR":
        # Its tables are not those of a cache; or a disk's failure had ended the transaction before.
        return "transaction" not in str(error)
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
