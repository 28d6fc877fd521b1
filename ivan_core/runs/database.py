"""SQLite files, laid out by whoever comes first and written in transactions; the one of the runs.

A row of the runs is read cell by cell, so that one bad cell spoils no list of runs.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.runs import ACTIVE, Run, RunState
from ivan_core.runs.storage import only_to_read, read_only_query, storage_errors

LAYOUT = 2
"""Number of the layout of the other files of this kind (ledger, questions)."""
RUNS_LAYOUT = 4
"""Number of the layout of the runs, kept as its `user_version`; 0 is a file without tables."""
ACTIVE_SQL = ", ".join(f"'{state}'" for state in ACTIVE)
_RUNS_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, spec TEXT NOT NULL, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL, heartbeat REAL,
    cancel INTEGER NOT NULL DEFAULT 0, doing TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
    computed INTEGER NOT NULL DEFAULT 0, rate REAL, problem TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '[]',
    name TEXT NOT NULL DEFAULT '', facts TEXT NOT NULL DEFAULT '{}',
    starred INTEGER NOT NULL DEFAULT 0)""",
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
    3: ("ALTER TABLE runs ADD COLUMN starred INTEGER NOT NULL DEFAULT 0", "PRAGMA user_version=4"),
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

    def __init__(self, path: Path, makes_folder: bool = True) -> None:
        self.path = path
        self._folder = path.parent
        self._makes_folder = makes_folder
        """False: who works for a folder that is taken away must not bring it back."""

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
        if self._makes_folder:
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
    schema = _RUNS_SCHEMA
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


FIELDS = tuple(field.name for field in fields(Run))
_FAR = 4_102_444_800.0
"""The beginning of the year 2100, in Unix seconds."""
_MOST = 2**53
Row = tuple[object, ...]


def read_run(row: Row) -> tuple[Run, bool]:
    """A run as it is stored, and whether someone asked it to stop.

    `row` holds the FIELDS in their order, then the request to stop. A run with a cell that makes no
    sense is damaged, and says which it is.
    """
    values: dict[str, Any] = {}
    bad = []
    for name, cell in zip(FIELDS, row, strict=False):
        try:
            values[name] = _READ[name](cell)
        except (ValueError, TypeError, RecursionError):
            values[name] = _EMPTY[name]
            bad.append(name)
    if bad:
        values |= {
            "state": RunState.DAMAGED,
            "problem": damage(bad),
            "hint": f"`ivan runs delete {values['id']}` takes it away. The others are whole.",
        }
    return Run(**values), bool(row[-1])


def damage(cells: list[str]) -> str:
    """The sentence that says which cells are damaged."""
    return f"The entry of this run in the registry is damaged ({', '.join(cells)})."


def _text(cell: object) -> str:
    if not isinstance(cell, str):
        raise TypeError
    return cell


def _moment(cell: object) -> float:
    if not isinstance(cell, int | float) or not 0 <= cell < _FAR:
        raise TypeError
    return float(cell)


def _moment_or_none(cell: object) -> float | None:
    return None if cell is None else _moment(cell)


def _count(cell: object) -> int:
    if not isinstance(cell, int) or not 0 <= cell < _MOST:
        raise TypeError
    return cell


def _flag(cell: object) -> bool:
    if cell not in (0, 1):
        raise TypeError
    return bool(cell)


def _rate(cell: object) -> float | None:
    if cell is not None and not (isinstance(cell, int | float) and isfinite(cell)):
        raise TypeError
    return cell


def _notes(cell: object) -> tuple[str, ...]:
    if cell == "[]":
        return ()
    notes = json.loads(_text(cell))
    if not isinstance(notes, list):
        raise TypeError
    return tuple(_text(note) for note in notes)


def _facts(cell: object) -> str:
    if cell != "{}" and not isinstance(json.loads(_text(cell)), dict):
        raise TypeError
    return _text(cell)


def _state(cell: object) -> RunState:
    state = RunState(_text(cell))
    if state in (RunState.INTERRUPTED, RunState.DAMAGED):
        raise ValueError
    return state


_READ: dict[str, Callable[[object], Any]] = {
    "id": _text,
    "kind": _text,
    "spec": _text,
    "state": _state,
    "created": _moment,
    "started": _moment_or_none,
    "finished": _moment_or_none,
    "heartbeat": _moment_or_none,
    "doing": _text,
    "done": _count,
    "total": _count,
    "computed": _count,
    "rate": _rate,
    "problem": _text,
    "hint": _text,
    "notes": _notes,
    "name": _text,
    "facts": _facts,
    "starred": _flag,
}
_EMPTY: dict[str, Any] = {
    "id": "?",
    "kind": "?",
    "spec": "",
    "state": RunState.DAMAGED,
    "created": 0.0,
    "started": None,
    "finished": None,
    "heartbeat": None,
    "doing": "",
    "done": 0,
    "total": 0,
    "computed": 0,
    "rate": None,
    "problem": "",
    "hint": "",
    "notes": (),
    "name": "",
    "facts": "{}",
    "starred": False,
}
