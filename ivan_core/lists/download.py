"""The rows that a page lists as a file; each experiment says which columns it gives."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ivan_core.lists.conditions import Filter, Ints, Listing, Names, matching
from ivan_core.lists.url import query_of
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir, is_public

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["csv", "spreadsheet", "parquet", "jsonl", "row-ids"]
FORMS: dict[Form, str] = {
    "csv": "CSV, verbatim",
    "spreadsheet": "CSV for spreadsheets",
    "parquet": "Parquet",
    "jsonl": "JSON lines",
    "row-ids": "Pair numbers, plain text",
}
_ENDINGS: dict[Form, str] = {
    "csv": ".csv",
    "spreadsheet": "-for-spreadsheets.csv",
    "parquet": ".parquet",
    "jsonl": ".jsonl",
    "row-ids": "-row-ids.txt",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula, or hides one behind."""
_BATCH = 1_000
_LONGEST_NAME = 120
_KEPT_SECONDS = 3_600.0
_KEPT_FOR_STRANGERS = 60.0

Rows = Callable[[Ints, bool], Iterator[dict[str, Any]]]
"""The rows at some places of a listing; what has no value is None. The second argument asks for
dialogues that read back the same, where no transcript holds them."""
Write = Callable[[list[dict[str, Any]]], None]


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file of a listing holds: the type of each column by its name, and the rows."""

    types: dict[str, type]
    rows: Rows


def file_name(listing: Listing, wanted: Filter, form: Form, names: Names) -> str:
    """A name that says run and filter, of letters, digits and dashes only."""
    said = [chip.label for chip in wanted.chips(names)]
    said = said or ["all rows" if listing.rejected is None else "all texts"]
    if wanted.sort is not None and wanted.sorts:
        said.append(f"by {wanted.sort.words(names)}")
    words = "-".join(said).casefold()
    kept = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in words)
    slug = "-".join(part.strip(".") for part in kept.split("-") if part.strip("."))
    return f"{listing.run_id}-{slug[:_LONGEST_NAME].strip('-.') or 'rows'}{_ENDINGS[form]}"


def write_rows(
    listing: Listing, wanted: Filter, form: Form, columns: Columns, names: Names
) -> Path:
    """Write what a filter lists, in its order, and return the file's path.

    Rows are written by the thousand, so that a large run takes no more memory than a small one. The
    file stays in the data folder for an hour at least, in a demo for a minute.

    Raises:
        BadInput: as `matching`.
        StorageProblem: the data folder cannot be written.
    """
    places = matching(listing, wanted)
    with storage_errors(data_dir()):
        # Names are cut short: only what is asked for keeps the files of two filters apart.
        asked = f"{listing.run_id}|{query_of(wanted)}"
        path = place(asked, file_name(listing, wanted, form, names))
        with replacing(path) as temporary:
            if form == "row-ids":
                with temporary.open("w", encoding="ascii") as file:
                    file.writelines(f"{row_id}\n" for row_id in dict.fromkeys(listing.rows[places]))
            else:
                with _WRITERS[form](temporary, columns.types) as take:
                    rows = columns.rows(places, form == "jsonl")
                    while batch := list(islice(rows, _BATCH)):
                        take(batch)
    return path


def place(asked: str, name: str) -> Path:
    """Where a file of some name lies until it is taken away, apart from those asked for otherwise.

    Makes the folder, and removes what was to be taken away long ago.

    Raises:
        OSError: the data folder cannot be written.
    """
    root = data_dir() / "downloads"
    _remove_old(root)
    folder = root / sha256(asked.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


@contextmanager
def _csv(path: Path, types: dict[str, type]) -> Iterator[Write]:
    """Texts exactly as they are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(types)
        yield lambda batch: writer.writerows([list(row.values()) for row in batch])


@contextmanager
def _spreadsheet(path: Path, types: dict[str, type]) -> Iterator[Write]:
    """Texts that would be formulas get an apostrophe; the mark at the start says it is UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(name) for name in types])
        yield lambda batch: writer.writerows(
            [[harmless(value) for value in row.values()] for row in batch]
        )


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def csv_bytes(
    heads: Sequence[str], rows: Iterable[Sequence[object]], *, spreadsheet: bool
) -> bytes:
    """A small table as CSV: verbatim in UTF-8, or as spreadsheets want it.

    Those get the mark that says UTF-8, and an apostrophe before what they would take for a formula.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([harmless(cell) for cell in row] if spreadsheet else row for row in rows)
    return text.getvalue().encode("utf-8-sig" if spreadsheet else "utf-8", "replace")


@contextmanager
def _jsonl(path: Path, _: dict[str, type]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda batch: file.writelines(
            json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in batch
        )


@contextmanager
def _parquet(path: Path, types: dict[str, type]) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, arrow_type(kind)) for name, kind in types.items()])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield lambda batch: writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def arrow_type(kind: type) -> pa.DataType:
    import pyarrow as pa

    return {int: pa.int64(), float: pa.float64(), bool: pa.bool_()}.get(kind, pa.string())


_WRITERS: dict[str, Callable[[Path, dict[str, type]], AbstractContextManager[Write]]] = {
    "csv": _csv,
    "spreadsheet": _spreadsheet,
    "parquet": _parquet,
    "jsonl": _jsonl,
}


def _remove_old(folder: Path) -> None:
    """Remove what was downloaded long ago."""
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # another download removed it just now
            kept = _KEPT_FOR_STRANGERS if is_public() else _KEPT_SECONDS
            if time.time() - path.stat().st_mtime > kept:
                path.unlink()
