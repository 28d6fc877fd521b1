"""The labels table and the cells of the original's CSV: what is written is read back."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.labels import FEATURES, Label, Labels, TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.engine.csvs.files import lines_of
from ivan_core.labels.repair import Fix, Problem
from ivan_core.labels.schema import DISCRIMINATIONS, SENTIMENTS, TOPICS
from ivan_core.labels.table import (
    COLUMNS,
    labels_table,
    read_cell,
    read_labels,
    write_labels,
    write_labels_csv,
)
from ivan_core.labels.validate import Outcome, read_reply

CHOSEN, REJECTED = TextKey(0, "chosen"), TextKey(0, "rejected")
HELPFUL, SENTIMENT = "last_response_is_helpful", "last_response_sentiment"
AGAINST = "last_response_is_discriminating_against"
GIVEN: Labels = {HELPFUL: True, SENTIMENT: "positive", "topics": (TOPICS[0], TOPICS[2])}
TEXT = '\n\nHuman: "Hi", he said\r\n\n\nAssistant: =1+1, é 語 😀\n'


def written(path: Path, *rows: tuple[TextKey, Labels, str]) -> Path:
    texts = {key: text for key, _, text in rows}
    write_labels_csv(path, [row[:2] for row in rows], texts.__getitem__)
    return path


def only(path: Path) -> dict[str, tuple[Label, Problem | None]]:
    """The cells of labels of the only line of a file, as they are read."""
    (line,) = lines_of(path)
    return {name: read_cell(name, line.cells[name]) for name in FEATURES}


def test_the_csv_is_the_original_s(tmp_path: Path) -> None:
    path = written(tmp_path / "run" / "labels.csv", (CHOSEN, GIVEN, TEXT), (REJECTED, {}, ""))
    with path.open(encoding="utf-8", newline="") as file:
        header, first, second = csv.reader(file)
    assert header == ["row_id", "preference", "text", *FEATURES]
    assert len(header) == 22
    cells = dict(zip(header, first, strict=True))
    assert (cells["row_id"], cells["preference"], cells["text"]) == ("0", "chosen", TEXT)
    assert (cells[HELPFUL], cells[SENTIMENT]) == ("True", "positive")
    assert cells["topics"] == "['Culture and the arts', 'Health and fitness']"
    assert second == ["0", "rejected", *[""] * 20]


def test_no_and_an_empty_list_are_not_the_same_as_no_answer(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", (CHOSEN, {HELPFUL: False, AGAINST: (), "topics": None}, "t"))
    row = only(path)
    assert row[HELPFUL] == (False, None)
    assert row[AGAINST] == ((), None)
    assert row["topics"] == row["last_response_is_honest"] == (None, None)


def test_a_huge_text_and_half_a_character_do_not_stop_the_file(tmp_path: Path) -> None:
    huge = "x\n" * 300_000
    path = written(tmp_path / "a.csv", (CHOSEN, GIVEN, huge), (REJECTED, GIVEN, "half \ud800"))
    assert [line.cells["text"] for line in lines_of(path)] == [huge, "half ?"]


@pytest.mark.parametrize("cell", ["True", "true", " TRUE ", "1", "1.0"])
def test_a_yes_is_read_however_it_is_written(cell: str) -> None:
    assert read_cell(HELPFUL, cell) == (True, None)


@pytest.mark.parametrize("cell", ["", " ", "None", "nan", "NaN"])
def test_nothing_is_read_however_it_is_written(cell: str) -> None:
    for name in (HELPFUL, "topics", SENTIMENT):
        assert read_cell(name, cell) == (None, None)


def test_invented_values_are_kept_and_named() -> None:
    words = "Not among the allowed values."
    assert read_cell("topics", f"['Cooking', '{TOPICS[0]}', \"Men's\"]") == (
        ("Cooking", TOPICS[0], "Men's"),
        Problem("topics", words, "Cooking, Men's"),
    )
    assert read_cell(SENTIMENT, "mixed") == ("mixed", Problem(SENTIMENT, words, "mixed"))


def test_a_bare_word_with_commas_is_a_list_of_one() -> None:
    assert read_cell(AGAINST, "Race, Color, and Sex") == (("Race, Color, and Sex",), None)


@pytest.mark.parametrize(
    "cell",
    [
        "[__import__('os').system('true')]",
        "['a' for _ in range(9)]",
        "['a'",
        "[[['a']]]",
        "[1, 2]",
        "{'a': 'b'}",
        "('a',)",
        "[" * 9_000 + "]" * 9_000,
        "['a'" + " " * 19_000 + "!",
        "['" + "x" * 30_000 + "']",
        "['\\x']",
        "['a' 'b']",
        "['" + "\\" * 9_001 + "']",
    ],
)
def test_what_is_no_list_of_words_is_named_and_never_run(cell: str) -> None:
    label, problem = read_cell("topics", cell)
    assert label is None and problem is not None
    assert (problem.key, problem.message) == ("topics", "Not a list.")


def test_a_yes_or_no_that_is_neither_is_named() -> None:
    problem = Problem(HELPFUL, "Neither True nor False.", "maybe")
    assert read_cell(HELPFUL, "maybe") == (None, problem)


def test_a_csv_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = written(tmp_path / "labels.csv", (CHOSEN, GIVEN, TEXT))
    before = path.read_bytes()
    with pytest.raises(KeyError):
        write_labels_csv(path, [(CHOSEN, {})], {}.__getitem__)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["labels.csv"]
    with pytest.raises(StorageProblem, match="cannot be written"):
        write_labels_csv(path / "under" / "a.csv", [], str)


def _label(key: str) -> st.SearchStrategy[Label]:
    if key == SENTIMENT:
        return st.none() | st.sampled_from(SENTIMENTS)
    if key in (AGAINST, "topics"):
        words = st.sampled_from(DISCRIMINATIONS if key == AGAINST else TOPICS)
        return st.none() | st.lists(words, unique=True, max_size=4).map(tuple)
    return st.none() | st.booleans()


_labels = st.fixed_dictionaries({key: _label(key) for key in FEATURES})
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
_more = st.sampled_from(["", "\r", "\n", "\r\n", '"', '""', "\0", "\ufeff", ",", "\x1a", "\u2028"])


@settings(max_examples=60)
@given(st.lists(st.tuples(_labels, _texts, _more), max_size=5))
def test_labels_and_texts_come_back_as_they_were_byte_for_byte(
    rows: list[tuple[dict[str, Label], str, str]],
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        given_rows = [
            (TextKey(row_id, "rejected"), labels, odd + text + odd)
            for row_id, (labels, text, odd) in enumerate(rows)
        ]
        lines = list(lines_of(written(path, *given_rows)))
    assert [line.cells["text"] for line in lines] == [text for *_, text in given_rows]
    assert [line.row_id for line in lines] == list(range(len(rows)))
    for line, (_, labels, _) in zip(lines, given_rows, strict=True):
        read = {name: read_cell(name, line.cells[name]) for name in FEATURES}
        assert read == {name: (labels[name], None) for name in FEATURES}


OUTCOMES = {
    REJECTED: Outcome(
        "repaired", dict(GIVEN), (Fix("topics", "spelling", '"a\ud800"', "[]"),), (), "r"
    ),
    CHOSEN: Outcome("valid", {HELPFUL: False, AGAINST: ()}, raw="{}"),
    TextKey(10, "chosen"): read_reply(ModelReply(problem="gone")),
    TextKey(9, "chosen"): Outcome("invalid", {}, (), (Problem("topics", "Wrong", "x"),), "raw\0"),
}


def test_the_table_has_one_row_a_text_in_row_order_with_the_missing_ones() -> None:
    table = labels_table(OUTCOMES, {REJECTED: 2}, [TextKey(2, "rejected")])
    assert list(table.columns) == list(COLUMNS)
    assert list(table["row_id"]) == [0, 0, 2, 9, 10]
    assert list(table["status"]) == ["valid", "repaired", "missing", "invalid", "failed"]
    assert table["attempt"].tolist() == [1, 2, pd.NA, 1, 1]
    assert table[HELPFUL].tolist() == [False, True, pd.NA, pd.NA, pd.NA]
    assert table["topics"].tolist() == [None, GIVEN["topics"], None, None, None]
    assert table["raw"].tolist() == ["", "r", "", "raw\0", ""]
    assert table["problems"][4] == (Problem("", "The labeler gave no answer.", "gone"),)


def test_the_table_survives_its_file(tmp_path: Path) -> None:
    table = labels_table(OUTCOMES, {REJECTED: 2}, [TextKey(2, "rejected")])
    path = tmp_path / "run" / "labels.parquet"
    write_labels(path, table)
    table.at[1, "fixes"] = (Fix("topics", "spelling", '"a?"', "[]"),)  # no file takes a surrogate
    assert_frame_equal(read_labels(path), table)
    write_labels(path, labels_table({}))
    assert_frame_equal(read_labels(path), labels_table({}))


def test_texts_that_share_an_answer_have_each_their_own_row(tmp_path: Path) -> None:
    same = Outcome("valid", {"topics": ("Other",), "last_response_is_refusal": False})
    bad = Outcome("invalid", {}, problems=(Problem("topics", "Not a list.", "x"),), raw="{")
    keys = [TextKey(row, side) for row in range(3) for side in ("chosen", "rejected")]
    outcomes = dict(zip(keys, (same, bad, same, same, bad, same), strict=True))
    table = labels_table(outcomes)
    assert table["status"].tolist() == ["valid", "invalid", *["valid"] * 2, "invalid", "valid"]
    assert table["topics"].tolist() == [("Other",), None, *[("Other",)] * 2, None, ("Other",)]
    assert table["raw"].tolist() == ["", "{", "", "", "{", ""]
    path = tmp_path / "labels.parquet"
    write_labels(path, table)
    assert_frame_equal(read_labels(path), table)


def test_what_is_no_labels_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    with pytest.raises(BadInput, match="There is no file"):
        read_labels(path)
    path.write_bytes(b"PAR1 cut")
    with pytest.raises(BadInput, match="is no labels table"):
        read_labels(path)
    pd.DataFrame({"row_id": ["x"]}).to_parquet(path)
    with pytest.raises(BadInput, match="is no labels table"):
        read_labels(path)


def test_an_old_table_without_the_mark_is_read(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / "labels.parquet"
    write_labels(path, labels_table({}, missing=[TextKey(1, "chosen")]))
    pq.write_table(pq.read_table(path).drop_columns(["reused_from"]), path)
    assert read_labels(path)["reused_from"].tolist() == [None]
