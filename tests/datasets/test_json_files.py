"""Files of JSON: one list of rows, rows on lines of their own, or one object, which is refused."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ivan_core.datasets import files
from ivan_core.datasets.files import read_file
from ivan_core.datasets.json_list import Broken, entries
from ivan_core.datasets.lines import BadLine, Line
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest

GOOD = {"prompt": "q", "chosen": 'yes, "[}\\', "rejected": "no"}
OTHER = {"prompt": "r", "chosen": "oui", "rejected": "non"}
MIB = 2**20


def found(path: Path, content: str) -> list[Line]:
    path.write_text(content)
    return list(read_file(path))


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl", "ROWS.JSON"])
def test_a_list_of_rows_is_read_entry_by_entry(
    tmp_path: Path, name: str, indent: int | None
) -> None:
    read = found(tmp_path / name, json.dumps([GOOD, OTHER], indent=indent))
    assert read == [(1, GOOD), (2, OTHER)]


def test_a_packed_list_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps([GOOD, OTHER]).encode()))
    assert list(read_file(path)) == [(1, GOOD), (2, OTHER)]


@pytest.mark.parametrize("count", [1, 2])
def test_rows_on_lines_of_their_own_are_read_whatever_the_ending(
    tmp_path: Path, count: int
) -> None:
    read = found(tmp_path / "rows.json", f"\n{json.dumps(GOOD)}\n" * count)
    assert read == [(2 * place, GOOD) for place in range(1, count + 1)]


def test_a_damaged_first_line_costs_itself_alone(tmp_path: Path) -> None:
    read = found(tmp_path / "rows.json", f'{{"chosen": "x\n{json.dumps(GOOD)}\n')
    assert read == [BadLine(1, "not valid JSON"), (2, GOOD)]


def test_bad_entries_are_named_by_their_number_and_the_rest_is_read(tmp_path: Path) -> None:
    twice = '{"chosen": "a", "chosen": "b"}'
    good = json.dumps(GOOD)
    read = found(
        tmp_path / "rows.json", f'[{good}, 7, {{"a" 1}}, [1, {{}}], , {twice}, "x,]", {good}]'
    )
    assert read == [
        (1, GOOD),
        BadLine(2, "not a JSON object"),
        BadLine(3, "not valid JSON"),
        BadLine(4, "not a JSON object"),
        BadLine(5, "not valid JSON"),
        BadLine(6, "the key 'chosen' comes twice"),
        BadLine(7, "not a JSON object"),
        (8, GOOD),
    ]


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        (', {"chosen": "a', "the file ends in the middle of the list"),
        (",", "the file ends in the middle of the list"),
        ("]\n{}", "something stands after the end of the list"),
    ],
)
def test_a_list_without_a_whole_end_keeps_the_rows_before(
    tmp_path: Path, ends: str, reason: str
) -> None:
    read = found(tmp_path / "rows.json", f"[{json.dumps(GOOD)}{ends}")
    assert read == [(1, GOOD), BadLine(2, reason)]


@pytest.mark.parametrize("content", ["[]", " [\n]\n"])
def test_an_empty_list_is_an_empty_file(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadInput, match=r"none.json is empty"):
        found(tmp_path / "none.json", content)


ANNOTATED = {"metadata": {"version": "2.0"}, "annotators": {"a": {}}, "comparisons": []}
COMPARATOR = {
    "metadata": {"source_path": "x", "custom_fields_schema": []},
    "models": [{"name": "a"}, {"name": "b"}],
    "examples": [],
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("made", "what"), [(ANNOTATED, "a file of AnnotatedPairs"), (COMPARATOR, "LLM Comparator")]
)
def test_one_object_of_another_program_is_refused_by_name(
    tmp_path: Path, made: dict[str, Any], what: str, indent: int | None
) -> None:
    with pytest.raises(BadInput, match=what) as caught:
        found(tmp_path / "made.json", json.dumps(made, indent=indent))
    assert "not a list of rows" in caught.value.message


def test_one_object_over_several_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with pytest.raises(BadInput, match=r"data.json is one object over several lines, not a list"):
        found(path, json.dumps({"data": [GOOD]}, indent=1))


def test_a_list_of_millions_of_brackets_is_a_bad_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", MIB)
    good = json.dumps(GOOD)
    nested = "[" * 200_000 + "]" * 200_000
    read = found(tmp_path / "deep.json", f"[{nested}, {good}, {'[' * 2 * MIB}")
    assert read == [
        BadLine(1, "not valid JSON"),
        (2, GOOD),
        BadLine(3, "the file ends in the middle of the list"),
    ]


def test_an_endless_entry_is_named_and_the_rest_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    good = json.dumps(GOOD).encode()
    path.write_bytes(b"[%s, {%s}, %s]" % (good, b'"chosen": "' + b"x" * (40 * MIB) + b'"', good))
    tracemalloc.start()
    read = list(read_file(path))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == [(1, GOOD), BadLine(2, "longer than 16 MiB"), (3, GOOD)]
    assert most < 80 * MIB


def test_a_list_of_more_rows_than_are_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 3)
    with pytest.raises(BadInput, match=r"many.json has more than"):
        found(tmp_path / "many.json", json.dumps([GOOD] * 4))


def test_a_list_becomes_a_dataset(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([GOOD, {"chosen": "x"}, OTHER]))
    dataset = prepare(tmp_path / "data", DatasetRequest(source=str(path)))
    assert [pair.chosen.reply for pair in dataset.pairs([0, 1])] == ['yes, "[}\\', "oui"]
    assert dataset.about["bad_lines_named"] == [[2, "no text under rejected"]]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"\\[]{},:\n é', max_size=5),
    lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text('a"\\,]', max_size=3), of),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=4), st.sampled_from([None, 1]), st.integers(1, 9))
def test_entries_are_those_of_the_list_however_it_is_cut(
    values: list[Any], indent: int | None, size: int
) -> None:
    text = json.dumps(values, indent=indent)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert [json.loads(entry) for entry in entries(pieces, 10_000)] == values


@given(st.text('a"\\[]{}, \n', max_size=30), st.integers(1, 9))
def test_any_text_is_cut_or_named_and_no_entry_is_held_longer(text: str, size: int) -> None:
    def pieces() -> Iterator[str]:
        whole = f"[{text}"
        yield from (whole[at : at + size] for at in range(0, len(whole), size))

    try:
        cut = list(entries(pieces(), 10))
    except Broken:
        return
    assert all(len(entry) <= 11 for entry in cut)
