"""Downloaded result files: whole or named, kept at once or not, merged with no line lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.labels.result_files import (
    MOST_LINE_BYTES,
    Held,
    add_lost_lines,
    arriving,
    held_in,
    keep_download,
    merge_raw,
    read_result_lines,
)

A = b'{"custom_id": "0.chosen", "response": {"status_code": 500}}\n'
B = b'{"custom_id": "0.rejected", "error": {"code": "busy"}}\r\n'
ASKED = ("0.chosen", "0.rejected")
NONE, FIRST, BOTH = frozenset[str](), frozenset(ASKED[:1]), frozenset(ASKED)
WIDE = A.decode().strip()
ABSURD = (
    b'{"custom_id": "0.chosen", "response": {"body": {"usage": {"prompt_tokens": '
    + b"9" * 5_000
    + b"}}}}\n"
)


@pytest.mark.parametrize(
    ("content", "answered", "results", "said"),
    [
        (A + B, BOTH, True, ""),
        (b"\xef\xbb\xbf" + A + b"\n" + B, BOTH, True, ""),
        (A + A, FIRST, True, ""),
        (A + B.replace(b"0.", b"7."), FIRST, True, ""),
        (b"", NONE, False, "it is empty"),
        (b"\n\n", NONE, False, "it is empty"),
        (A + B[:-2], BOTH, True, "it ends in the middle of a line"),
        (A + B[:-4], FIRST, True, "it ends in the middle of a line"),
        (A + b"{cut\n", FIRST, True, "line 2 is not valid JSON"),
        (A + b"[" * 100_000 + b"\n", FIRST, True, "line 2 is not valid JSON"),
        (A + b'"\xff"\n', FIRST, True, "line 2 is not valid JSON"),
        (A + b"3\n", FIRST, True, "line 2 is no JSON object"),
        (b"<html><body>Busy</body></html>\n", NONE, False, "line 1 is not valid JSON"),
        (b'{"error": {"message": "No"}}\n', NONE, False, "line 1 is not one of a result file"),
        (b'{\n "error": {}\n}\n', NONE, False, "line 1 is not valid JSON"),
        (ABSURD, FIRST, True, ""),
        # What is no UTF-8 is no answer, though `json` would make something of these bytes.
        (
            A + b'{"custom_id": "0.rejected", "x": "\xed\xa0\x80"}\n',
            FIRST,
            True,
            "line 2 is not valid JSON",
        ),
        (f"{WIDE}\n".encode("utf-16-be"), NONE, False, "line 1 is not valid JSON"),
        (f"{WIDE}\n".encode("utf-32-be"), NONE, False, "line 1 is not valid JSON"),
    ],
)
def test_what_a_download_holds_is_counted_by_the_texts_that_were_asked_for(
    content: bytes, answered: frozenset[str], results: bool, said: str
) -> None:
    assert held_in(content, ASKED) == Held(answered, results, said)
    lines = [line for line in read_result_lines(content) if not line.damaged]
    assert {line.custom_id for line in lines} & BOTH == answered


@pytest.mark.parametrize(
    "empty",
    [
        b"",
        b', "response": null, "error": null',
        b', "response": {}, "error": {}',
        b', "response": "<html>Busy</html>"',
        b', "response": 200, "error": ""',
    ],
)
def test_a_line_with_neither_answer_nor_error_delivers_nothing(empty: bytes) -> None:
    held = held_in(A + b'{"custom_id": "0.rejected"' + empty + b"}\n", ASKED)
    assert held == Held(FIRST, True, "line 2 has neither an answer nor an error")


@given(st.integers(0, len(A + B) - 4))
def test_a_download_cut_anywhere_is_never_taken_for_whole(end: int) -> None:
    held = held_in((A + B)[:end], ASKED)
    assert len(held.answered) < 2


@pytest.mark.parametrize(
    ("came", "before", "then"),
    [
        (A, A + B, A + B),
        (A.rstrip(), B, A + B),
        (A + B, A, A + B),
        (A, b"<html>\n", A),
        (A, b"\xef\xbb\xbf" + B.rstrip(), A + B.replace(b"\r", b"")),
        (b"", A, A),
    ],
)
def test_a_worse_download_takes_no_line_away(
    tmp_path: Path, came: bytes, before: bytes, then: bytes
) -> None:
    arrived, old = tmp_path / "new", tmp_path / "old"
    arrived.write_bytes(came)
    old.write_bytes(before)
    add_lost_lines(arrived, old, ASKED)
    assert arrived.read_bytes() == then


def test_a_line_without_an_end_is_named_and_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    path.write_bytes(A + b"x" * (MOST_LINE_BYTES + 1) + b"\n" + B)
    assert held_in(path, ASKED) == Held(BOTH, True, "line 2 is longer than 16 MiB")


def arrive(content: bytes, path: Path) -> None:
    arrived = arriving(path)
    arrived.write_bytes(content)
    keep_download(arrived, path)


def test_a_kept_download_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "run" / "output.jsonl"
    arrive(A, path)
    arrive(A + B, path)
    assert path.read_bytes() == A + B
    assert [one.name for one in path.parent.iterdir()] == ["output.jsonl"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageProblem, match="cannot be written"):
        arrive(A, tmp_path / "file" / "output.jsonl")


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
