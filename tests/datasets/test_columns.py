"""Columns of a source: what is taken from them, however many there are and whatever they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ivan_core.datasets.columns import WrongColumns, can_be_asked, check_table
from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.reading import MOST_LABELS, PairReader
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import USUAL, Columns
from ivan_core.domain.specs import NO_COLUMN, DatasetRequest

PAIR = {"chosen": "Yes.", "rejected": "No."}


def saved(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_a_column_without_a_name_is_never_taken() -> None:
    """Tables are often saved with a first column of numbers that has no name."""
    row = {"": "0", "winner": "Yes.", "loser": "No.", "prompt": "Sure?"}
    columns = Columns("winner", "loser", prompt="", subset="")
    assert columns.take(row) == {"chosen": "Yes.", "rejected": "No.", "": "0"}


def test_rows_of_a_table_with_numbered_rows_have_no_prompt_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",chosen,rejected,prompt\n0,Yes a,No a,Sure?\n1,Yes b,No b,Sure?\n")
    request = DatasetRequest(source=str(path), prompt_column=NO_COLUMN, subset_column=NO_COLUMN)
    dataset = prepare(tmp_path / "data", request)
    assert [pair.chosen.text for pair in dataset.pairs([0, 1])] == ["Yes a", "Yes b"]
    assert {pair.subset for pair in dataset.pairs([0, 1])} == {""}


def test_the_columns_that_pairs_are_taken_from_are_offered_wherever_they_stand(
    tmp_path: Path,
) -> None:
    many = {f"c{place}": place for place in range(1_500)}
    dataset = prepare(
        tmp_path / "data", DatasetRequest(source=str(saved(tmp_path / "wide.jsonl", many | PAIR)))
    )
    found = dataset.about["columns_found"]
    assert found[:2] == ["c0", "c1"] and found[-3:] == ["c999", "chosen", "rejected"]


def test_names_that_no_page_can_show_are_not_asked_about() -> None:
    names = ["", "\ud800", "x" * 201, "my\nreply", "winner"]
    assert can_be_asked(names) == ["my\nreply", "winner"]
    error = WrongColumns(names, USUAL)
    assert error.found == ("my\nreply", "winner")
    assert error.message.isprintable() and len(error.message) < 250


@pytest.mark.parametrize("columns", [100_000])
def test_a_table_of_very_many_columns_is_checked_at_once(columns: int) -> None:
    """Each name held against each would be 10,000,000,000 looks."""
    names = [f"c{place}" for place in range(columns)]
    check_table([*names, "chosen", "rejected"], USUAL)
    with pytest.raises(BadInput, match="The column c7 comes twice; found: c0, c1, "):
        check_table([*names, "chosen", "rejected", "c7"], USUAL)


def test_of_own_columns_the_first_thousand_are_kept() -> None:
    """Rows may have keys of their own each: as a table they would be mostly holes."""
    rows = [(place, {**PAIR, f"key {place}": place}) for place in range(MOST_LABELS + 5)]
    reader = PairReader()
    labels = [labels for _, labels in reader.read(rows)]
    assert labels[MOST_LABELS - 1 :] == [{"key 999": 999}, {}, {}, {}, {}, {}]
    assert reader.left_out == {f"key {place}" for place in range(1_000, 1_005)}


@pytest.mark.parametrize("part", ["chosen", "rejected"])
def test_a_prompt_is_taken_from_no_column_of_replies(part: str, tmp_path: Path) -> None:
    request = DatasetRequest(source=str(saved(tmp_path / "a.jsonl", PAIR)), prompt_column=part)
    with pytest.raises(BadInput, match=f"from the column {part}, which holds replies"):
        prepare(tmp_path / "data", request)


def test_a_usual_column_that_is_named_is_the_same_request() -> None:
    said = DatasetRequest(source="a.csv", chosen_column="chosen", prompt_column="prompt")
    assert said.fingerprint == DatasetRequest(source="a.csv").fingerprint
    crossed = DatasetRequest(source="a.csv", chosen_column="rejected", rejected_column="chosen")
    assert crossed.columns.needed == ("rejected", "chosen")
