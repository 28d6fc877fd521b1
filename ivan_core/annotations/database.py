"""Where reviews, notes and names are kept: SQLite in the data folder, or a team's PostgreSQL.

`IVAN_DATABASE_URL` names the latter. Everything written goes through one transaction a block.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from ivan_core.annotations import engines, migrations
from ivan_core.annotations.address import address, shown
from ivan_core.annotations.engines import connection, engine, problems
from ivan_core.domain.errors import BackendUnavailable, StorageProblem
from ivan_core.runs.database import switch_to_wal
from ivan_core.runs.storage import only_to_read, read_only_query

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
            if time.monotonic() - began > engines.PATIENCE / 2:
                _silent[self._url] = (time.monotonic() + _PAUSE, error)
            raise

    @contextmanager
    def _connected(self, writes: bool) -> Iterator[Connection]:
        file = self._url.get_backend_name() == "sqlite"
        with problems(self._url, self._folder):
            if file:
                self._folder.mkdir(parents=True, exist_ok=True)
            url = self._to_read() if file and not writes else self._url
            try:
                with connection(engine(url), writes) as db:
                    if file or self._url not in _laid_out:
                        self._check(db)
                    with db.begin():
                        yield db
            except ProgrammingError:
                _laid_out.discard(self._url)  # somebody took the tables away: look again next time
                raise

    def _to_read(self) -> URL:
        """Where to read a file's reviews: what lies in a folder only to read is left as it is.

        Where there is none, nobody has said anything yet.
        """
        if not only_to_read(self._folder):
            return self._url
        path = Path(str(self._url.database)).absolute()
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
