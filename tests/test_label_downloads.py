"""Downloaded result files: whole or named, kept at once or not, merged with no line lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.labels.downloads import check_download, keep_download, merge_raw

A, B = b'{"custom_id": "0.chosen"}\n', b'{"custom_id": "0.rejected"}\r\n'


@pytest.mark.parametrize(
    ("content", "expected", "said"),
    [
        (A + B, 2, ""),
        (A + B, None, ""),
        (b"\xef\xbb\xbf" + A + b"\n" + B, 2, ""),
        (b"", 0, ""),
        (b"", None, "The file is empty."),
        (b"", 2, "The file is empty."),
        (A + B[:-2], 2, "The file ends in the middle of a line."),
        (A + b"{cut\n", 2, "Line 2 is not valid JSON."),
        (A + b"[" * 100_000 + b"\n", 2, "Line 2 is not valid JSON."),
        (A + b'"\xff"\n', 2, "Line 2 is not valid JSON."),
        (A + b"3\n", 2, "Line 2 is no JSON object."),
        (A, 2, "Lines in the file: 1; the provider tells of 2."),
    ],
)
def test_a_download_is_whole_or_a_sentence_says_why_not(
    content: bytes, expected: int | None, said: str
) -> None:
    assert check_download(content, expected) == said


@given(st.integers(0, len(A + B) - 1))
def test_a_download_cut_anywhere_is_never_taken_for_whole(end: int) -> None:
    assert check_download((A + B)[:end], 2)


def test_a_kept_download_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "run" / "output.jsonl"
    keep_download(A, path)
    keep_download(A + B, path)
    assert path.read_bytes() == A + B
    assert [one.name for one in path.parent.iterdir()] == ["output.jsonl"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageProblem, match="cannot be written"):
        keep_download(A, tmp_path / "file" / "output.jsonl")


def test_parts_are_merged_line_by_line_as_they_came(tmp_path: Path) -> None:
    errors = tmp_path / "errors.jsonl"
    errors.write_bytes(b"\xef\xbb\xbf" + B + b"{cut")
    out = tmp_path / "taxonomy-output" / "2026-03-01-09-00.jsonl"
    assert merge_raw([A, errors, b"", b"\xef\xbb\xbf", A.strip()], out) == 4
    assert out.read_bytes() == A + B + b"{cut\n" + A
    assert merge_raw([A], out) == 1
    assert out.read_bytes() == A


def test_a_missing_part_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "merged.jsonl"
    merge_raw([A], out)
    with pytest.raises(BadInput, match="There is no file"):
        merge_raw([B, tmp_path / "none.jsonl"], out)
    assert out.read_bytes() == A
    assert [one.name for one in tmp_path.iterdir()] == ["merged.jsonl"]
