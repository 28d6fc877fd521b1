"""Columns are written as CSV byte for byte as rows of the same cells are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ivan_core.runs.csv_columns import write_csv_batches, write_csv_columns
from ivan_core.runs.storage import write_csv

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_ODD = st.sampled_from(["", "a,b", 'say "no"', "two\r\nlines", "\n", " lead", "'", "é", "True"])
_FLOATS = st.floats() | st.floats(-1e12, 1e12) | st.integers(-9, 9).map(float)
_ROWS = st.lists(
    st.tuples(st.integers(-(2**62), 2**62), _FLOATS, st.booleans(), st.none() | _TEXTS | _ODD),
    min_size=1,
    max_size=30,
)
_HEADS = ("whole", "decimal", "yes", "text")


def _columns(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    kinds = (np.int64, np.float64, np.bool_, object)
    return {
        name: np.array(values, kind)
        for name, values, kind in zip(_HEADS, zip(*rows, strict=True), kinds, strict=True)
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=_ROWS)
def test_the_bytes_are_those_of_rows(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    by_row, by_column = tmp_path / "rows.csv", tmp_path / "new" / "columns.csv"
    write_csv(by_row, _HEADS, rows)
    write_csv_columns(by_column, _columns(rows))
    assert by_column.read_bytes() == by_row.read_bytes()


def test_many_lines_are_written_in_parts_and_none_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv_columns(path, {"row": np.arange(150_000), "half": np.arange(150_000) / 2})
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) == 150_001
    assert lines[:3] == ["row,half", "0,0.0", "1,0.5"]
    assert lines[-1] == "149999,74999.5"


def test_half_a_character_becomes_a_question_mark_as_in_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv_columns(path, {"a": np.array(["half \ud83d", None, "whole"], object)})
    assert path.read_bytes() == b"a\r\nhalf ?\r\n\r\nwhole\r\n"


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def batches() -> Iterator[list[list[str]]]:
        yield [["one"]]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_csv_batches(path, ["a"], batches())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_words_that_repeat_are_written_from_a_list_of_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    words = pa.DictionaryArray.from_arrays(pa.array([1, None, 0, 1]), pa.array(["a,b", "c"]))
    write_csv_columns(path, {"a": words, "b": [1, 2, 3, 4]})
    assert path.read_bytes() == b'a,b\r\nc,1\r\n,2\r\n"a,b",3\r\nc,4\r\n'


def test_a_table_without_rows_has_its_heads(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv_columns(path, {"a": np.array([], np.float64), "b": np.array([], np.bool_)})
    assert path.read_bytes() == b"a,b\r\n"
