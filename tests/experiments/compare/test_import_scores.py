"""Scores as CSVs, of the original or our own, become runs, or a sentence names the line."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from fakes.reward_models import Fakes, float32
from given.made_runs import TWO_MODELS, finished, spec_of_file

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets, handling as runs
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.imports import read_dataset
from ivan_core.experiments.compare.results import files, open_results
from ivan_core.metrics.trust import TrustStrip

HEADER = "row_id,chosen_score,rejected_score,agreement\n"


@pytest.fixture
def request_of(data_dir: Path, pairs_file: Path) -> DatasetRequest:
    return read_dataset(DatasetRequest(source=str(pairs_file)))


def test_scores_of_the_original_become_a_finished_run(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    one = tmp_path / "2024-08-19-10-30-reward-model-deberta-v3-large-v2.csv"
    # 0 agrees; 1 ties, which the original calls False; 2 disagrees but says True; 7 is identical.
    one.write_text(
        HEADER + "0,1.5,0.5,True\n1,0.5,0.5,False\n2,0.1,0.2,True\n7,1.0,1.0,False\n"
        "8,,0.5,False\n9,nan,1,False\n"
    )
    other = tmp_path / "2024-08-19-10-30-mine.csv"
    other.write_text(HEADER + "0,0.0,1.0,False\n")
    stats = tmp_path / "2024-08-19-10-30-stats.csv"
    stats.write_text("model_name,model_trained_on_dataset\nme/mine,True\n")
    (found,) = import_csvs([one, other, stats], request_of)
    assert found.run_id == "2024-08-19-10-30"
    assert found.models == ("OpenAssistant/reward-model-deberta-v3-large-v2", "me/mine")
    assert "gives 1 of 6 verdicts otherwise" in found.sentence
    assert "1 row with identical sides is left out" in found.sentence
    assert "6 of 40 pairs" in found.sentence
    results = open_results(found.run_id)
    first, second = results.summaries
    assert (first.counts.agree, first.counts.tie, first.counts.disagree) == (1, 1, 1)
    assert (first.counts.identical, first.counts.failed) == (1, 2)
    assert (second.counts.disagree, second.counts.rated) == (1, 1)
    assert results.cards["me/mine"].trained_on_hh is True
    assert results.run.state is RunState.DONE and results.run.notes == found.notes
    assert results.dataset.fingerprint == datasets.find(request_of).fingerprint  # type: ignore[union-attr]
    # Nobody measured the models here: what is not known is said, and never green.
    (strip, _) = [TrustStrip.from_dict(plain) for plain in results.manifest["trust"]]
    levels = {check.name: check.level for check in strip.checks}
    assert levels["input format"] == levels["same score in any batch"] == "unknown"
    assert levels["version of the weights"] == "amber"
    assert levels["usable scores"] == "red"  # one of ten is not a number
    names = [path.name for path in files(results)]
    assert "2024-08-19-10-30-stats.csv" in names and "table.parquet" in names
    assert not list((tmp_path / "data" / "runs").glob(".*"))


def test_cells_of_any_form_give_the_scores_that_their_lines_say(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    """Most cells are read many at once, others with their lines; quoted, all are."""
    rows = [
        ["0", "1.5", "0.1", "True"],
        ["1.0", " 1 ", "-0.0", "TRUE"],
        ["2", "1e39", "1", "True"],  # too large for a float32
        ["3", "1_0", "2", "1.0"],
        ["4", "nan", "1", "?"],
        ["5", "", "", ""],
        ["6", "1e-05", "2.5E1", " false "],
    ]
    tables = []
    for name, mark in (("plain", ""), ("quoted", '"')):
        lines = (",".join(f"{mark}{cell}{mark}" for cell in row) for row in rows)
        path = tmp_path / f"{name}.csv"
        path.write_bytes((HEADER + "\r\n".join(lines) + "\r\n\r\n").encode())
        (found,) = import_csvs([path], request_of, ["m"])
        tables.append(open_results(found.run_id).table)
    pd.testing.assert_frame_equal(*tables)
    table = tables[0].set_index("row_id")
    assert table["chosen_reward"].dropna().to_dict() == {0: 1.5, 1: 1.0, 3: 10.0, 6: float32(1e-05)}
    assert table.loc[0, "rejected_reward"] == float32(0.1)
    assert table["verdict"].dropna().tolist() == ["agree", "agree", "agree", "disagree"]
    assert table["failure"].dropna().to_dict() == {
        2: "the model gave 1e+39, which is not a finite number",
        4: "the model gave nan, which is not a finite number",
        5: "no score in the imported file; no score in the imported file",
    }


def test_our_own_csvs_come_back_with_equal_numbers(
    data_dir: Path, pairs_file: Path, tmp_path: Path
) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file), Fakes(failing="0"))
    before = open_results(run_id)
    written = [path for path in files(before) if path.suffix == ".csv"]
    (found,) = import_csvs(written, before.spec.dataset)
    assert found.run_id != run_id, "its id is taken"
    assert found.models == TWO_MODELS
    after = open_results(found.run_id).table
    same = ["row_id", "model", "margin", "verdict", "identical", "subset"]
    pd.testing.assert_frame_equal(after[same], before.table[same])
    assert (after["failure"].isna() == before.table["failure"].isna()).all()
    again = tmp_path / "again.csv"
    again.write_bytes(written[0].read_bytes())
    (named,) = import_csvs([again], before.spec.dataset, ["org/model"])
    assert named.models == ("org/model",)
    with again.open() as file:
        assert next(csv.reader(file)) == HEADER.strip().split(",")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "no scores of a comparison"),
        (HEADER + "40,1,2,False\n", "No such pair in this dataset: 40"),
        (HEADER + "-1,1,2,False\n", "line 2: no row id"),
        (HEADER + "0,1,2,False\n0,1,2,False\n", "line 3: row 0 comes twice"),
        (HEADER + "0,one,2,False\n", "'one' is no score"),
        (HEADER + "0,1,2,maybe\n", "agreement is True or False"),
        (HEADER + "0,1\n", "line 2: 2 fields where the header has 4"),
        ("\udcff", "no CSV file in UTF-8"),
        ("", "no scores of a comparison"),
    ],
)
def test_files_that_are_not_scores_are_named_by_line(
    tmp_path: Path, request_of: DatasetRequest, content: str, words: str
) -> None:
    path = tmp_path / "2024-08-19-10-30-m.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadInput, match=words):
        import_csvs([path], request_of)
    assert not runs.every()


def test_pairs_are_no_results_and_are_led_to_where_they_are_judged(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("prompt,chosen,rejected\nWhy?,So.,No.\n")
    with pytest.raises(BadInput) as refused:
        import_csvs([path], request_of)
    assert refused.value.hint == "It holds pairs: give it as the dataset of a comparison."


def test_names_and_files_go_together(tmp_path: Path, request_of: DatasetRequest) -> None:
    paths = [tmp_path / f"{name}.csv" for name in ("a", "b")]
    for path in paths:
        path.write_text(HEADER + "0,1,2,False\n")
    with pytest.raises(BadInput, match="2 files with results and 1 names"):
        import_csvs(paths, request_of, ["m"])
    with pytest.raises(BadInput, match="the same model"):
        import_csvs(paths, request_of, ["m", "m"])
    assert import_csvs(paths, request_of)[0].models == ("a", "b")


@pytest.mark.parametrize("name", ["x" * 151, "😀" * 38, "a\nb", "\ud800", " ", "\u202e"])
def test_a_name_by_which_no_file_can_be_called_is_refused(
    tmp_path: Path, request_of: DatasetRequest, name: str
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(HEADER + "0,1.5,0.5,True\n")
    with pytest.raises(BadInput, match="can name nobody"):
        import_csvs([path], request_of, [name])
    assert runs.every() == []


def test_a_long_name_of_a_file_is_cut_and_one_that_cannot_be_read_is_refused(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    long = tmp_path / f"{'😀' * 60}.csv"
    long.write_text(HEADER + "0,1.5,0.5,True\n")
    (found,) = import_csvs([long], request_of)
    assert found.models == ("😀" * 37,)
    odd = tmp_path / "a\x1b[31m.csv"
    odd.write_text(HEADER + "0,1.5,0.5,True\n")
    with pytest.raises(BadInput, match="cannot be read"):
        import_csvs([odd], request_of)


@pytest.mark.parametrize("time", ["0001-01-01-00-00", "9999-12-31-23-59-59", "2026-13-01-00-00"])
def test_a_time_in_a_name_that_no_run_can_have_is_no_time(
    tmp_path: Path, request_of: DatasetRequest, time: str
) -> None:
    path = tmp_path / f"{time}-mine.csv"
    path.write_text(HEADER + "0,1.5,0.5,True\n")
    (found,) = import_csvs([path], request_of)
    assert found.run_id != time and runs.get(found.run_id).state is RunState.DONE


def test_scores_without_a_row_are_refused(tmp_path: Path, request_of: DatasetRequest) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(HEADER)
    with pytest.raises(BadInput, match="hold no row"):
        import_csvs([path], request_of)
