"""All that people said as one file, which either kind of database can write and restore.

A zip: one file of JSON lines a table, and `manifest.json` with the layout, counts and hashes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile
from zlib import error as ZlibError

from sqlalchemy import Column, Connection, DefaultClause, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from ivan_core import __version__
from ivan_core.annotations.database import ReviewDatabase
from ivan_core.annotations.migrations import newest
from ivan_core.annotations.tables import layout, metadata, storable
from ivan_core.domain.errors import BadInput
from ivan_core.domain.words import number_of
from ivan_core.runs.storage import replacing, storage_errors

FORMAT = 1
MANIFEST = "manifest.json"
TABLES = tuple(table for table in metadata.sorted_tables if table is not layout)
_AT_ONCE = 500
_MOST_MANIFEST = 2**20
_LONGEST_LINE = 2**24
_LARGEST = 2**31 - 1
"""The largest whole number that both databases keep."""


@dataclass(frozen=True, slots=True)
class Contents:
    """How many rows of each table a backup holds."""

    rows: dict[str, int]

    @property
    def words(self) -> str:
        told = (
            ("marks", "note or star", "notes and stars"),
            ("guesses", "guess", "guesses"),
            ("queues", "queue", "queues"),
            ("opinions", "opinion", "opinions"),
            ("changes", "change of them", "changes of them"),
            ("decisions", "decision", "decisions"),
        )
        return ", ".join(number_of(self.rows[table], one, many) for table, one, many in told)


def write_backup(data_dir: Path, path: Path) -> Contents:
    """Write a backup as it was at one moment; the file is there whole or not at all.

    Raises:
        BadInput: there is such a file already, or no such folder.
        StorageProblem, BackendUnavailable: the file or the database cannot be used.
    """
    if path.exists():
        raise BadInput(f"{path} exists already.", "Name a new file: no backup is overwritten.")
    if not path.parent.is_dir():
        raise BadInput(f"There is no folder {path.parent}.", "Make it, or name another.")
    tables: dict[str, dict[str, Any]] = {}
    with storage_errors(path.parent), replacing(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as file,
            ZipFile(file, "w", ZIP_DEFLATED) as archive,
            ReviewDatabase(data_dir).reading() as db,
        ):
            for table in TABLES:
                tables[table.name] = _write_table(db, table, archive)
            made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            manifest = {
                "format": FORMAT,
                "layout": newest(),
                "ivan": __version__,
                "made": made,
                "tables": tables,
            }
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return Contents({name: facts["rows"] for name, facts in tables.items()})


def _write_table(db: Connection, table: Table, archive: ZipFile) -> dict[str, Any]:
    query = select(table).order_by(*table.primary_key.columns)
    hashed, count = sha256(), 0
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as lines:
        for row in db.execute(query.execution_options(yield_per=_AT_ONCE)).mappings():
            line = json.dumps(dict(row), ensure_ascii=True).encode() + b"\n"
            lines.write(line)
            hashed.update(line)
            count += 1
    return {"rows": count, "sha256": hashed.hexdigest()}


def restore_backup(data_dir: Path, path: Path) -> Contents:
    """Put all that a backup holds into an empty database; all of it, or nothing.

    Nothing is merged: a database in which anybody said anything is refused.

    Raises:
        BadInput: the file is no backup, is damaged or of a newer IVAN, or the database holds any.
    """
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Name a file that `ivan review backup` wrote.")
    database = ReviewDatabase(data_dir)
    try:
        with ZipFile(path) as archive:
            tables = _read_manifest(archive)
            with database.writing() as db:
                _check_empty(db, database.where)
                rows = {t.name: _restore_table(db, t, archive, tables[t.name]) for t in TABLES}
    except (BadZipFile, ZlibError, EOFError, UnicodeDecodeError, NotImplementedError) as error:
        raise _damaged("it cannot be unpacked") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", "Name another copy.") from error
    except IntegrityError as error:
        raise _damaged("two of its rows are the same") from error
    return Contents(rows)


def _read_manifest(archive: ZipFile) -> dict[str, dict[str, Any]]:
    """What a backup says of its tables, by name."""
    try:
        if archive.getinfo(MANIFEST).file_size > _MOST_MANIFEST:
            raise _damaged("its manifest is too large")
        manifest = json.loads(archive.read(MANIFEST))
        form, number, tables = manifest["format"], manifest["layout"], manifest["tables"]
        told = {name: (int(one["rows"]), str(one["sha256"])) for name, one in tables.items()}
        newer = form > FORMAT or number > newest()
    except KeyError:
        raise BadInput(
            "This is no backup of reviews.", "Name a file of `ivan review backup`."
        ) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise _damaged("its manifest cannot be read") from error
    if newer:
        raise BadInput("This backup was written by a newer IVAN.", "Update this one first.")
    if set(told) != {table.name for table in TABLES}:
        raise _damaged("its manifest does not name the tables")
    return dict(tables)


def _check_empty(db: Connection, where: str) -> None:
    if db.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in TABLES)
        db.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
    counts = {t.name: db.execute(select(func.count()).select_from(t)).scalar_one() for t in TABLES}
    if any(counts.values()):
        raise BadInput(
            f"The database holds reviews already: {Contents(counts).words}.",
            f"Nothing is merged or overwritten. Restore into an empty one instead of {where}.",
        )


def _restore_table(db: Connection, table: Table, archive: ZipFile, told: dict[str, Any]) -> int:
    hashed, count = sha256(), 0
    try:
        lines = archive.open(f"{table.name}.jsonl")
    except KeyError:
        raise _damaged(f"{table.name}.jsonl is missing") from None
    with lines:

        def rows() -> Iterator[dict[str, Any]]:
            while line := lines.readline(_LONGEST_LINE + 1):
                if len(line) > _LONGEST_LINE:
                    raise _damaged(f"a line of {table.name}.jsonl has no end")
                hashed.update(line)
                yield _row(table, line)

        found = rows()
        while batch := list(islice(found, _AT_ONCE)):
            db.execute(insert(table), batch)
            count += len(batch)
    if (count, hashed.hexdigest()) != (told["rows"], told["sha256"]):
        raise _damaged(f"{table.name}.jsonl is not what was written")
    if "id" in table.c and db.dialect.name == "postgresql" and count:
        # The server counts by itself and would give numbers that are taken.
        db.exec_driver_sql(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
            f"(SELECT MAX(id) FROM {table.name}))"
        )
    return count


def _row(table: Table, line: bytes) -> dict[str, Any]:
    """A row, checked against the table's columns; text is made storable in either database."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _damaged(f"a line of {table.name}.jsonl cannot be read") from error
    if not isinstance(row, dict) or not set(row) <= set(table.c.keys()):
        raise _damaged(f"a line of {table.name}.jsonl has other columns")
    return {column.name: _value(column, row) for column in table.c}


def _value(column: Column[Any], row: dict[str, Any]) -> Any:
    """A row's value of a column; what an older IVAN did not know yet has its default."""
    kind, default = column.type.python_type, column.server_default
    if column.name not in row and isinstance(default, DefaultClause):
        told = str(default.arg)
        return told == "true" if kind is bool else kind(told)
    value: Any = row.get(column.name)
    if kind is float and type(value) in (int, float):
        return float(value)
    if type(value) is not kind or (kind is int and abs(value) > _LARGEST):
        raise _damaged(f"{column.name} in {column.table.name}.jsonl is no {kind.__name__}")
    return storable(value) if kind is str else value


def _damaged(why: str) -> BadInput:
    return BadInput(f"This backup is damaged: {why}.", "Nothing was restored. Use another copy.")
