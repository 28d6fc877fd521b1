"""The rows of a filter as a file: with texts, every model's numbers and what people noted."""

from __future__ import annotations

import csv
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from itertools import islice
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ivan_core.experiments.columns import results as columns
from ivan_core.experiments.compare.arrays import UNKNOWN, UNRATED
from ivan_core.experiments.compare.conditions import listing
from ivan_core.experiments.compare.results import Results
from ivan_core.lists.conditions import Filter, matching_rows
from ivan_core.lists.url import query_of
from ivan_core.metrics.agreement import VERDICTS
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["csv", "spreadsheet", "parquet", "jsonl", "row-ids"]
FORMS: dict[Form, str] = {
    "csv": "CSV, verbatim",
    "spreadsheet": "CSV for spreadsheets",
    "parquet": "Parquet",
    "jsonl": "JSON lines",
    "row-ids": "Row ids, plain text",
}
_ENDINGS: dict[Form, str] = {
    "csv": ".csv", "spreadsheet": "-for-spreadsheets.csv", "parquet": ".parquet",
    "jsonl": ".jsonl", "row-ids": "-row-ids.txt",
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula, or hides one behind."""
_OF_MODEL = (
    "verdict", "margin", "chosen_reward", "rejected_reward", "truncated", "failure", "seen",
)  # fmt: skip
_BATCH = 1_000
_LONGEST_NAME = 120
_KEPT_SECONDS = 3_600.0

Write = Callable[[list[dict[str, Any]]], None]


def file_name(results: Results, wanted: Filter, form: Form) -> str:
    """A name that says run and filter, of letters, digits and dashes only."""
    names = {spec.id: spec.label for spec in columns.known(results.dataset.fingerprint, True)}
    said = [chip.label for chip in wanted.chips(names)] or ["all rows"]
    if wanted.sort is not None and wanted.sorts:
        said.append(f"by {wanted.sort.words(names)}")
    words = "-".join(said).casefold()
    kept = "".join(c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in words)
    slug = "-".join(part.strip(".") for part in kept.split("-") if part.strip("."))
    return f"{results.run.id}-{slug[:_LONGEST_NAME].strip('-.') or 'rows'}{_ENDINGS[form]}"


def write(results: Results, wanted: Filter, form: Form) -> Path:
    """Write the rows of a filter, in its order, and return the file's path.

    Rows are written by the thousand, so that a large run takes no more memory than a small one. The
    file stays in the data folder for an hour at least.

    Raises:
        BadInput: as `matching_rows`.
        StorageProblem: the data folder cannot be written.
    """
    row_ids = matching_rows(listing(results), wanted)
    # Names are cut short: only the hash keeps the files of two filters apart.
    asked = sha256(f"{results.run.id}|{query_of(wanted)}".encode()).hexdigest()[:16]
    root = data_dir() / "downloads"
    path = root / asked / file_name(results, wanted, form)
    with storage_errors(data_dir()):
        _remove_old(root)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            if form == "row-ids":
                with temporary.open("w", encoding="ascii") as file:
                    file.writelines(f"{row_id}\n" for row_id in row_ids)
            else:
                with _WRITERS[form](temporary, column_names(results)) as take:
                    rows = _rows(results, row_ids, form == "jsonl")
                    while batch := list(islice(rows, _BATCH)):
                        take(batch)
    return path


def column_names(results: Results) -> list[str]:
    """The columns of a download; a model's are named `<what> (<model>)`."""
    of_models = [f"{what} ({model})" for model in results.models for what in _OF_MODEL]
    return [
        "row_id", "subset", "chosen", "rejected", "length_difference", *of_models, "starred_by",
        "notes",
    ]  # fmt: skip


def _rows(results: Results, row_ids: Sequence[int], whole: bool) -> Iterator[dict[str, Any]]:
    """The rows with their texts; what has no value is None.

    `whole`: a dialogue that no transcript holds is a list of messages, and reads back the same.
    """
    from ivan_core.annotations.notes import Reviews

    aligned = results.aligned
    starred: dict[int, list[str]] = defaultdict(list)
    notes: dict[int, list[str]] = defaultdict(list)
    for mark in Reviews(data_dir()).marks(results.dataset.fingerprint):
        if mark.starred:
            starred[mark.row_id].append(mark.author)
        if mark.note:
            notes[mark.row_id].append(f"{mark.author}: {mark.note}")
    failed = results.table.loc[results.table["failure"].notna(), ["model", "row_id", "failure"]]
    reasons = {(str(model), row_id): str(reason) for model, row_id, reason in failed.to_numpy()}
    places = aligned.at(list(row_ids)).tolist()
    for pair, place in zip(results.dataset.pairs(row_ids), places, strict=True):
        row: dict[str, Any] = {
            "row_id": pair.row_id,
            "subset": pair.subset,
            "chosen": pair.chosen.readable if whole else pair.chosen.printed,
            "rejected": pair.rejected.readable if whole else pair.rejected.printed,
            "length_difference": int(aligned.length[place]),
        }
        for model, scores in aligned.models.items():
            verdict, seen = int(scores.verdict[place]), int(scores.seen[place])
            row[f"verdict ({model})"] = None if verdict == UNRATED else VERDICTS[verdict]
            row[f"margin ({model})"] = _number(scores.margin[place])
            row[f"chosen_reward ({model})"] = _number(scores.chosen_reward[place])
            row[f"rejected_reward ({model})"] = _number(scores.rejected_reward[place])
            row[f"truncated ({model})"] = bool(scores.truncated[place])
            row[f"failure ({model})"] = reasons.get((model, pair.row_id))
            row[f"seen ({model})"] = None if seen == UNKNOWN else bool(seen)
        row["starred_by"] = ", ".join(starred.get(pair.row_id, [])) or None
        row["notes"] = "\n".join(notes.get(pair.row_id, [])) or None
        yield row


def _number(value: float) -> float | None:
    return None if isnan(value) else float(value)


@contextmanager
def _csv(path: Path, names: list[str]) -> Iterator[Write]:
    """Texts exactly as they are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        yield lambda batch: writer.writerows([list(row.values()) for row in batch])


@contextmanager
def _spreadsheet(path: Path, names: list[str]) -> Iterator[Write]:
    """Texts that would be formulas get an apostrophe; the mark at the start says it is UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(name) for name in names])
        yield lambda batch: writer.writerows(
            [[harmless(value) for value in row.values()] for row in batch]
        )


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


@contextmanager
def _jsonl(path: Path, _: list[str]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda batch: file.writelines(
            json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in batch
        )


@contextmanager
def _parquet(path: Path, names: list[str]) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _type(name)) for name in names])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield lambda batch: writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def _type(name: str) -> pa.DataType:
    import pyarrow as pa

    what = name.partition(" (")[0]
    if what in ("row_id", "length_difference"):
        return pa.int64()
    if what in ("margin", "chosen_reward", "rejected_reward"):
        return pa.float64()
    return pa.bool_() if what in ("truncated", "seen") else pa.string()


_WRITERS: dict[str, Callable[[Path, list[str]], AbstractContextManager[Write]]] = {
    "csv": _csv, "spreadsheet": _spreadsheet, "parquet": _parquet, "jsonl": _jsonl,
}  # fmt: skip


def _remove_old(folder: Path) -> None:
    """Remove what was downloaded long ago."""
    for path in folder.glob("*/*"):
        with suppress(FileNotFoundError):  # another download removed it just now
            if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                path.unlink()
