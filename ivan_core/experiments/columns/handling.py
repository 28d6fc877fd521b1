"""User columns of a dataset: checked at the door, computed by a worker, read back as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ivan_core.domain.column_specs import LONGEST, ColumnSpec, Form, Over
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import ACTIVE, Run
from ivan_core.engine import datasets
from ivan_core.engine import handling as runs
from ivan_core.experiments.columns.work import column_path, compile_column, spec_in
from ivan_core.settings import data_dir

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UserColumn:
    """One column of a dataset, by row id; NaN where a side has no value.

    Arrays are shared between readers and cannot be written.
    """

    spec: ColumnSpec
    chosen: Floats
    rejected: Floats

    @property
    def id(self) -> str:
        return self.spec.id

    @property
    def label(self) -> str:
        """The column in words; may hold any characters."""
        return self.spec.label

    @property
    def difference(self) -> Floats:
        """Chosen minus rejected."""
        return self.chosen - self.rejected


def column_spec(dataset: str, form: Form, expression: str, over: Over = "reply") -> ColumnSpec:
    """The spec of a column of the dataset with this fingerprint, checked as far as it can be now.

    Raises:
        BadInput: the dataset is gone, or the expression is none; the sentence says where.
    """
    datasets.by_fingerprint(dataset)
    try:
        spec = ColumnSpec(dataset=dataset, form=form, expression=expression, over=over)
    except ValidationError:
        if len(expression) > LONGEST:
            raise BadInput(
                f"The expression has {len(expression):,} characters.",
                f"It may have {LONGEST}.",
            ) from None
        raise BadInput("There is nothing to look for.", "Write an expression.") from None
    compile_column(spec)
    return spec


def start(spec: ColumnSpec) -> str | None:
    """Have a worker compute a column; returns its run (a new one, or the one that is at it).

    None means that the column is there already: no column is computed twice.

    Raises:
        BadInput: the expression is none.
        StorageProblem: the data folder cannot be written.
    """
    compile_column(spec)
    if column_path(data_dir(), spec).exists():
        return None
    run_id, new = runs.registry().add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    if new:
        runs.spawn(run_id)
    return run_id


def latest_run(spec: ColumnSpec) -> Run | None:
    """The newest run that was asked for a column, at work or ended; None if none ever was."""
    asked = spec.model_dump_json()
    return next((run for run in runs.every("column") if run.spec == asked), None)


def at_work(dataset: str) -> list[Run]:
    """Runs that compute columns of a dataset now, newest first."""
    found = runs.registry().some(("column",), states=ACTIVE)
    return [run for run in found if run.state.live and _reads(run, dataset)]


def _reads(run: Run, dataset: str) -> bool:
    spec = runs.any_spec_of(run)
    return isinstance(spec, ColumnSpec) and spec.dataset == dataset


def is_known(spec: ColumnSpec) -> bool:
    """Whether a column is there."""
    return column_path(data_dir(), spec).exists()


def known(dataset: str, searches: bool = False) -> list[ColumnSpec]:
    """The columns of a dataset that are there, by their words; searches only when asked for."""
    folder = data_dir() / "datasets" / dataset / "columns"
    specs = [_spec_at(path) for path in sorted(folder.glob("[!.]*.parquet"))]
    found = [spec for spec in specs if spec and (searches or spec.form != "search")]
    return sorted(found, key=lambda spec: (spec.label, spec.id))


def column(dataset: str, column_id: str) -> UserColumn:
    """A column that is there.

    Raises:
        BadInput: it is not.
    """
    path = data_dir() / "datasets" / dataset / "columns" / f"{column_id}.parquet"
    spec = _spec_at(path) if column_id.isalnum() and path.exists() else None
    if spec is None:
        raise BadInput(
            "There is no such column for this dataset.", "Compute it again from its expression."
        )
    return UserColumn(spec, *_values(path))


@lru_cache(maxsize=256)
def _spec_at(path: Path) -> ColumnSpec | None:
    return spec_in(path)


@lru_cache(maxsize=16)
def _values(path: Path) -> tuple[Floats, Floats]:
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["chosen", "rejected"])
    chosen, rejected = (
        table.column(side).to_numpy().astype(np.float64) for side in ("chosen", "rejected")
    )
    chosen.flags.writeable = rejected.flags.writeable = False
    return chosen, rejected
