"""The table of scores: (model, text) → (reward, truncated), in one SQLite file.

A score takes about 36 bytes: the model is a number, with its identity in a table of its own, and
the text is the bytes of its hash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import isfinite
from operator import itemgetter
from pathlib import Path
from urllib.parse import urlencode

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.models import Reward
from ivan_core.runs.database import switch_to_wal
from ivan_core.runs.storage import read_only_query

SCORES_FILE = "scores.sqlite"
_MARK = 0x4956414E
"""What SQLite calls the application's number: a file without it is none of ours."""
_LAYOUT = 1
_SCHEMA = (
    "CREATE TABLE models (number INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE)",
    # A reward has no type: SQLite keeps what it is given, down to the sign of a zero. A model has
    # that of its number, without which no look-up would go by the key.
    "CREATE TABLE scores (model INTEGER, text, reward, truncated, PRIMARY KEY (model, text)) "
    "WITHOUT ROWID",
    f"PRAGMA application_id={_MARK}",
    f"PRAGMA user_version={_LAYOUT}",
)
_PATIENCE = 60.0
"""Seconds to wait for others that write; taking over what an older IVAN kept takes longest."""
_AT_ONCE = 500
"""Texts asked for in one statement: more were no quicker."""
_MEMORY_KIB = 32_768
_LOG_PAGES = 8_192
"""Pages the log may hold before it is folded away: a small write touches pages all over the table,
which are then written once for many writes."""


class Damaged(StorageProblem):
    """What was read is nothing that was put."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is damaged.", "Move it away.")


class ScoreTable:
    """An open table; it may be used from several threads, one at a time.

    Every method raises sqlite3.Error where the file cannot be used, and Damaged where it holds what
    nobody put.
    """

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        """The table in a folder. Where it only reads, and there is none, it is empty."""
        self._path = folder / SCORES_FILE
        self._writes = writes
        self._db: sqlite3.Connection | None = None
        if writes or self._path.exists():
            self._db = self._connected()
            try:
                self._lay_out(self._db)
            except BaseException:
                self.close()
                raise

    def get_many(self, identity: str, hashes: Iterable[str]) -> dict[str, Reward]:
        """The known rewards among these texts, by text hash."""
        found: dict[str, Reward] = {}
        if self._db is None:
            return found
        keys = [_key(text_hash) for text_hash in hashes]
        for start in range(0, len(keys), _AT_ONCE):
            asked = keys[start : start + _AT_ONCE]
            rows = self._db.execute(found_by(len(asked)), (*asked, identity))
            for key, value, truncated in rows:
                if type(value) is not float or truncated not in (0, 1):
                    raise Damaged(self._path)
                found[_text_hash(key)] = Reward(value, bool(truncated))
        return found

    def put_many(self, identity: str, rewards: Mapping[str, Reward]) -> None:
        """Keep these rewards in one transaction; what is no number is left out, as failures are."""
        kept = [
            (_key(text_hash), float(reward.value), int(reward.truncated))
            for text_hash, reward in rewards.items()
            if reward.value is not None and isfinite(reward.value)
        ]
        # In the order of the table, neighbours lie on one page. Texts and bytes have no order.
        with suppress(TypeError):
            kept.sort(key=itemgetter(0))
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO models (identity) VALUES (?)", (identity,))
            (model,) = db.execute(
                "SELECT number FROM models WHERE identity = ?", (identity,)
            ).fetchone()
            db.executemany(f"INSERT OR REPLACE INTO scores VALUES ({model:d}, ?, ?, ?)", kept)

    def __len__(self) -> int:
        if self._db is None:
            return 0
        return int(self._db.execute("SELECT COUNT(*) FROM scores").fetchone()[0])

    def clear(self) -> int:
        """Forget every score and give the space back; returns how many there were."""
        with self._writing() as db:
            count = len(self)
            db.execute("DELETE FROM scores")
        # Somebody who reads meanwhile keeps the space until the next time.
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA busy_timeout=1000")
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute(f"PRAGMA busy_timeout={_PATIENCE * 1000:.0f}")
        return count

    def close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()

    def _connected(self) -> sqlite3.Connection:
        address: str = str(self._path)
        if self._writes:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        else:
            address = f"{self._path.absolute().as_uri()}?{urlencode(read_only_query(self._path))}"
        return sqlite3.connect(
            address,
            uri=not self._writes,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )

    def _lay_out(self, db: sqlite3.Connection) -> None:
        """Make the tables where the file is new. Several processes may come at the same moment."""
        db.execute(f"PRAGMA cache_size=-{_MEMORY_KIB}")
        db.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        db.execute("PRAGMA synchronous=NORMAL")
        if self._is_laid_out(db):
            return
        if not self._writes:
            raise Damaged(self._path)
        switch_to_wal(db)
        with self._writing():
            if not self._is_laid_out(db):
                for statement in _SCHEMA:
                    db.execute(statement)

    def _is_laid_out(self, db: sqlite3.Connection) -> bool:
        """Whether the file holds a table of scores; False if it is empty."""
        mark, layout = (_pragma(db, name) for name in ("application_id", "user_version"))
        if mark == _MARK and layout > _LAYOUT:
            raise StorageProblem(
                f"{self._path} was written by a newer IVAN.",
                "Update this one, or name another data folder with IVAN_DATA_DIR.",
            )
        if mark != _MARK and db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
            raise Damaged(self._path)
        return mark == _MARK

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all that is written in the block, or none of it."""
        if self._db is None or not self._writes:
            raise StorageProblem(
                f"The folder {self._path.parent} cannot be written.",
                "Make it writable, or name another data folder with IVAN_DATA_DIR.",
            )
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            # SQLite ends a transaction by itself where the disk fails.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def found_by(texts: int) -> str:
    """The look-up of so many texts, which are given first, of a model."""
    # A list after IN would be put in order first, which takes as long as looking most texts up.
    return (
        f"WITH asked (text) AS (VALUES {', '.join(['(?)'] * texts)}) "
        "SELECT text, reward, truncated FROM asked CROSS JOIN scores USING (text) "
        "WHERE model = (SELECT number FROM models WHERE identity = ?)"
    )


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _key(text_hash: str) -> bytes | str:
    """A hash as its bytes; whatever is no lower-case hex stays as it is, so no two keys collide."""
    try:
        key = bytes.fromhex(text_hash)
    except ValueError:
        return text_hash
    return key if text_hash and key.hex() == text_hash else text_hash


def _text_hash(key: bytes | str) -> str:
    return key.hex() if isinstance(key, bytes) else key
