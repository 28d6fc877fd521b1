"""User columns in their files, read back as arrays, and the runs that were asked for them.

A file holds one number for each side of every pair, with the spec that made them.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run
from ivan_core.domain.user_columns import ColumnSpec
from ivan_core.engine import handling as runs
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir

_SPEC = b"ivan.column"
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


def latest_run(spec: ColumnSpec) -> Run | None:
    """The newest run that was asked for a column, at work or ended; None if none ever was."""
    asked = spec.model_dump_json()
    return next((run for run in runs.every("column") if run.spec == asked), None)


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


def column_path(data_dir: Path, spec: ColumnSpec) -> Path:
    """Where a column lies once it is computed."""
    return data_dir / "datasets" / spec.dataset / "columns" / f"{spec.id}.parquet"


def write_column(
    path: Path, spec: ColumnSpec, chosen: array[float], rejected: array[float]
) -> None:
    """Write the column with its spec, all of it or nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "row_id": pa.array(range(len(chosen)), pa.int64()),
            "chosen": pa.array(chosen, pa.float64()),
            "rejected": pa.array(rejected, pa.float64()),
        }
    ).replace_schema_metadata({_SPEC: spec.model_dump_json().encode()})
    with storage_errors(path.parent):
        path.parent.mkdir(exist_ok=True)
        with replacing(path, alone=True) as temporary:
            pq.write_table(table, temporary, compression="zstd")


def spec_in(path: Path) -> ColumnSpec | None:
    """The spec of a column's file; None if it is no such file."""
    import pyarrow.parquet as pq

    metadata = pq.read_schema(path).metadata or {}
    return ColumnSpec.model_validate_json(metadata[_SPEC]) if _SPEC in metadata else None


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
