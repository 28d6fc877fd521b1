"""Which layout a file has is told by its columns and what they hold; a person may say another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from given.layouts.published import BY_LAYOUT, PUBLISHED, RED_TEAM, TEXTS_ALONE, Row, ask
from given.layouts.reading import bad, read, save, told

import ivan_core
from ivan_core.datasets.columns import WrongColumns
from ivan_core.datasets.files import read_file
from ivan_core.datasets.layouts import known
from ivan_core.datasets.layouts.chosen_rejected import PAIRS
from ivan_core.datasets.reading import PairReader
from ivan_core.domain.errors import BadInput

FIRST = {one.layout: one.rows("Hi?", "Hello.", "Go.")[0] for one in PUBLISHED}
FIRST |= {"trl-implicit-texts": TEXTS_ALONE, "red-team": RED_TEAM}


def test_every_layout_that_is_found_has_an_example() -> None:
    found = {one.name for one in known.LAYOUTS if not one.asked_only}
    assert FIRST.keys() == found - {PAIRS.name}


@pytest.mark.parametrize("layout", sorted(FIRST.keys() - {"red-team"}))
@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".parquet"])
def test_an_example_has_its_own_layout_and_no_other(
    tmp_path: Path, layout: str, ending: str
) -> None:
    (line, *_) = read_file(save(tmp_path / f"row{ending}", [FIRST[layout]]))
    assert isinstance(line, tuple)
    found = known.find(line[1])
    assert found is not None and found.name == layout


@pytest.mark.parametrize("layout", sorted(FIRST.keys() - {"red-team"}))
def test_of_the_layouts_with_a_rule_of_their_own_one_fits_an_example(layout: str) -> None:
    """The rules for two sides alone fit more rows, and are asked last."""
    row = FIRST[layout]
    fitting = [
        one.name
        for one in known.LAYOUTS
        if not one.asked_only and one.read is not PAIRS.read
        if one.needs_met_by(row) and one.fits(row)
    ]
    assert fitting == ([layout] if known.named(layout).read is not PAIRS.read else [])


def test_a_file_without_pairs_is_refused_by_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"layout of red-team-attempts\. Each row is one dialogue"):
        read(tmp_path, [RED_TEAM], ".json")


def test_a_row_that_fits_two_layouts_is_not_guessed(tmp_path: Path) -> None:
    both = {**FIRST["judgebench"], **FIRST["helpsteer2"]}
    with pytest.raises(BadInput, match="HelpSteer2 preference or JudgeBench") as caught:
        read(tmp_path, [both])
    assert "judgebench" in caught.value.hint
    assert read(tmp_path, [both], layout="judgebench").about["layout"] == "judgebench"


def test_an_odd_first_row_tells_no_layout(tmp_path: Path) -> None:
    rows = [{"prompt": "Hi?", "chosen": ["a"], "rejected": None}, FIRST["rm-bench"]]
    dataset = read(tmp_path, rows)
    assert dataset.about["layout"] == "rm-bench" and dataset.rows == 9
    assert bad(dataset) == {1: "rejected holds no list of texts"}


def test_the_layout_that_is_asked_for_is_taken_whatever_the_columns(tmp_path: Path) -> None:
    rows = BY_LAYOUT["pku-saferlhf"].rows("Hi?", "Hello.", "Go.")
    dataset = read(tmp_path, rows, layout="pku-saferlhf-safer")
    assert dataset.about["layout"] == "pku-saferlhf-safer"
    assert [pair.chosen.reply for pair in dataset.pairs([0])] == ["Go."]
    with pytest.raises(BadInput, match="no layout lab-notes"):
        read(tmp_path, rows, layout="lab-notes")


@pytest.mark.parametrize("layout", ["helpsteer3", "rewardbench-2", "nectar", "trl-explicit"])
def test_cells_of_a_table_are_read_as_json_where_a_layout_is_asked_for(
    tmp_path: Path, layout: str
) -> None:
    rows = BY_LAYOUT[layout].rows("Hi?", "Hello.", "Go.")
    dataset = read(tmp_path, rows, ".csv", layout)
    assert (("Human", "Hi?"), ("Assistant", "Hello.")) in told(dataset)[0]


def test_a_reply_that_is_json_stays_a_text_beside_cells_that_are_lists(tmp_path: Path) -> None:
    rows = BY_LAYOUT["helpsteer3"].rows('["Hi?"]', '{"a": 1}', "[2]")
    sides = told(read(tmp_path, rows, ".csv"))
    assert [side[-1][1] for side in sides[0]] == ['{"a": 1}', "[2]"]


def test_a_prompt_and_a_reply_that_are_json_may_be_texts_or_messages(tmp_path: Path) -> None:
    texts = [("[1]", True), ('{"b": 2}', False)]
    rows = [{"prompt": "[3]", "completion": reply, "label": label} for reply, label in texts]
    assert told(read(tmp_path, rows, ".csv")) == [
        ((("Human", "[3]"), ("Assistant", "[1]")), (("Human", "[3]"), ("Assistant", '{"b": 2}')))
    ]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_a_text_that_is_json_is_a_text_where_lists_stand_as_such(
    tmp_path: Path, ending: str
) -> None:
    row = {"prompt": "Three fruits", "chosen": '["a", "b", "c"]', "rejected": '["d", "e", "f"]'}
    dataset = read(tmp_path, [row], ending)
    assert dataset.about["layout"] == "trl-standard"
    assert [side[-1][1] for side in told(dataset)[0]] == [row["chosen"], row["rejected"]]


PRINTED: dict[str, Row] = {
    "rewardbench-2": {**FIRST["rewardbench-2"], "chosen": "['a', 'b']", "rejected": '["it\'s"]x'},
    "rm-bench": {"prompt": "Hi?", "chosen": "['a', 'b', 'c']", "rejected": "['d', 'e', 'f']"},
    "trl-explicit": {
        "prompt": "[{'role': 'user', 'content': 'Hi?'}]",
        "chosen": "[{'role': 'assistant', 'content': 'Hello.'}]",
        "rejected": "[{'role': 'assistant', 'content': 'Go.'}]",
    },
    "numpy": {"chosen": "['a' 'b']", "rejected": "['c' 'd']", "prompt": "Hi?"},
    "ppe-best-of-k": {**FIRST["ppe-best-of-k"], "scores": "[True, False]"},
    "rmb-best-of-n": {
        "conversation_input": "[{'role': 'user', 'content': 'Hi?'}]",
        "bon_best": "{'llm_name': 'm', 'answer': 'Hello.'}",
        "loser_list": "[{'llm_name': 'n', 'answer': 'Go.'}]",
    },
}


@pytest.mark.parametrize("row", PRINTED.values(), ids=PRINTED)
def test_lists_as_python_prints_them_are_refused_and_not_read_as_texts(
    tmp_path: Path, row: dict[str, Any]
) -> None:
    with pytest.raises(BadInput, match="hold lists as Python prints them, not as JSON") as caught:
        read(tmp_path, [row], ".csv")
    assert "JSON lines or Parquet" in caught.value.hint


def test_texts_that_look_like_printed_lists_can_be_asked_for(tmp_path: Path) -> None:
    dataset = read(tmp_path, [PRINTED["rm-bench"]], ".csv", "trl-standard")
    assert told(dataset)[0][0][-1] == ("Assistant", "['a', 'b', 'c']")


def test_a_reply_that_holds_one_quoted_list_alone_is_a_text(tmp_path: Path) -> None:
    row = {"prompt": "Name two", "chosen": "['a', 'b']", "rejected": "No."}
    assert read(tmp_path, [row], ".csv").about["layout"] == "trl-standard"


def test_columns_of_no_layout_are_listed_with_what_the_nearest_lacks(tmp_path: Path) -> None:
    row = {name: value for name, value in FIRST["helpsteer3"].items() if name != "response2"}
    with pytest.raises(WrongColumns, match="layout of HelpSteer3 with response2"):
        read(tmp_path, [row])
    with pytest.raises(WrongColumns, match="found: prompt, completion"):
        read(tmp_path, [{"prompt": "Hi?", "completion": "Hello."}])


def test_columns_of_a_layout_that_hold_something_else_are_said_to_be_its_own(
    tmp_path: Path,
) -> None:
    row = {"prompt": "Hi?", "completion": "Hello.", "label": 3}
    with pytest.raises(BadInput, match="columns are those of KTO, but they hold some") as it:
        read(tmp_path, [row])
    assert "layout kto" in it.value.hint and not isinstance(it.value, WrongColumns)
    with pytest.raises(BadInput, match="label is neither true nor false"):
        read(tmp_path, [row], layout="kto")


def test_markers_at_the_beginning_of_one_side_make_no_transcripts(tmp_path: Path) -> None:
    row = {"chosen": f"{ask('Hi?')} Hello.", "rejected": "Go."}
    assert read(tmp_path, [row]).about["layout"] == "trl-implicit-texts"


def test_rows_of_another_layout_are_bad_and_named() -> None:
    reader = PairReader()
    rows = [(1, FIRST["helpsteer3"]), (2, FIRST["shp"]), (3, FIRST["helpsteer3"])]
    assert len(list(reader.read(rows))) == 2
    assert [(line.line, line.reason) for line in reader.bad] == [
        (2, "overall_preference holds no number")
    ]


def test_the_handbook_lists_every_layout() -> None:
    chapter = Path(ivan_core.__file__).with_name("docs") / "importing.md"
    table = [line for line in chapter.read_text("utf-8").splitlines() if line.startswith("| ")]
    listed = [name for line in table for name in re.findall(r"`([\w-]+)`", line.split("|")[1])]
    assert sorted(listed) == sorted([*known.to_choose_from(), "--layout", "red-team-attempts"])
