"""Local files: JSONL, JSONL.GZ, CSV and Parquet, read row by row; damaged lines are named, not fatal."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from ivan_core.domain.errors import BadInput

FORMATS = (".jsonl", ".jsonl.gz", ".csv", ".parquet")
NEEDED = ("chosen", "rejected")
_FORMAT_HINT = "IVAN reads " + ", ".join(FORMATS) + "."
csv.field_size_limit(2**27)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not a pair, by its number in the file (the first is 1), and why."""

    line: int
    reason: str


Line = tuple[int, dict[str, Any]] | BadLine
"""A row with its line number in the file, or a line that is no row."""


def file_format(path: Path) -> str:
    """The format by the file's ending.

    Raises:
        BadInput: an ending IVAN does not read.
    """
    for ending in sorted(FORMATS, key=len, reverse=True):
        if path.name.lower().endswith(ending):
            return ending
    raise BadInput(f"{path.name} is not a kind of file IVAN reads.", _FORMAT_HINT)


def check_file(path: Path) -> None:
    """What can be said of a file without reading it all.

    Raises:
        BadInput: it is missing, a folder, unreadable, empty or of an unknown kind.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder, not a file.", _FORMAT_HINT)
    if not path.exists():
        raise BadInput(
            f"There is no file {path}.",
            "Check the path, or use the bundled data with `--dataset sample`.",
        )
    file_format(path)
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except PermissionError:
        raise BadInput(f"{path} may not be read.", "Change its permissions.") from None
    if empty:
        raise BadInput(
            f"{path.name} is empty.", "It needs rows with the columns chosen and rejected."
        )


def read_file(path: Path) -> Iterator[Line]:
    """The rows of a file as mappings with their line numbers, damaged lines in between.

    Raises:
        BadInput: the file as a whole cannot be read: encoding, columns, format.
    """
    check_file(path)
    kind = file_format(path)
    if kind == ".parquet":
        yield from _parquet(path)
    elif kind == ".csv":
        yield from _csv(path)
    else:
        yield from _jsonl(path)


def wrong_columns(found: list[str]) -> BadInput:
    """The error for data without the columns chosen and rejected."""
    listed = ", ".join(found[:20]) or "none"
    return BadInput(
        f"The columns chosen and rejected are needed; found: {listed}.",
        "Rename the columns, or pick another file.",
    )


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    opened = gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")
    with opened as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
        yield file


def _jsonl(path: Path) -> Iterator[Line]:
    number = 0
    with _text(path) as file:
        lines = iter(file)
        while True:
            number += 1
            try:
                line = next(lines)
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                raise _wrong_encoding(path, number) from error
            except EOFError:
                yield BadLine(number, "the file ends in the middle of its compressed data")
                return
            except (gzip.BadGzipFile, zlib.error) as error:
                if number == 1:
                    raise BadInput(
                        f"{path.name} is not a gzip file.", "Unpack it, or compress it again."
                    ) from error
                yield BadLine(number, "the compressed data is damaged from here on")
                return
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                yield BadLine(number, "not valid JSON")
                continue
            yield (number, row) if isinstance(row, dict) else BadLine(number, "not a JSON object")


def _csv(path: Path) -> Iterator[Line]:
    with _text(path) as file:
        reader = csv.DictReader(file, strict=True)
        try:
            header = [name.strip() for name in reader.fieldnames or []]
            if not set(NEEDED) <= set(header):
                raise wrong_columns(header)
            reader.fieldnames = header
            for row in reader:
                if None in row or None in row.values():
                    yield BadLine(reader.line_num, "not as many fields as the header")
                else:
                    yield reader.line_num, row
        except UnicodeDecodeError as error:
            raise _wrong_encoding(path, reader.line_num + 1) from error
        except csv.Error:
            yield BadLine(reader.line_num, "a quoted field that never ends")


def _parquet(path: Path) -> Iterator[Line]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if not set(NEEDED) <= set(file.schema_arrow.names):
                raise wrong_columns(list(file.schema_arrow.names))
            rows = (row for batch in file.iter_batches(1_000) for row in batch.to_pylist())
            yield from enumerate(rows, start=1)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{path.name} is not a whole Parquet file.", "Write it again.") from error


def _wrong_encoding(path: Path, line: int) -> BadInput:
    return BadInput(
        f"{path.name} is not UTF-8 text (near line {line}).",
        "Save it again with the encoding UTF-8.",
    )
