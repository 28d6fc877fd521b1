"""What came of all attempts of a run, as one reconciliation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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
