"""The files of a labelling: the original's CSV of usable labels, and one of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.labels import TextKey
from ivan_core.domain.pairs import Side
from ivan_core.labels.reconcile import USABLE, Reconciled
from ivan_core.labels.table import write_labels_csv
from ivan_core.runs.storage import storage_errors, write_csv

TABLE = "labels.parquet"
"""The labels of a finished run, in its folder."""
FOLDER = "taxonomy-control"
"""Where the files for people lie."""
_AHEAD = 100
FAILED_COLUMNS = ("row_id", "preference", "state", "attempt", "reason", "raw")


def count_dict(found: Reconciled) -> dict[str, int]:
    """The numbers of the reconciliation line, for a manifest."""
    counts = found.counts
    return {name: int(getattr(counts, name)) for name in counts.__dataclass_fields__}


def write_label_files(
    data_dir: Path, folder: Path, stem: str, found: Reconciled, text_of: Any
) -> list[str]:
    """Write the original's CSV of usable labels and, where there are any, one of the others.

    Returns their paths in the data folder.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    usable: list[TextKey] = []
    others: list[TextKey] = []
    for key in found.submitted:
        (usable if found.state(key) in USABLE else others).append(key)
    rows = ((key, found.outcomes[key].labels) for key in usable)
    write_labels_csv(data_dir / folder / f"{stem}.csv", rows, text_of)
    names = [str(folder / f"{stem}.csv")]
    if others:
        names.append(str(folder / f"{stem}-failed.csv"))
        path = data_dir / names[-1]
        with storage_errors(path.parent):
            write_csv(path, FAILED_COLUMNS, _failed(found, others))
    return names


def texts_of(dataset: PreparedDataset) -> Callable[[TextKey], str]:
    """The text of a key as it is read; the two sides of a row are read at once.

    Of rows that are asked for one after the other the next ones are read with them.
    """
    known: dict[int, dict[Side, str]] = {}

    def text(key: TextKey) -> str:
        if key.row_id not in known:
            next_rows = _AHEAD if key.row_id - 1 in known else 1
            known.clear()
            rows = range(key.row_id, min(key.row_id + next_rows, max(dataset.rows, key.row_id + 1)))
            for pair in dataset.pairs(rows):
                known[pair.row_id] = {
                    "chosen": pair.chosen.printed,
                    "rejected": pair.rejected.printed,
                }
        return known[key.row_id][key.preference]

    return text


def _failed(found: Reconciled, others: Sequence[TextKey]) -> Iterator[list[Any]]:
    """The texts without usable labels, each with why, and with what the labeler said."""
    for key in others:
        outcome = found.outcomes.get(key)
        problems = outcome.problems if outcome else ()
        told = "; ".join(
            " ".join(part for part in (one.key, one.message, one.found) if part) for one in problems
        )
        yield [
            key.row_id,
            key.preference,
            found.state(key),
            found.attempts.get(key),
            told or found.why_missing or "No answer came.",
            outcome.raw if outcome else None,
        ]
