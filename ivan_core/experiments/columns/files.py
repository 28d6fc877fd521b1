"""The file of a column: one number for each side of every pair, with the spec that made them."""

from __future__ import annotations

from array import array
from pathlib import Path

from ivan_core.domain.specs import ColumnSpec
from ivan_core.runs.storage import replacing, storage_errors

_SPEC = b"ivan.column"


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
