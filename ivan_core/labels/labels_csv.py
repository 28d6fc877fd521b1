"""The original's CSV of labels: `row_id, preference, text` and the 19 labels, written and read."""

from __future__ import annotations

import ast
import csv
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, Label, Labels, TextKey
from ivan_core.labels.completions import whole_text
from ivan_core.labels.repair import Problem, cut
from ivan_core.labels.schema import Feature, feature
from ivan_core.labels.table import label_column
from ivan_core.runs.storage import replacing, storage_errors

if TYPE_CHECKING:
    import pandas as pd

CSV_COLUMNS = ("row_id", "preference", "text", *FEATURES)
_YES, _NO, _NOTHING = ("true", "1", "1.0"), ("false", "0", "0.0"), ("", "none", "nan")
_STRING = r"""(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
# A flat list of strings and nothing else: what follows cannot nest, compute or exhaust anything.
_LIST = re.compile(rf"\[\s*(?:{_STRING}\s*(?:,\s*{_STRING}\s*)*(?:,\s*)?)?\]")
_LONGEST_LIST = 20_000
csv.field_size_limit(2**27)


def write_labels_csv(
    path: Path, rows: Iterable[tuple[TextKey, Labels]], text_of: Callable[[TextKey], str]
) -> int:
    """Write labels as the original does; returns the number of rows.

    Lists are Python's way of writing them, booleans True and False, and a missing label is empty;
    the text stands verbatim, with its line breaks.

    Raises:
        StorageProblem: the folder cannot be written; what was there stays.
    """
    written = 0
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            replacing(path) as temporary,
            temporary.open("w", encoding="utf-8", errors="replace", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(CSV_COLUMNS)
            for key, labels in rows:
                cells = (_cell(labels.get(name)) for name in FEATURES)
                writer.writerow((key.row_id, key.preference, text_of(key), *cells))
                written += 1
    return written


def read_labels_csv(path: Path) -> pd.DataFrame:
    """The labels of such a file, the original's own included, with `problems` and the `line`.

    A value outside a closed list is kept and named in `problems`; one that is not of its kind is
    None and named. Columns of labels may be absent. Of a text that comes twice the first row
    counts, and the later one is named.

    Raises:
        BadInput: the file cannot be read, or a row is no row of labels; the line is named.
    """
    import pandas as pd

    values: dict[str, list[Any]] = {name: [] for name in CSV_COLUMNS}
    problems: list[tuple[Problem, ...]] = []
    lines: list[int] = []
    place: dict[TextKey, int] = {}
    for number, row in _rows(path):
        key = _key(path, number, row)
        if key in place:
            again = Problem("", "The text comes twice; the first row counts.", f"line {number}")
            problems[place[key]] += (again,)
            continue
        place[key] = len(problems)
        lines.append(number)
        values["row_id"].append(key.row_id)
        values["preference"].append(key.preference)
        values["text"].append(row.get("text", ""))
        read = [read_cell(name, row.get(name, "")) for name in FEATURES]
        for name, (label, _) in zip(FEATURES, read, strict=True):
            values[name].append(label)
        problems.append(tuple(problem for _, problem in read if problem))
    columns: dict[str, Any] = {"row_id": pd.array(values.pop("row_id"), dtype="int64")}
    columns |= {name: label_column(name, column) for name, column in values.items()}
    columns["problems"] = pd.Series(problems, dtype="object")
    columns["line"] = pd.array(lines, dtype="int64")
    return pd.DataFrame(columns, columns=[*CSV_COLUMNS, "problems", "line"])


def _cell(label: Label) -> str:
    if label is None:
        return ""
    return repr(list(label)) if isinstance(label, tuple) else str(label)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows as mappings, each with the line it begins on."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Check the path.")
    number = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            _check_header(path, header)
            number = reader.line_num + 1
            for fields in reader:
                if fields and len(fields) != len(header):
                    raise BadInput(
                        f"{path.name}, line {number}: {len(fields)} fields where the header has "
                        f"{len(header)}.",
                        "Write the file again: it may be cut.",
                    )
                if fields:
                    yield number, dict(zip(header, fields, strict=True))
                number = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8 text.", "Save it again as UTF-8.") from error
    except csv.Error as error:
        raise BadInput(
            f"{path.name} is no whole CSV file from line {number} on.",
            "Write the file again: it may be cut.",
        ) from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}).", "Check it.") from error


def _check_header(path: Path, header: list[str]) -> None:
    if not {"row_id", "preference"} <= set(header) or not set(FEATURES) & set(header):
        raise BadInput(
            f"{path.name} is no file of labels.",
            f"Its first line should be {','.join(CSV_COLUMNS[:4])},…",
        )
    if len(set(header)) != len(header):
        raise BadInput(f"{path.name} has two columns of one name.", "Rename one.")


def _key(path: Path, number: int, row: dict[str, str]) -> TextKey:
    row_id = row["row_id"].strip().removesuffix(".0")
    key = TextKey.from_custom_id(f"{row_id}.{row['preference'].strip()}")
    if key is None:
        raise BadInput(
            f"{path.name}, line {number}: no text is meant by row {cut(row['row_id'])!r}, side "
            f"{cut(row['preference'])!r}.",
            "A row is a whole number from 0, a side chosen or rejected.",
        )
    return key


def read_cell(key: str, cell: str) -> tuple[Label, Problem | None]:
    """The label that a cell of a column holds, and what is wrong with it."""
    if len(cell) > _LONGEST_LIST:  # no answer is as long; a cell may have millions of characters
        what = "Not a list." if feature(key).kind == "list" else "Longer than any answer."
        return None, Problem(key, what, cut(cell))
    return _read(key, cell)


@lru_cache(maxsize=2_000)
def _read(key: str, cell: str) -> tuple[Label, Problem | None]:
    asked, text = feature(key), cell.strip()
    if text.lower() in _NOTHING:
        return None, None
    if asked.kind == "boolean":
        if text.lower() in _YES + _NO:
            return text.lower() in _YES, None
        return None, Problem(asked.key, "Neither True nor False.", cut(text))
    if asked.kind == "word":
        return text, _invented(asked, (text,))
    words = _words(text)
    if words is None:
        return None, Problem(asked.key, "Not a list.", cut(text))
    return words, _invented(asked, words)


def _invented(asked: Feature, words: tuple[str, ...]) -> Problem | None:
    strange = [word for word in words if word not in asked.values]
    if not strange:
        return None
    return Problem(asked.key, "Not among the allowed values.", cut(", ".join(strange)))


def _words(text: str) -> tuple[str, ...] | None:
    """The words of a list as Python writes it; a bare word is a list of one."""
    if not text.startswith(("[", "(", "{")):
        return (text,)
    if not _LIST.fullmatch(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            words = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return tuple(whole_text(word) for word in words)
