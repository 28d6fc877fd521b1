"""What came of all attempts of a run: reconciled, and written as tables people know."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.labels import Labels, TextKey
from ivan_core.labels.completions import whole_text
from ivan_core.labels.downloads import merge_raw
from ivan_core.labels.labels_csv import write_labels_csv
from ivan_core.labels.reconcile import USABLE, Reconciled, merged, reconcile
from ivan_core.labels.result_files import ResultLine, read_result_lines
from ivan_core.labels.table import labels_table, write_labels
from ivan_core.runs.storage import replacing, storage_errors

FOLDER = "taxonomy-output"
FAILED_COLUMNS = ("row_id", "preference", "state", "attempt", "reason", "raw")
NO_LINE = "No line came back for it."


@dataclass(frozen=True, slots=True)
class AttemptFiles:
    """One attempt: which texts it asked for, and the result files that are here, in order."""

    attempt: int
    asked: Sequence[TextKey]
    files: Sequence[Path]


def reconcile_attempts(attempts: Sequence[AttemptFiles], keys: Sequence[str]) -> Reconciled:
    """All attempts as one: each text has the outcome of the first attempt that was usable.

    Raises:
        BadInput: a file is gone.
    """
    first, *later = (reconcile(one.asked, _lines(one.files), keys, one.attempt) for one in attempts)
    whole = first
    for one in later:
        whole = merged(whole, one)
    return whole


def _lines(files: Sequence[Path]) -> Iterator[ResultLine]:
    for path in files:
        yield from read_result_lines(path)


def write_tables(
    data_dir: Path,
    folder: Path,
    slug: str,
    dataset: PreparedDataset,
    attempts: Sequence[AttemptFiles],
    found: Reconciled,
) -> list[str]:
    """Write the raw lines, the labels table, the original's CSV and the one of what has no labels.

    Returns the files as paths in the data folder.

    Raises:
        StorageProblem: the data folder cannot be written; what was there stays.
    """
    out = data_dir / FOLDER
    merge_raw([path for one in attempts for path in one.files], out / f"{slug}.jsonl")
    table = labels_table(found.outcomes, found.attempts, found.keys_of("missing"))
    write_labels(folder / "labels.parquet", table)
    write_labels_csv(out / f"{slug}.csv", _usable(found), texts_of(dataset))
    names = [f"{slug}.jsonl", f"{slug}.csv"]
    failed = out / f"{slug}-failed.csv"
    if _write_failed(failed, found):
        names.append(failed.name)
    return [f"{FOLDER}/{name}" for name in names]


def _usable(found: Reconciled) -> Iterator[tuple[TextKey, Labels]]:
    for key in found.submitted:
        if found.state(key) in USABLE:
            yield key, found.outcomes[key].labels


def texts_of(dataset: PreparedDataset) -> Callable[[TextKey], str]:
    """The text of a key; the two sides of a row are read at once."""
    last: list[tuple[int, str, str]] = [(-1, "", "")]

    def text(key: TextKey) -> str:
        if last[0][0] != key.row_id:
            pair = dataset.pair(key.row_id)
            last[0] = (key.row_id, pair.chosen.text, pair.rejected.text)
        return last[0][1] if key.preference == "chosen" else last[0][2]

    return text


def _write_failed(path: Path, found: Reconciled) -> bool:
    """Write the texts without usable labels; where there are none, no file. Whether there is one."""
    rows = [_failed(found, key) for key in found.submitted if found.state(key) not in USABLE]
    with storage_errors(path.parent):
        if not rows:
            path.unlink(missing_ok=True)
            return False
        with (
            replacing(path) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(FAILED_COLUMNS)
            writer.writerows(rows)
    return True


def _failed(found: Reconciled, key: TextKey) -> tuple[object, ...]:
    outcome = found.outcomes.get(key)
    if outcome is None:
        return key.row_id, key.preference, "missing", "", NO_LINE, ""
    reason = "; ".join(
        " ".join(part for part in (problem.key, problem.message, problem.found) if part)
        for problem in outcome.problems
    )
    attempt = found.attempts[key]
    return (
        key.row_id, key.preference, outcome.status, attempt, whole_text(reason),
        whole_text(outcome.raw),
    )  # fmt: skip
