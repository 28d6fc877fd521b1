"""Local files: what is wrong with one is said in a sentence; its good rows are kept."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from given.support import without_rights
from hypothesis import given, strategies as st

from ivan_core.datasets.files import check_file, read_file
from ivan_core.datasets.layouts.sides import read_sides
from ivan_core.datasets.limits import LONGEST_LINE
from ivan_core.datasets.lines import BadLine
from ivan_core.datasets.reading import PairReader
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import Pair

GOOD = {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"}


def jsonl(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def read(path: Path) -> tuple[list[Pair], list[tuple[int, str]]]:
    """The pairs of a file, and its bad lines."""
    reader = PairReader()
    pairs = [pair for pair, _ in reader.read(read_file(path))]
    return pairs, [(line.line, line.reason) for line in reader.bad]


def refusal(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(path)
    assert caught.value.message.endswith(".") and caught.value.hint.endswith(".")
    return caught.value


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def _save(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return _save


Save = Callable[[str, bytes], Path]


def test_a_missing_file_is_named_and_the_sample_offered(tmp_path: Path) -> None:
    error = refusal(tmp_path / "gone.jsonl")
    assert "There is no file" in error.message and "gone.jsonl" in error.message
    assert "--dataset sample" in error.hint


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "rows.jsonl"
    folder.mkdir()
    assert "is a folder" in refusal(folder).message


def test_an_unknown_ending_lists_the_ones_read(save: Save) -> None:
    error = refusal(save("pairs.xlsx", b"PK"))
    assert error.message == "pairs.xlsx is not a kind of file IVAN reads."
    assert ".jsonl, .jsonl.gz, .json, .csv, .parquet" in error.hint


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz", "e.json", "e.csv", "e.parquet"])
def test_an_empty_file_is_called_empty(save: Save, name: str) -> None:
    assert refusal(save(name, b"")).message == f"{name} is empty."


@pytest.mark.parametrize("content", [b"  \n\n\t\n", b"\xef\xbb\xbf\n", b"\r\n \r\n"])
@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
def test_a_file_of_white_space_is_empty_too(save: Save, ending: str, content: bytes) -> None:
    assert refusal(save(f"blank.{ending}", content)).message == f"blank.{ending} is empty."


def test_an_empty_file_inside_gzip_is_empty(save: Save) -> None:
    assert refusal(save("e.jsonl.gz", gzip.compress(b""))).message == "e.jsonl.gz is empty."


def test_a_name_longer_than_the_disk_allows_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        check_file(tmp_path / ("x" * 300 + ".jsonl"))


def test_a_file_without_permission_says_so(open_folder: Path) -> None:
    path = open_folder / "locked.jsonl"
    path.write_text("{}")
    path.chmod(0)
    with without_rights():
        assert "may not be read" in refusal(path).message


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
def test_another_encoding_is_recognised(save: Save, encoding: str, ending: str) -> None:
    row = {"chosen": "Grüße", "rejected": "né"}
    text = {
        "jsonl": json.dumps(row, ensure_ascii=False) + "\n",
        "json": json.dumps([row], ensure_ascii=False),
        "csv": "chosen,rejected\nGrüße,né\n",
    }[ending]
    error = refusal(save(f"old.{ending}", text.encode(encoding)))
    assert error.message.startswith(f"old.{ending} is not UTF-8 text")
    assert "UTF-8" in error.hint


def test_a_byte_order_mark_is_no_part_of_the_text(save: Save) -> None:
    pairs, bad = read(save("bom.csv", "\ufeffchosen,rejected\na,b\n".encode()))
    assert [pair.chosen.text for pair in pairs] == ["a"] and bad == []


@pytest.mark.parametrize("name", ["w.jsonl", "w.csv", "w.parquet"])
def test_wrong_columns_are_listed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    rows = [{"prompt": "p", "answer": "a"}]
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_bytes(jsonl(*rows) if name.endswith("jsonl") else b"prompt,answer\np,a\n")
    error = refusal(path)
    assert error.message == "The columns chosen and rejected are needed; found: prompt, answer."


def test_bad_lines_are_named_and_row_ids_are_positions_among_the_good(save: Save) -> None:
    lines = [jsonl(GOOD), b'{"chosen": "x"\n', b"\n", b"[1, 2]\n", jsonl({"chosen": "x"})]
    pairs, bad = read(save("mixed.jsonl", b"".join([*lines, jsonl(GOOD)])))
    assert [pair.row_id for pair in pairs] == [0, 1]
    assert bad == [(2, "not valid JSON"), (4, "not a JSON object"), (5, "no text under rejected")]


def test_an_incomplete_last_line_is_bad_and_the_rest_good(save: Save) -> None:
    pairs, bad = read(save("cut.jsonl", jsonl(GOOD, GOOD)[:-9]))
    assert len(pairs) == 1
    assert bad == [(2, "not valid JSON")]


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        (1, "x", "no text under chosen"),
        ("x", None, "no text under rejected"),
        (None, 2.5, "no text under chosen and rejected"),
        ([], "x", "no text under chosen"),
        ({"role": "user"}, "x", "no text under chosen"),
        ([{"role": "tool", "content": "x"}], "x", "chosen holds a message of the role 'tool'"),
        ([{"role": "user", "content": None}], "x", "chosen holds a message without text"),
        (["x"], "x", "no text under chosen"),
        ("\ud83d", "x", "half a character (a lone surrogate)"),
    ],
)
def test_sides_that_are_no_text_are_named(
    save: Save, chosen: Any, rejected: Any, reason: str
) -> None:
    path = save("odd.jsonl", jsonl({"chosen": chosen, "rejected": rejected}, GOOD))
    pairs, bad = read(path)
    assert (len(pairs), bad) == (1, [(1, reason)])


def test_a_file_without_one_pair_names_the_first_lines(save: Save) -> None:
    error = refusal(save("none.jsonl", b"x\ny\nz\nw\n"))
    assert error.message == (
        "None of 4 lines holds a pair "
        "(line 1: not valid JSON; line 2: not valid JSON; line 3: not valid JSON)."
    )


def test_json_nested_without_end_is_a_bad_line(save: Save) -> None:
    pairs, bad = read(save("deep.jsonl", b"[" * 200_000 + b"\n" + jsonl(GOOD)))
    assert (len(pairs), bad) == (1, [(1, "not valid JSON")])


def test_a_file_that_is_no_gzip_says_so(save: Save) -> None:
    assert refusal(save("plain.jsonl.gz", jsonl(GOOD))).message == (
        "plain.jsonl.gz is not a gzip file."
    )


def test_a_truncated_gzip_keeps_the_rows_before_the_cut(save: Save) -> None:
    rows = [{**GOOD, "noise": os.urandom(200).hex()} for _ in range(500)]
    whole = gzip.compress(jsonl(*rows))
    pairs, bad = read(save("cut.jsonl.gz", whole[: len(whole) // 2]))
    assert 200 < len(pairs) < 300
    assert bad == [(len(pairs) + 1, "the file ends in the middle of its compressed data")]


def test_a_damaged_gzip_keeps_the_rows_before_the_damage(save: Save) -> None:
    rows = [{**GOOD, "noise": os.urandom(200).hex()} for _ in range(500)]
    damaged = bytearray(gzip.compress(jsonl(*rows)))
    middle = len(damaged) // 2
    damaged[middle : middle + 400] = b"\xff" * 400
    pairs, bad = read(save("hurt.jsonl.gz", bytes(damaged)))
    assert 0 < len(pairs) < 500
    assert bad


def test_csv_rows_with_other_numbers_of_fields_are_named(save: Save) -> None:
    content = b"chosen,rejected\na,b\na\na,b,c\n\nc,d\n"
    pairs, bad = read(save("rows.csv", content))
    assert [pair.rejected.text for pair in pairs] == ["b", "d"]
    assert bad == [(3, "1 fields where the header has 2"), (4, "3 fields where the header has 2")]


def test_csv_fields_keep_their_line_ends_and_quotes(save: Save) -> None:
    content = b'chosen,rejected\r\n"\n\nHuman: ""hi""\r\n\n\nAssistant: b",c\r\n'
    pairs, bad = read(save("multi.csv", content))
    assert bad == []
    assert pairs[0].chosen.text == '\n\nHuman: "hi"\r\n\n\nAssistant: b'


def test_an_unclosed_quote_is_named_by_the_line_where_its_row_begins(save: Save) -> None:
    content = b'chosen,rejected\na,b\nc,"d\ne,f\ng,h\n'
    pairs, bad = read(save("open.csv", content))
    assert [pair.chosen.text for pair in pairs] == ["a"]
    assert bad[0][0] == 3 and "never ends" in bad[0][1]


def test_text_after_a_closing_quote_costs_only_its_own_row(save: Save) -> None:
    pairs, bad = read(save("quote.csv", b'chosen,rejected\n"a"x,b\nc,d\n'))
    assert [pair.chosen.text for pair in pairs] == ["c"]
    assert bad[0][0] == 2 and bad[0][1].startswith("not valid CSV")


def test_a_csv_with_only_a_header_holds_no_rows(save: Save) -> None:
    assert refusal(save("head.csv", b"chosen,rejected\n")).message == "The data holds no rows."


def test_parquet_rows_without_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "nulls.parquet"
    pq.write_table(pa.table({"chosen": ["a", None], "rejected": ["b", "c"]}), path)
    pairs, bad = read(path)
    assert (len(pairs), bad) == (1, [(2, "no text under chosen")])


def test_a_parquet_file_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.parquet"
    pq.write_table(pa.table({"chosen": ["a"] * 50, "rejected": ["b"] * 50}), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert refusal(path).message == "cut.parquet is not a whole Parquet file."


USER, REPLY = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}
WHOLE = "\n\nHuman: hi\n\nAssistant: yes"


@pytest.mark.parametrize(
    ("side", "prompt", "printed"),
    [
        ([USER, REPLY], None, WHOLE),
        ([USER, REPLY], "hi", WHOLE),
        ([REPLY], [USER], WHOLE),
        ([REPLY], "hi", WHOLE),
        ("yes", "hi", WHOLE),
        ("yes", [USER], WHOLE),
        (" yes", "\n\nHuman: hi\n\nAssistant:", WHOLE),
        (WHOLE, "hi", WHOLE),
        ("yes", None, "yes"),
        ("", "hi", "\n\nHuman: hi\n\nAssistant: "),
    ],
)
def test_messages_and_prompts_become_transcripts(side: Any, prompt: Any, printed: str) -> None:
    row = {"chosen": side, "rejected": side, "prompt": prompt}
    assert read_sides(row).chosen.text == printed


def test_own_columns_are_kept_if_they_are_labels(save: Save) -> None:
    row = {**GOOD, "score": 3, "label": "x", "essay": "y" * 201, "tags": ["z"], "row_id": 9}
    reader = PairReader()
    labels = [kept for _, kept in reader.read(read_file(save("own.jsonl", jsonl(row))))]
    assert labels == [{"score": 3, "label": "x"}]
    assert reader.left_out == {"essay", "tags"}


@given(st.lists(st.sampled_from([jsonl(GOOD), b"{\n", b"7\n", b"\n"]), max_size=8))
def test_every_line_is_a_pair_or_blank_or_named(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "some.jsonl"
    path.write_bytes(b"".join([jsonl(GOOD), *lines]))
    found = list(read_file(path))
    numbers = [line.line if isinstance(line, BadLine) else line[0] for line in found]
    assert numbers == [1, *(i for i, line in enumerate(lines, start=2) if line != b"\n")]


@given(st.lists(st.sampled_from(["7", "\u2028", "\x0b", " ", "\n", "\r\n", "\r"]), min_size=1))
def test_lines_end_where_python_ends_them(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    content = f"{jsonl(GOOD).decode()}{''.join(pieces)}"
    path = tmp_path_factory.mktemp("ends") / "some.jsonl"
    path.write_bytes(content.encode())
    found = [line.line if isinstance(line, BadLine) else line[0] for line in read_file(path)]
    lines = enumerate(io.StringIO(content, newline=""), start=1)
    assert found == [number for number, line in lines if not line.isspace()]


@pytest.mark.parametrize("end", [b"\r", b"\n"])
def test_a_line_without_end_is_named_and_the_next_ones_read(save: Save, end: bytes) -> None:
    endless = b"7" * (LONGEST_LINE + 1) + end
    pairs, bad = read(save("long.jsonl", jsonl(GOOD) + endless + jsonl(GOOD)))
    assert len(pairs) == 2
    assert bad == [(2, "longer than 16 MiB")]


def test_white_space_about_an_object_is_none_of_it_and_anything_else_is_damage(save: Save) -> None:
    good = jsonl(GOOD).strip()
    pairs, bad = read(save("about.jsonl", b" \t%s \r\n%s 7\n%s\x0b\n" % (good, good, good)))
    assert len(pairs) == 1
    assert bad == [(2, "not valid JSON"), (3, "not valid JSON")]
