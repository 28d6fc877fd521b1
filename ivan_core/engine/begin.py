"""How a run begins: its dataset is read and its rows are chosen once; later workers keep to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset, RowChoice, choose_rows
from ivan_core.datasets.sources import check_source
from ivan_core.domain.errors import BadInput
from ivan_core.domain.plurals import number_of
from ivan_core.domain.specs import DatasetRequest, RowsSpec
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock

BEGUN = "begun"
"""Key of the part that holds the dataset's fingerprint and the size of a chunk."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first worker of a run decided and later ones keep to."""

    dataset: PreparedDataset
    choice: RowChoice
    chunk: int

    @property
    def notes(self) -> list[str]:
        """What a reader of the run should know of its rows."""
        notes = list(self.choice.notes)
        bad = self.dataset.about["bad_lines"]
        if bad:
            lines = ", ".join(str(line) for line, _ in self.dataset.about["bad_lines_named"][:10])
            notes.append(
                f"{bad} damaged or incomplete lines of the file were left out (line {lines})."
            )
        odd = self.dataset.about["sanity"]
        if odd.get("tied"):
            notes.append(
                f"In {number_of(odd['tied'], 'row')} of the data both replies have the same"
                " score: a tie, which is in no rate."
            )
        if odd.get("without_prompt"):
            found = ", ".join(self.dataset.about["columns_found"][:10])
            notes.append(
                f"In {number_of(odd['without_prompt'], 'row')} of the data the replies stand"
                f" without a prompt (columns found: {found})."
            )
        return notes


def begin(context: RunContext, spec: RowsSpec, size: Callable[[int], int]) -> Begun:
    """Read the dataset and fix the chunks, or take both from what an earlier worker kept.

    `size` tells the pairs of a chunk from the number of rows.

    Raises:
        BadInput: the rows do not exist, or what an earlier worker read is gone and has changed.
    """
    context.doing("Reading the dataset")
    kept = context.parts.rows(BEGUN)[0] if BEGUN in context.parts else None
    folder = context.data_dir / "datasets" / kept["dataset"] if kept else None
    if kept and folder and (folder / "dataset.json").exists():
        # The source may have changed or gone since: the run goes on with what it began with.
        dataset = PreparedDataset(folder)
    else:
        dataset = _prepare(context, spec.dataset)
        if kept and dataset.fingerprint != kept["dataset"]:
            raise BadInput(
                "The dataset has changed since this run began, and what it read then is gone.",
                "Start a new run.",
            )
    choice = choose_rows(spec, dataset)
    if kept is None:
        kept = {"dataset": dataset.fingerprint, "chunk": size(len(choice.row_ids))}
        context.parts.append(BEGUN, [kept])
    return Begun(dataset, choice, kept["chunk"])


def _prepare(context: RunContext, request: DatasetRequest) -> PreparedDataset:
    """Read a dataset for the first time, or find what another run has read."""
    check_source(request)
    # Of two runs that start together one reads, the other waits: neither work nor download twice.
    lock = context.data_dir / "datasets" / "requests" / f"{request.fingerprint}.lock"
    with FileLock(lock) as reading:
        context.wait_for(reading, lambda: "another run that reads the same dataset")
        context.doing("Reading the dataset")
        return prepare(
            context.data_dir,
            request,
            lambda rows: context.doing(f"Reading the dataset: {rows:,} pairs"),
        )


def chunk_size(rows: int, slow: bool) -> int:
    """Pairs in a chunk: a twelfth of the rows, between 16 and 256 (32 if a pair takes long)."""
    return min(32 if slow else 256, max(16, math.ceil(rows / 12)))
