"""Where reviews, notes and names are kept: SQLite in the data folder, or a team's PostgreSQL.

`IVAN_DATABASE_URL` names the latter. Everything written goes through one transaction a block. In a
demo for strangers each writes into a copy of their own.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select, Table, create_engine, event
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    TimeoutError as PoolTimeout,
)
from sqlalchemy.pool import NullPool

from ivan_core.annotations import apart, migrations
from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError, StorageProblem
from ivan_core.runs.database import switch_to_wal
from ivan_core.runs.storage import only_to_read, read_only_query, storage_errors
from ivan_core.settings import setting

_laid_out: set[URL] = set()
"""Servers whose layout this process has seen; a file's is read anew, which costs nothing."""
_silent: dict[URL, tuple[float, BackendUnavailable]] = {}
"""Servers that let somebody wait, and until when nobody else waits for them."""
_PAUSE = 5.0
"""Seconds for which others are spared a long wait."""


class ReviewDatabase:
    """One database. Cheap to make; engines are kept by address."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir
        self._url = address(data_dir)

    @property
    def where(self) -> str:
        """The address without its password, to be shown."""
        return shown(self._url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with; what is read in one block belongs together."""
        with self._open(writes=False) as db:
            yield db

    def rows(self, query: Select[Any]) -> Sequence[RowMapping]:
        """The rows of one query."""
        with self.reading() as db:
            return db.execute(query).mappings().all()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all that is written in the block, or none of it."""
        with self._open(writes=True) as db:
            yield db

    @contextmanager
    def _open(self, writes: bool) -> Iterator[Connection]:
        until, problem = _silent.get(self._url, (0.0, None))
        began = time.monotonic()
        if problem is not None and began < until:
            raise BackendUnavailable(problem.message, problem.hint)
        try:
            with self._connected(writes) as db:
                yield db
        except BackendUnavailable as error:
            if time.monotonic() - began > PATIENCE / 2:
                _silent[self._url] = (time.monotonic() + _PAUSE, error)
            raise

    @contextmanager
    def _connected(self, writes: bool) -> Iterator[Connection]:
        file = self._url.get_backend_name() == "sqlite"
        with problems(self._url, self._folder):
            if file:
                self._folder.mkdir(parents=True, exist_ok=True)
            url = self._file(writes) if file else self._url
            try:
                with connection(engine(url), writes) as db:
                    if file or self._url not in _laid_out:
                        self._check(db)
                    with db.begin():
                        yield db
            except ProgrammingError:
                _laid_out.discard(self._url)  # somebody took the tables away: look again next time
                raise

    def _file(self, writes: bool) -> URL:
        """The file to read or to write: that of all, or the copy of a stranger who said something.

        What lies in a folder only to read is left as it is, and so is what strangers share.
        """
        shared = Path(str(self._url.database)).absolute()
        if apart.is_apart():
            own = apart.begin_copy(shared) if writes else apart.own_copy(shared)
            return self._url.set(database=str(own)) if own else self._only_to_read(shared)
        if writes or not only_to_read(self._folder):
            return self._url
        return self._only_to_read(shared)

    def _only_to_read(self, path: Path) -> URL:
        """A file that is not changed; where there is none, nobody has said anything yet."""
        if path.exists():
            query = {"uri": "true", **read_only_query(path)}
            return self._url.set(database=path.as_uri(), query=query)
        query = {"uri": "true", "mode": "memory", "cache": "shared"}
        return self._url.set(database=f"file:nothing-said-{threading.get_ident()}", query=query)

    def _check(self, db: Connection) -> None:
        """Make the tables, or bring those of an older IVAN up to date; what they hold is kept.

        Raises:
            StorageProblem: they are those of a newer IVAN.
        """
        newest = migrations.newest()
        with db.begin():
            found = migrations.layout_of(db)
        if found < newest:
            raw = db.connection.driver_connection
            if db.dialect.name == "sqlite" and raw is not None:
                switch_to_wal(raw)
            with connection(db.engine, writes=True) as own, own.begin():
                found = migrations.migrate(own)
        if found > newest:
            raise StorageProblem(
                f"{self.where} was written by a newer IVAN.",
                "Update this one, or name another database.",
            )
        _laid_out.add(self._url)


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


DATABASE_URL = "IVAN_DATABASE_URL"
FILE = "reviews.sqlite"
_FORM = "Write postgresql://user:password@host/database, or leave it empty for SQLite."


def address(data_dir: Path) -> URL:
    """The address that the settings give.

    Raises:
        BadInput: it cannot be read, or names a kind of database that IVAN does not know. What was
            written there is not repeated: it may hold a password.
        BackendUnavailable: the driver is not installed.
    """
    given = setting(DATABASE_URL).strip()
    if not given:
        return URL.create("sqlite+pysqlite", database=str(data_dir / FILE))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise BadInput(f"{DATABASE_URL} is no address of a database.", _FORM) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise BadInput(f"{DATABASE_URL} names a database that IVAN does not know.", _FORM)
    if "@" in (url.host or "") or not url.database:
        raise BadInput(
            f"{DATABASE_URL} is no address of a database.",
            f"{_FORM} In a password write @ as %40, : as %3A and / as %2F.",
        )
    if find_spec("psycopg") is None:
        raise BackendUnavailable(
            "The driver for PostgreSQL is not installed.", "pip install -e '.[postgres]'"
        )
    return url.set(drivername="postgresql+psycopg")


def shown(url: URL) -> str:
    """An address as it may be shown: without password, and without options, which can hold one."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    plain = url.set(drivername="postgresql", query={})
    return plain.render_as_string(hide_password=True)


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
