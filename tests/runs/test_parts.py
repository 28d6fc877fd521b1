"""Finished units of a run: whole or absent, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ivan_core.domain.errors import StorageProblem
from ivan_core.runs.context import Parts


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    parts.append("first", [[1, 0.5, None]])
    parts.append("second", [{"text": "ä\n\u2028\ud800"}])
    again = Parts(tmp_path)
    assert list(again.all()) == [
        ("first", [[1, 0.5, None]]),
        ("second", [{"text": "ä\n\u2028\ud800"}]),
    ]
    assert "first" in again and "third" not in again


@pytest.mark.parametrize("bytes_left", [1, 9, 20])
def test_a_torn_last_line_is_no_unit_and_is_written_over(tmp_path: Path, bytes_left: int) -> None:
    parts = Parts(tmp_path)
    parts.append("first", [1])
    whole = parts.path.stat().st_size
    parts.append("second", ["a long row that sticks out of the next one " * 9])
    os.truncate(parts.path, whole + bytes_left)

    again = Parts(tmp_path)
    assert "second" not in again
    again.append("third", [3])
    assert list(Parts(tmp_path).all()) == [("first", [1]), ("third", [3])]


def test_a_torn_line_that_is_longer_than_the_next_leaves_nothing_behind(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    parts.append("first", [1])
    with parts.path.open("ab") as file:
        file.write(b'{"key": "torn", "rows": [' + b"7, " * 1000)
    Parts(tmp_path).append("second", [2])
    assert (
        parts.path.read_bytes()
        == b'{"key": "first", "rows": [1]}\n{"key": "second", "rows": [2]}\n'
    )


def test_a_reader_beside_the_writer_sees_whole_units_only(tmp_path: Path) -> None:
    writer = Parts(tmp_path)
    writer.append("first", [1])
    with writer.path.open("ab") as file:
        file.write(b'{"key": "second", "rows": [2]}')  # the line's end is still to come
    assert [key for key, _ in Parts(tmp_path).all()] == ["first"]


def test_a_full_disk_is_said_and_earlier_units_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(tmp_path)
    parts.append("first", [1])
    write = os.pwrite

    def fills_up(descriptor: int, data: bytes, offset: int) -> int:
        write(descriptor, data[:5], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", fills_up)
    with pytest.raises(StorageProblem, match="is full") as raised:
        parts.append("second", [2])
    assert "resume" in raised.value.hint
    monkeypatch.setattr(os, "pwrite", write)
    assert "second" not in parts and "second" not in Parts(tmp_path)
    parts.append("second", [2])
    assert list(Parts(tmp_path).all()) == [("first", [1]), ("second", [2])]


def test_a_number_that_is_not_finite_is_refused_not_written(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    with pytest.raises(ValueError):
        parts.append("first", [float("nan")])
    assert not parts.path.exists()
