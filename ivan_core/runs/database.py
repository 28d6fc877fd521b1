"""The registry's SQLite file: opened, laid out by whoever comes first, written in transactions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.runs import ACTIVE
from ivan_core.runs.storage import only_to_read, read_only_query, storage_errors

LAYOUT = 2
"""Number of the layout of the other files of this kind (ledger, questions)."""
RUNS_LAYOUT = 3
"""Number of the layout of the runs, kept as its `user_version`; 0 is a file without tables."""
ACTIVE_SQL = ", ".join(f"'{state}'" for state in ACTIVE)
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, spec TEXT NOT NULL, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL, heartbeat REAL,
    cancel INTEGER NOT NULL DEFAULT 0, doing TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
    computed INTEGER NOT NULL DEFAULT 0, rate REAL, problem TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '[]',
    name TEXT NOT NULL DEFAULT '', facts TEXT NOT NULL DEFAULT '{}')""",
    "CREATE UNIQUE INDEX IF NOT EXISTS one_active ON runs (fingerprint) "
    f"WHERE state IN ({ACTIVE_SQL})",
    """CREATE TABLE IF NOT EXISTS live (
    run TEXT NOT NULL, model TEXT NOT NULL, step INTEGER NOT NULL, agree INTEGER NOT NULL,
    tie INTEGER NOT NULL, disagree INTEGER NOT NULL, unrated INTEGER NOT NULL,
    margin_sum REAL NOT NULL, margin_squares REAL NOT NULL, PRIMARY KEY (run, model, step)
    ) WITHOUT ROWID""",
    f"PRAGMA user_version={RUNS_LAYOUT}",
)
_UPGRADES = {
    1: ("ALTER TABLE runs ADD COLUMN name TEXT NOT NULL DEFAULT ''", "PRAGMA user_version=2"),
    2: ("ALTER TABLE runs ADD COLUMN facts TEXT NOT NULL DEFAULT '{}'", "PRAGMA user_version=3"),
}
_PATIENCE = 10.0
"""Seconds to wait for another process that writes; each write takes milliseconds."""


class Database:
    """One file. Cheap to make; each block opens and closes its own connection."""

    layout: int = LAYOUT
    """The layout's number, kept in the file."""
    schema: tuple[str, ...] = ()
    """What lays the file out; the last statement sets the layout's number."""
    upgrades: Mapping[int, tuple[str, ...]] = {}
    """What makes the next layout of an older one; nothing that the file holds is lost."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = path.parent

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for single statements, each committed by itself."""
        with storage_errors(self._folder):
            db = self._connected()
            try:
                if _layout(db) != self.layout:
                    self._lay_out(db)
                db.execute("PRAGMA synchronous=NORMAL")
                yield db
            finally:
                db.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all that is written in the block, or none of it."""
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Makes calls inside the block ten times as quick (0.1 ms instead of 1.3 ms).

        The last connection to close folds the write-ahead log away; here one stays.
        """
        with self.reading():
            yield

    def _connected(self) -> sqlite3.Connection:
        if only_to_read(self._folder) and self.path.exists():
            # What is in it can be read all the same; SQLite itself refuses to write.
            address = f"{self.path.absolute().as_uri()}?{urlencode(read_only_query(self.path))}"
            return sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
        self._folder.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)

    def _lay_out(self, db: sqlite3.Connection) -> None:
        """Make the tables, or bring those of an older IVAN up to date; what they hold is kept.

        Several processes may come first at the same moment.
        """
        if _layout(db) > self.layout:
            raise StorageProblem(
                f"{self.path} was written by a newer IVAN.",
                "Update this one, or name another data folder with IVAN_DATA_DIR.",
            )
        switch_to_wal(db)
        db.execute("BEGIN IMMEDIATE")
        while (layout := _layout(db)) < self.layout:
            for statement in self.upgrades[layout] if layout else self.schema:
                db.execute(statement)
        db.execute("COMMIT")


class RunsFile(Database):
    """The file of the runs."""

    layout = RUNS_LAYOUT
    schema = _SCHEMA
    upgrades = _UPGRADES


def _layout(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def switch_to_wal(db: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; SQLite does not wait for others here, so we do."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
