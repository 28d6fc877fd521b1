"""Rows of a layout, saved as a file and read from it end to end."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.transcripts import Role

ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".csv", ".parquet")
Messages = tuple[tuple[Role, str], ...]


def save(path: Path, rows: Sequence[Any]) -> Path:
    """Write rows in the format of the path's ending; in a CSV lists and objects are JSON."""
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(lines))
    elif path.suffix == ".jsonl":
        path.write_bytes(lines)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=1))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    else:
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            for row in rows:
                table.writerow({name: _cell(value) for name, value in row.items()})
    return path


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


def read(
    folder: Path, rows: Sequence[Any], ending: str = ".jsonl", layout: str = ""
) -> PreparedDataset:
    """The dataset of a file with these rows."""
    path = save(folder / f"rows{ending}", rows)
    return prepare(folder / "data", DatasetRequest(source=str(path), layout=layout))


def told(dataset: PreparedDataset) -> list[tuple[Messages, Messages]]:
    """The messages of both sides of each pair."""
    pairs = dataset.pairs(range(dataset.rows))
    return [(pair.chosen.messages, pair.rejected.messages) for pair in pairs]


def bad(dataset: PreparedDataset) -> dict[int, str]:
    """Why lines are no pairs, by their numbers."""
    return dict(dataset.about["bad_lines_named"])
