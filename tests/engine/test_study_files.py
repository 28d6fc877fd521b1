"""The CSV files of one study in one command: each its run, all one study; or none, and why."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from given.made_runs import write_rows
from given.original_rewordings import rewrite_csv, row_of
from given.support import data_files

from ivan_core.cli.main import run as command
from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import handling as runs, studies, zips
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.import_files import import_files
from ivan_core.engine.imports import read_dataset
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels.results import open_labels
from ivan_core.experiments.rewrite.results import open_rewrite
from ivan_core.labels.table import CSV_COLUMNS

SLUG = "2024-08-19-10-30"
SCORES = "row_id,chosen_score,rejected_score,agreement\n"
REFUSAL = "last_response_is_refusal"
ROWS = 10


@pytest.fixture
def request_of(data_dir: Path, tmp_path: Path) -> DatasetRequest:
    pairs = [
        {side: str(row_of(row)[f"original_{side}_text"]) for side in ("chosen", "rejected")}
        for row in range(ROWS)
    ]
    return read_dataset(DatasetRequest(source=str(write_rows(tmp_path / "p.jsonl", pairs))))


def scores(path: Path, rows: range) -> Path:
    """The chosen reply of row n is worth n, the rejected one 0; written in any order."""
    order = random.Random(path.name).sample(rows, len(rows))
    path.write_text(SCORES + "".join(f"{row},{row},0,{row > 0}\n" for row in order))
    return path


def labels(path: Path, rows: range) -> Path:
    """Chosen replies of odd rows are refusals, and no others; the sides in any order."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        for row in reversed(rows):
            for side in ("rejected", "chosen"):
                given = {key: key == REFUSAL and side == "chosen" and row % 2 for key in FEATURES}
                given |= dict.fromkeys((FEATURES[14], FEATURES[18]), "[]")
                given |= {"last_response_sentiment": "neutral"}
                text = str(row_of(row)[f"original_{side}_text"])
                writer.writerow([row, side, text, *(_cell(given[key]) for key in FEATURES)])
    return path


def _cell(value: object) -> str:
    return value if isinstance(value, str) else str(bool(value))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two models and their stats, labels of all rows, of a second labeler six, four reworded."""
    folder = tmp_path / "given"
    folder.mkdir()
    stats = folder / f"{SLUG}-stats.csv"
    stats.write_text("model_name,model_trained_on_dataset\none,True\n")
    return [
        rewrite_csv(folder / f"{SLUG}-rewrite.csv", *(row_of(row) for row in range(4))),
        scores(folder / f"{SLUG}-one.csv", range(ROWS)),
        labels(folder / f"{SLUG}.csv", range(ROWS)),
        stats,
        scores(folder / f"{SLUG}-two.csv", range(2, ROWS)),
        labels(folder / f"{SLUG}-gemma-control.csv", range(6)),
    ]


def test_all_files_of_a_study_enter_at_once_and_each_is_its_run(
    request_of: DatasetRequest, files: list[Path]
) -> None:
    found = import_csvs(files, request_of)
    kinds = {runs.get(one.run_id).kind: one for one in found}
    assert [runs.get(one.run_id).kind for one in found].count("labels") == 2
    assert set(kinds) == {"compare", "labels", "rewrite"} and len(found) == 4
    compared = open_results(kinds["compare"].run_id)
    assert compared.spec.models == ("one", "two")
    margins = compared.table.set_index(["row_id", "model"])["margin"]
    assert [margins[row, "one"] for row in range(ROWS)] == list(range(ROWS))
    assert open_rewrite(kinds["rewrite"].run_id).row_ids == [0, 1, 2, 3]
    labellings = [one.run_id for one in found if runs.get(one.run_id).kind == "labels"]
    first, second = map(open_labels, labellings)
    assert (first.labeler, second.labeler) == (SLUG, "gemma")
    for results in (first, second):
        table = results.table.set_index(["row_id", "preference"])[REFUSAL]
        assert all(table[row, "chosen"] == (row % 2 == 1) for row in results.row_ids)
        assert not any(table[row, "rejected"] for row in results.row_ids)


def test_models_of_a_rewording_are_called_as_the_comparison_with_their_rewards_calls_them(
    request_of: DatasetRequest, files: list[Path], tmp_path: Path
) -> None:
    """The file calls them aligned and control; in whatever order files are given, or later."""
    control = {"original_chosen_score_rm_control": 7.25, "original_rejected_score_rm_control": -1}
    aligned = [{"original_chosen_score_rm_aligned": row} for row in range(4)]
    rows = [row_of(row, original_rejected_score_rm_aligned=0, **aligned[row]) for row in range(4)]
    one = rewrite_csv(files[0], *rows)
    found = import_csvs([one, *files[1:4]], request_of)
    reworded = next(one.run_id for one in found if runs.get(one.run_id).kind == "rewrite")
    assert list(open_rewrite(reworded).models) == ["one", "rm_control"]
    compared = next(one.run_id for one in found if runs.get(one.run_id).kind == "compare")
    labelled = next(one.run_id for one in found if runs.get(one.run_id).kind == "labels")
    joined = spec_of_runs([compared, labelled])
    assert joined.rewording == reworded, "a study that came whole is analysed with its rewording"
    (later,) = import_csvs([rewrite_csv(tmp_path / "later.csv", *rows)], request_of)
    assert list(open_rewrite(later.run_id).models) == ["one", "rm_control"]
    other = [{**row, **control, "original_chosen_score_rm_aligned": 9} for row in rows]
    (unlike,) = import_csvs([rewrite_csv(tmp_path / "unlike.csv", *other)], request_of)
    assert list(open_rewrite(unlike.run_id).models) == ["rm_aligned", "rm_control"]
    (runs.registry().folder(compared) / "manifest.json").write_text("{")
    (after,) = import_csvs([rewrite_csv(tmp_path / "after.csv", *rows)], request_of)
    assert list(open_rewrite(after.run_id).models) == ["rm_aligned", "rm_control"], "damaged"


def test_they_are_one_study_and_each_stage_counts_its_own_rows(
    request_of: DatasetRequest, files: list[Path]
) -> None:
    found = import_csvs(files, request_of)
    (study,) = studies.studies()
    assert set(study.runs) == {one.run_id for one in found} and study.rows == ROWS
    done = {stage.name: (stage.done, stage.total) for stage in study.stages}
    assert done["Compare"] == done["Labels"] == (10, 10)
    reworded = next(stage for stage in study.stages if stage.name == "Rewording")
    assert (reworded.done, reworded.total) == (4, 10) and not reworded.finished
    for one in found:
        about = studies.about_run(one.run_id)
        assert about is not None and about.id == study.id
    # Labels of some rows alone are a study of their own, as everywhere.
    (alone,) = import_csvs(files[-1:], request_of)
    about = studies.about_run(alone.run_id)
    assert about is not None and (about.rows, about.id == study.id) == (6, False)


def test_files_that_overlap_are_one_study_of_all_their_rows(
    request_of: DatasetRequest, tmp_path: Path
) -> None:
    found = import_csvs(
        [scores(tmp_path / "m.csv", range(5)), labels(tmp_path / "l.csv", range(3, 8))], request_of
    )
    (study,) = studies.studies()
    assert study.rows == 8 and study.spec.row_ids == tuple(range(8))
    done = {stage.name: stage.done for stage in study.stages}
    assert (done["Compare"], done["Labels"]) == (5, 5)
    assert [one.rows for one in found] == [5, 5]


def test_a_study_that_a_manifest_only_claims_is_not_believed(
    request_of: DatasetRequest, tmp_path: Path, data_dir: Path
) -> None:
    (found,) = import_csvs([scores(tmp_path / "m.csv", range(5))], request_of)
    path = data_dir / "runs" / found.run_id / "manifest.json"
    manifest = json.loads(path.read_text())
    for claimed in ({"row_ids": [0, 1]}, {"row_ids": "all"}, {"rows": 3}, [1], {"row_ids": [99]}):
        path.write_text(json.dumps({**manifest, "study": claimed}))
        folder = path.parent
        folder.rename(folder.with_name("aside"))
        folder.with_name("aside").rename(folder)
        studies._about_on.cache_clear()
        studies._joined_done.cache_clear()
        about = studies.about_run(found.run_id)
        assert about is not None and about.rows == 5


def test_a_zip_of_one_of_them_stays_in_the_study(
    request_of: DatasetRequest, files: list[Path], tmp_path: Path
) -> None:
    found = import_csvs(files, request_of)
    (study,) = studies.studies()
    path = tmp_path / "run.zip"
    zips.export(next(one.run_id for one in found if one.rows == 6), path)
    again = zips.import_zip(path)
    about = studies.about_run(again.run_id)
    assert about is not None and about.id == study.id


def test_one_file_that_does_not_fit_stops_all_and_each_such_file_is_named(
    request_of: DatasetRequest, files: list[Path], tmp_path: Path, data_dir: Path
) -> None:
    before = data_files(data_dir)
    odd = tmp_path / "notes.csv"
    odd.write_text("a,b\n1,2\n")
    torn = tmp_path / "torn.csv"
    torn.write_text(SCORES + "0,1\n")
    wrong = labels(tmp_path / "other.csv", range(2))
    wrong.write_text(wrong.read_text().replace("Answer 1", "Answer 9"))
    with pytest.raises(BadInput) as refused:
        import_csvs([*files, odd, torn, wrong], request_of)
    for part in (
        "notes.csv is no scores of a comparison, no labels and no rewordings.",
        "torn.csv, line 2: 2 fields where the header has 4.",
        "other.csv: 2 lines (line",
    ):
        assert part in refused.value.message
    assert refused.value.hint.endswith(
        "Nothing was imported: files of one study enter together or not at all."
    )
    assert not runs.every() and data_files(data_dir) == before
    with pytest.raises(BadInput) as alone:
        import_csvs([torn], request_of)
    assert "Nothing was imported" not in alone.value.hint


def test_where_the_disk_fills_up_those_before_go_again(
    request_of: DatasetRequest, files: list[Path], data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ivan_core.engine.csvs import files as csv_files

    before, enter, count = data_files(data_dir), csv_files.enter, iter(range(9))

    def full(run: object) -> object:
        if next(count) == 2:
            raise StorageProblem("No space is left.", "Make room.")
        return enter(run)  # type: ignore[arg-type]

    monkeypatch.setattr(csv_files, "enter", full)
    with pytest.raises(StorageProblem, match="No space is left"):
        import_csvs(files, request_of)
    assert not runs.every() and data_files(data_dir) == before


def test_the_command_says_what_became_of_each_and_of_which_study_they_are(
    request_of: DatasetRequest, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["runs", "import", *map(str, files), "--dataset", request_of.source]
    assert command(words) == 0
    told = capsys.readouterr().out.strip().splitlines()
    assert sum(line.startswith("Imported run ") for line in told) == 4
    assert told[-1] == "4 runs of one study: p.jsonl · 10 pairs."
    names = ["--model", "mistral", "--model", "a", "--model", "gpt", "--model", "b", "--model", "c"]
    assert command([*words, *names]) == 0
    told_named = capsys.readouterr().out
    for who in ("mistral", "a, b", "gpt", "c"):
        assert f", {who}" in told_named or f" {who}." in told_named


def test_a_zip_is_never_taken_among_other_files(
    request_of: DatasetRequest, files: list[Path], tmp_path: Path
) -> None:
    (one, *_) = import_csvs(files[-1:], request_of)
    path = tmp_path / "run.ZIP"
    zips.export(one.run_id, path)
    with pytest.raises(BadInput, match="A zip is imported alone"):
        import_files([*files, path], request_of)
    assert len(runs.every()) == 1
    (sentence,) = import_files([path], None)
    assert sentence.startswith("Imported run ")
