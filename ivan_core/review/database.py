"""Where reviews, notes and names are kept: SQLite in the data folder, or a team's PostgreSQL.

`IVAN_DATABASE_URL` names the latter. Everything written goes through one transaction a block.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError, StorageProblem
from ivan_core.review.tables import LAYOUT, layout, metadata
from ivan_core.runs.storage import storage_errors
from ivan_core.settings import setting

DATABASE_URL = "IVAN_DATABASE_URL"
FILE = "reviews.sqlite"
_PATIENCE = 10
"""Seconds to wait for another process that writes, or for a server that does not answer."""
_LOCK = 4_826_000
"""Number of the lock that a PostgreSQL server gives to who lays the tables out."""


class ReviewDatabase:
    """One database. Cheap to make; engines are kept by address."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir
        self._url = _address(data_dir)

    @property
    def where(self) -> str:
        """The address without its password, to be shown."""
        return self._url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with; what is read in one block belongs together."""
        with self._problems():
            engine = self._ready()
            with engine.connect() as db:
                yield db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all that is written in the block, or none of it."""
        with self._problems():
            engine = self._ready()
            with engine.connect().execution_options(ivan_writes=True) as db, db.begin():
                yield db

    def _ready(self) -> Engine:
        if self._url.get_backend_name() == "sqlite":
            self._folder.mkdir(parents=True, exist_ok=True)
        engine = _engine(self._url)
        with engine.connect() as db:
            found = _layout(db)
        if found != LAYOUT:
            self._lay_out(engine, found)
        return engine

    def _lay_out(self, engine: Engine, found: int | None) -> None:
        """Make what tables are missing; those of an older IVAN stay with all that they hold."""
        if found is not None and found > LAYOUT:
            raise StorageProblem(
                f"{self.where} was written by a newer IVAN.",
                "Update this one, or name another database.",
            )
        with engine.connect().execution_options(ivan_writes=True) as db, db.begin():
            if db.dialect.name == "postgresql":
                db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if _layout(db) == LAYOUT:
                return  # somebody else was first
            metadata.create_all(db)
            db.execute(layout.delete())
            db.execute(insert(layout).values(number=LAYOUT))

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            with storage_errors(self._folder):
                try:
                    yield
                except DBAPIError as error:
                    if isinstance(error, IntegrityError) or not isinstance(
                        error.orig, sqlite3.DatabaseError
                    ):
                        raise
                    raise error.orig from error
        except IntegrityError:
            raise  # two who wrote at once: the caller says what that means
        except OperationalError as error:
            raise BackendUnavailable(
                f"The database of the reviews does not answer: {self.where}.",
                f"Start it, or correct {DATABASE_URL}; without it reviews are kept in the data"
                " folder.",
            ) from error
        except DBAPIError as error:
            raise IvanError(
                f"The database of the reviews refused: {type(error.orig).__name__}.",
                f"See its log; its address is {self.where}.",
            ) from error


def upsert(
    db: Connection, table: Table, values: Mapping[str, Any], keys: Sequence[str], expected: int
) -> bool:
    """Insert a row, or replace it if it still has the expected version; whether that was done.

    One statement, so that of two who write at once only one succeeds.
    """
    make = postgres_insert if db.dialect.name == "postgresql" else sqlite_insert
    statement = make(table).values(**values)
    changed = {name: value for name, value in values.items() if name not in keys}
    statement = statement.on_conflict_do_update(
        index_elements=list(keys), set_=changed, where=table.c.version == expected
    )
    return db.execute(statement.returning(table.c.version)).first() is not None


def _address(data_dir: Path) -> URL:
    given = setting(DATABASE_URL).strip()
    if not given:
        return URL.create("sqlite+pysqlite", database=str(data_dir / FILE))
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise BadInput(
            f"{DATABASE_URL} is no address of a database.",
            "Write postgresql://user:password@host/database, or leave it empty.",
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise BadInput(
            f"{DATABASE_URL} names {url.get_backend_name()}, which IVAN does not know.",
            "Write postgresql://user:password@host/database, or leave it empty for SQLite.",
        )
    if find_spec("psycopg") is None:
        raise BackendUnavailable(
            "The driver for PostgreSQL is not installed.", "pip install -e '.[postgres]'"
        )
    return url.set(drivername="postgresql+psycopg")


@lru_cache(maxsize=32)
def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return create_engine(
            url, pool_size=8, max_overflow=24, pool_pre_ping=True,
            connect_args={"connect_timeout": _PATIENCE},
        )  # fmt: skip
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": _PATIENCE})
    event.listen(engine, "connect", _no_hidden_transactions)
    event.listen(engine, "begin", _begin)
    return engine


def _no_hidden_transactions(connection: sqlite3.Connection, _: object) -> None:
    """Let nobody but us begin transactions: the driver would begin them too late."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin(db: Connection) -> None:
    """Whoever writes asks for the lock first, so that nobody is refused half way."""
    writes = db.get_execution_options().get("ivan_writes")
    db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _layout(db: Connection) -> int | None:
    """The number of the layout; None where there is none, or one older than numbers."""
    if not inspect(db).has_table(layout.name):
        return None
    return db.execute(select(layout.c.number)).scalar()
