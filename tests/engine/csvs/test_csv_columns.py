"""Cells that are read many at once mean what their lines say, and are plain or left to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from ivan_core.engine.csvs.columns import cells_of, decimals, whole_numbers, yes_or_no


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_plain_decimals_are_what_python_reads(numbers: list[float]) -> None:
    cells = [repr(number) for number in numbers]
    found = decimals(pa.chunked_array([cells]))
    for number, cell, value, plain in zip(numbers, cells, found.values, found.plain, strict=True):
        assert value == number or not plain
        assert plain or "e" in cell  # three digits of exponent are left to the line


@pytest.mark.parametrize("cell", ["", " 1", "1_0", "nan", "inf", "1e400", "0x1", "１", "1,5"])
def test_other_decimals_are_left_to_their_lines(cell: str) -> None:
    assert decimals(pa.chunked_array([["2.5", cell]])).plain.tolist() == [True, False]


@pytest.mark.parametrize("cell", ["+1", ".5", "5.", "-0", "1E5", "007", "12345678901234567890.5"])
def test_what_is_read_at_once_is_what_its_line_would_say(cell: str) -> None:
    found = decimals(pa.chunked_array([["2.5", cell]]))
    assert not found.plain[1] or found.values[1] == float(cell)
    assert found.values[0] == 2.5


def test_whole_numbers_may_end_like_decimals_and_are_never_too_long() -> None:
    found = whole_numbers(pa.chunked_array([["0", "7.0", "999999999999", "1" * 13, "-1", "1.5"]]))
    assert found.plain.tolist() == [True, True, True, False, False, False]
    assert found.values[:3].tolist() == [0, 7, 999_999_999_999]


def test_yes_and_no_in_any_case() -> None:
    found = yes_or_no(pa.chunked_array([["True", "FALSE", "1", "0.0", "maybe", ""]]))
    assert found.plain.tolist() == [True, True, True, True, False, False]
    assert found.values.tolist()[:4] == [True, False, True, False]


def test_columns_of_a_file_with_a_mark_in_front_and_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeff a ,b\r\n1,x\r\n\r\n2,é\r\n".encode())
    cells = cells_of(path)
    assert cells is not None
    assert {name: column.to_pylist() for name, column in cells.items()} == {
        "a": ["1", "2"],
        "b": ["x", "é"],
    }


@pytest.mark.parametrize(
    "content", [b'a\n"1"\n', b"a,b\n1\n", b"a,a\n1,2\n", b"a\n" + b"1\n" * 9000 + b"\xff\n"]
)
def test_a_file_that_is_not_plain_is_read_line_by_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert cells_of(path) is None


def test_no_cell_of_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n")
    cells = cells_of(path)
    assert cells is not None
    assert np.asarray(decimals(cells["b"]).values).tolist() == []
