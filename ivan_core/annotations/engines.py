"""Connections to either database, and its complaints as sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    TimeoutError as PoolTimeout,
)
from sqlalchemy.pool import NullPool

from ivan_core.annotations.address import DATABASE_URL, shown
from ivan_core.domain.errors import BackendUnavailable, IvanError, StorageProblem
from ivan_core.runs.storage import storage_errors

PATIENCE = 10
"""Seconds to wait for another process that writes, or for a server that does not answer."""
_WRITES = "ivan_writes"


@lru_cache(maxsize=32)
def engine(url: URL) -> Engine:
    """The engine of an address. PostgreSQL's keeps connections; SQLite's opens the file anew."""
    if url.get_backend_name() == "postgresql":
        silence = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        return create_engine(
            url,
            pool_size=8,
            max_overflow=24,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": PATIENCE,
                "tcp_user_timeout": PATIENCE * 1000,
                **silence,
            },
        )
    made = create_engine(url, poolclass=NullPool, connect_args={"timeout": PATIENCE})
    event.listen(made, "connect", _no_hidden_transactions)
    event.listen(made, "begin", _begin)
    return made


@contextmanager
def connection(made: Engine, writes: bool) -> Iterator[Connection]:
    """A connection whose transactions write, or that reads one state of the database."""
    options: dict[str, object] = {_WRITES: writes}
    if made.dialect.name == "postgresql" and not writes:
        options["isolation_level"] = "REPEATABLE READ"
    with made.connect().execution_options(**options) as db:
        yield db


def _no_hidden_transactions(raw: sqlite3.Connection, _: object) -> None:
    """Let nobody but us begin transactions: the driver would begin them too late.

    What somebody said is on the disk before they are told that it is saved.
    """
    raw.isolation_level = None
    raw.execute("PRAGMA synchronous=FULL")


def _begin(db: Connection) -> None:
    """Whoever writes asks for the lock first, so that nobody is refused half way."""
    writes = db.get_execution_options().get(_WRITES)
    db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def problems(url: URL, folder: Path) -> Iterator[None]:
    """Turn the database's complaints into sentences, all but that a key is taken.

    Raises:
        StorageProblem: the file is damaged, locked for long, or cannot be written.
        BackendUnavailable: the server does not answer.
    """
    try:
        with storage_errors(folder), _as_sqlite_said_it():
            yield
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        raise StorageProblem(
            f"Another process has been writing the reviews for more than {PATIENCE} seconds.",
            "Nothing was changed. Try again.",
        ) from error
    except IntegrityError:
        raise  # two who wrote at once: the caller says what that means
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise BackendUnavailable(
            f"The database of the reviews does not answer: {shown(url)}.",
            f"Start it, or correct {DATABASE_URL}; without it reviews are kept in the data folder.",
        ) from error
    except DBAPIError as error:
        raise IvanError(
            f"The database of the reviews refused: {type(error.orig).__name__}.",
            f"See its log; its address is {shown(url)}.",
        ) from error


@contextmanager
def _as_sqlite_said_it() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, IntegrityError) or not isinstance(error.orig, sqlite3.DatabaseError):
            raise
        raise error.orig from error
