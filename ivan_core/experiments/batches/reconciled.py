"""What came of all attempts of a run, as one reconciliation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.labels import TextKey
from ivan_core.labels.reconcile import Reconciled, merged, reconcile
from ivan_core.labels.result_files import ResultLine, read_result_lines


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


def texts_of(dataset: PreparedDataset) -> Callable[[TextKey], str]:
    """The text of a key as it is read; the two sides of a row are read at once."""
    last: list[tuple[int, str, str]] = [(-1, "", "")]

    def text(key: TextKey) -> str:
        if last[0][0] != key.row_id:
            pair = dataset.pair(key.row_id)
            last[0] = (key.row_id, pair.chosen.printed, pair.rejected.printed)
        return last[0][1] if key.preference == "chosen" else last[0][2]

    return text
