"""Tables as different programs write them: wide and narrow types, lists of their own kinds, and
columns that another program made of lists and objects.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from given.layouts.published import HOSTILE, PUBLISHED, Published
from given.layouts.reading import read, save, told

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.specs import DatasetRequest

EACH = pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: one.layout)


def of_table(folder: Path, path: Path) -> PreparedDataset:
    return prepare(folder / "data", DatasetRequest(source=str(path)))


def wide(kind: pa.DataType) -> pa.DataType:
    """The same type as Polars and others write it: texts and lists of more than 2 GiB."""
    if pa.types.is_string(kind):
        return pa.large_string()
    if pa.types.is_list(kind):
        return pa.large_list(wide(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, wide(field.type)) for field in kind])
    return pa.int8() if pa.types.is_integer(kind) else kind


def rows(one: Published) -> list[dict[str, object]]:
    said = "Hello." if one.content == "none" else HOSTILE
    found = [*one.rows("Hi?", said, "Go."), *one.rows("And?", "Well.", "")]
    return [*found, *(one.tie(one.rows("So?", "Yes.", "No.")) if one.tie else [])]


@EACH
def test_wide_texts_and_lists_and_narrow_numbers_are_read_alike(
    tmp_path: Path, one: Published
) -> None:
    expected = read(tmp_path, rows(one))
    table = pa.Table.from_pylist([{**row, "id": 7} for row in rows(one)])
    table = table.cast(pa.schema([(field.name, wide(field.type)) for field in table.schema]))
    pq.write_table(table, path := tmp_path / "wide.parquet")
    dataset = of_table(tmp_path, path)
    assert dataset.about["layout"] == one.layout and dataset.about["bad_lines"] == 0
    assert (told(dataset), dataset.tied_rows) == (told(expected), expected.tied_rows)


@EACH
def test_a_frame_with_arrays_in_its_cells_is_read_alike(tmp_path: Path, one: Published) -> None:
    """Read and saved again by pandas, lists are arrays of numpy and whole numbers its own."""
    first = save(tmp_path / "first.parquet", rows(one))
    pd.read_parquet(first).to_parquet(path := tmp_path / "frame.parquet")
    dataset, expected = of_table(tmp_path, path), of_table(tmp_path, first)
    assert dataset.about["layout"] == one.layout and dataset.about["bad_lines"] == 0
    assert (told(dataset), dataset.tied_rows) == (told(expected), expected.tied_rows)


@EACH
@pytest.mark.parametrize("lines", [True, False])
def test_json_of_a_frame_is_read_alike(tmp_path: Path, one: Published, lines: bool) -> None:
    frame = pd.DataFrame(rows(one))
    path = tmp_path / "frame.jsonl"
    frame.to_json(path, orient="records", lines=lines)
    dataset, expected = of_table(tmp_path, path), read(tmp_path, rows(one))
    assert dataset.about["layout"] == one.layout and dataset.about["bad_lines"] == 0
    assert (told(dataset), dataset.tied_rows) == (told(expected), expected.tied_rows)
