"""Local files: JSON, CSV and Parquet, row by row; damaged lines are named, not fatal."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from ivan_core.datasets.columns import check_table
from ivan_core.datasets.json_list import Broken, entries
from ivan_core.datasets.limits import (
    LONGEST_LINE,
    MOST_ROWS,
    TOO_LONG,
    Unpacked,
    check_regular,
    too_many_rows,
)
from ivan_core.datasets.lines import BadLine, Cells, Line
from ivan_core.datasets.parquet_rows import columns_of, rows_of
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import USUAL, Columns

FORMATS = (".jsonl", ".jsonl.gz", ".json", ".csv", ".parquet")
PACKED = (".jsonl.gz", ".parquet")
_READ = f"IVAN reads {', '.join(FORMATS)}."
_DAMAGED = "the compressed data is damaged from here on"
_AT_ONCE = 2**16
"""Characters of a list of rows that are read at once."""
_LIST = re.compile(r"\s*\[\s*[{\]]")
_OF_OTHERS = {
    "a file of AnnotatedPairs": ('"metadata"', '"annotators"'),
    "a file for LLM Comparator": ('"metadata"', '"custom_fields_schema"'),
}
"""Files of one object that people have, by keys that they begin with."""
csv.field_size_limit(LONGEST_LINE)


def file_format(path: Path) -> str:
    """The format by the file's ending.

    Raises:
        BadInput: an ending IVAN does not read.
    """
    for ending in sorted(FORMATS, key=len, reverse=True):
        if path.name.lower().endswith(ending):
            return ending
    raise BadInput(f"{path.name} is not a kind of file IVAN reads.", f"Save it as another: {_READ}")


def check_file(path: Path) -> None:
    """What can be said of a file without reading it all.

    Raises:
        BadInput: it is missing, a folder, unreadable, empty or of an unknown kind.
    """
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder, not a file.", f"Name a file in it. {_READ}")
        if not path.exists():
            raise BadInput(
                f"There is no file {path}.",
                "Check the path, or use the bundled data: `--dataset sample`.",
            )
        check_regular(path)
        file_format(path)
        with path.open("rb") as file:
            empty = not file.read(1)
    except PermissionError:
        raise BadInput(f"{path} may not be read.", "Change its permissions.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    if empty:
        raise _empty(path)


def read_file(path: Path, columns: Columns = USUAL) -> Iterator[Line]:
    """The rows of a file as mappings with their line numbers, damaged lines in between.

    A table without the `columns` that a pair needs is refused at once.

    Raises:
        BadInput: the file as a whole cannot be read: encoding, columns, format.
    """
    check_file(path)
    kind = file_format(path)
    if kind == ".parquet":
        yield from _parquet(path, columns)
    elif kind == ".csv":
        yield from _csv(path, columns)
    else:
        yield from _json(path)


@contextmanager
def _text(path: Path, newline: str = "") -> Iterator[TextIO]:
    packed = path.name.lower().endswith(".gz")
    with (
        gzip.open(path, "rb") if packed else path.open("rb") as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", newline=newline) as file,
    ):
        yield file


def _json(path: Path) -> Iterator[Line]:
    """The rows of JSON lines, or of one list of rows; these are numbered by their place in it."""
    begins = _beginning(path)
    is_list = _LIST.match(begins) is not None
    if path.name.lower().endswith(".json"):
        is_list = begins.lstrip()[:1] == "["
        _refuse_object(path, begins)
    number = 0
    blank = True
    try:
        for line in entries(_pieces(path), LONGEST_LINE) if is_list else _lines(path):
            number += 1
            if "\0" in line:
                raise _wrong_encoding(path, number)
            if line.isspace() and not is_list:
                continue
            blank = False
            if number > MOST_ROWS:
                raise too_many_rows(path.name)
            yield _read_object(number, line)
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, number + 1) from error
    except Broken as why:
        yield BadLine(number + 1, str(why))
        return
    except EOFError:
        yield BadLine(number + 1, "the file ends in the middle of its compressed data")
        return
    except gzip.BadGzipFile as error:
        if number == 0:
            raise BadInput(
                f"{path.name} is not a gzip file.", "Rename it, or compress it again."
            ) from error
        yield BadLine(number + 1, _DAMAGED)
        return
    except zlib.error:
        yield BadLine(number + 1, _DAMAGED)
        return
    if blank:
        raise _empty(path)


def _beginning(path: Path) -> str:
    """The first characters; "" where they cannot be read, which whoever reads on will say."""
    try:
        with _text(path) as file:
            return file.read(_AT_ONCE)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error):
        return ""


def _pieces(path: Path) -> Iterator[str]:
    unpacked = Unpacked(path)
    with _text(path) as file:
        while piece := file.read(_AT_ONCE):
            unpacked.add(len(piece))
            yield piece


def _refuse_object(path: Path, begins: str) -> None:
    """Refuse a file that is one object, unless it is on one line and may be the only row.

    Raises:
        BadInput: naming what it is, where that is known.
    """
    if not begins.lstrip().startswith("{"):
        return
    try:
        lines = (line for line in _lines(path) if not line.isspace())
        first, second = next(lines, ""), next(lines, "")
    except UnicodeDecodeError:
        return
    what = next((what for what, keys in _OF_OTHERS.items() if all(k in begins for k in keys)), "")
    is_row = not isinstance(_read_object(1, first), BadLine) or not second
    if second.lstrip().startswith("{") or (is_row and not what):
        return
    raise BadInput(
        f"{path.name} is {what or 'one object over several lines'}, not a list of rows.",
        "Take the rows that it was made of, as a list or each on a line of its own.",
    )


def _lines(path: Path) -> Iterator[str]:
    """Each line; of one that is too long the start, which is too long itself."""
    given, unpacked = 0, Unpacked(path)
    with _text(path, "\n") as file:  # ends of one kind are found in half the time
        while line := file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE or _has_other_end(line):
                break
            unpacked.add(len(line))
            yield line
            given += 1
        else:
            return
    unpacked = Unpacked(path)
    with _text(path) as file:
        for _ in range(given):
            _line(file, unpacked)
        while line := _line(file, unpacked):
            yield line


def _has_other_end(line: str) -> bool:
    """Whether a line that may end in LF or CR LF has another CR."""
    return "\r" in line and not (line.endswith("\r\n") and line.count("\r") == 1)


class _KeyTwice(ValueError):
    """A JSON object names a key twice: nobody can tell which value is meant."""


def _line(file: TextIO, unpacked: Unpacked) -> str:
    """The next line, "" at the end; of one that is too long the start."""
    line = file.readline(LONGEST_LINE + 1)
    unpacked.add(len(line))
    rest = line
    while len(rest) > LONGEST_LINE and not rest.endswith(("\n", "\r")):
        rest = file.readline(LONGEST_LINE + 1)
        unpacked.add(len(rest))
    return line


def _read_object(number: int, line: str) -> Line:
    if len(line) > LONGEST_LINE:
        return BadLine(number, TOO_LONG)
    try:
        text = line.strip(" \t\r\n")
        row, end = _OBJECTS.raw_decode(text)
    except _KeyTwice as twice:
        return BadLine(number, f"the key {twice} comes twice")
    except (ValueError, RecursionError):
        return BadLine(number, "not valid JSON")
    if end < len(text):
        return BadLine(number, "not valid JSON")
    return (number, row) if isinstance(row, dict) else BadLine(number, "not a JSON object")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name, count in times.items() if count > 1)
        raise _KeyTwice(repr(twice[:40]))
    return made


_OBJECTS = json.JSONDecoder(object_pairs_hook=_each_key_once)


def _csv(path: Path, columns: Columns) -> Iterator[Line]:
    rows = 0
    with _text(path) as file:
        reader = csv.reader(_without_nul(path, file), strict=True)
        header: list[str] = []
        while True:
            # A row may span lines: it is named by the line it begins on.
            number = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                break
            except UnicodeDecodeError as error:
                raise _wrong_encoding(path, number) from error
            except csv.Error as error:
                yield BadLine(number, _csv_reason(error))
                continue
            rows += 1
            if rows > MOST_ROWS:
                raise too_many_rows(path.name)
            if not header:
                header = [name.strip() for name in fields]
                if not any(header):
                    header = []
                else:
                    check_table([name for name in header if name], columns)
            elif any(len(field) > LONGEST_LINE for field in fields):
                yield BadLine(number, f"a field {TOO_LONG} begins here")
            elif len(fields) == len(header):
                yield number, Cells(zip(header, fields, strict=True))
            elif any(field.strip() for field in fields):
                yield BadLine(number, f"{len(fields)} fields where the header has {len(header)}")
    if not header:
        raise _empty(path)


def _csv_reason(error: csv.Error) -> str:
    if "field larger than field limit" in str(error):
        return f"a field {TOO_LONG} begins here"
    if "unexpected end of data" in str(error):
        return "a quoted field begins here and never ends, so the rest of the file was not read"
    return f"not valid CSV ({error})"


def _without_nul(path: Path, lines: TextIO) -> Iterator[str]:
    number = 0
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        if "\0" in line:
            raise _wrong_encoding(path, number)
        if len(line) > LONGEST_LINE:
            raise BadInput(f"{path.name} has a line {TOO_LONG} (line {number}).", "Cut it.")
        yield line


def _parquet(path: Path, columns: Columns) -> Iterator[Line]:
    check_table(columns_of(path), columns)
    for number, row in enumerate(rows_of(path), start=1):
        yield BadLine(number, row) if isinstance(row, str) else (number, row)


def _empty(path: Path) -> BadInput:
    return BadInput(f"{path.name} is empty.", "It needs rows with the columns chosen and rejected.")


def _wrong_encoding(path: Path, line: int) -> BadInput:
    return BadInput(
        f"{path.name} is not UTF-8 text (near line {line}).",
        "Save it again with the encoding UTF-8.",
    )
