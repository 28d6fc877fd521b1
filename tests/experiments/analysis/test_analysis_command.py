"""`ivan analyse`: which runs it joins, what it refuses, what it prints."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from given.made_analyses import INSULT, MOVED, OTHER, PLAIN, Analysing
from given.made_runs import write_rows

from ivan_core.cli.main import run as command_line
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.analysis.tables import TABLES
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.runs.registry import Registry
from ivan_core.worker import work


@pytest.fixture(autouse=True)
def work_here(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "spawn", lambda run_id: work(Registry(data_dir), run_id))


def spec() -> AnalysisSpec:
    """What the newest analysis was asked to do."""
    return runs.spec_of(runs.every("analysis")[0], AnalysisSpec)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert command_line(["analyse", *words]) == 1
    return capsys.readouterr().err


def test_runs_are_known_by_their_kind_in_any_order(
    analysing: Analysing, capsys: pytest.CaptureFixture[str]
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    for words in ([compared, labelled], [labelled, compared], [labelled], [compared], []):
        assert command_line(["analyse", *words]) == 0
        assert (spec().comparison, spec().labelers) == (compared, (labelled,))
        assert f"Run {compared} ({PLAIN}, {MOVED}, {OTHER}) with labels of" in (
            capsys.readouterr().out
        )


def test_it_prints_what_is_rewarded_with_rows_and_files(
    analysing: Analysing, capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    assert command_line(["analyse", compared, "--model", PLAIN]) == 0
    told = capsys.readouterr().out
    run_id = runs.every("analysis")[0].id
    assert f"of what {PLAIN} prefers" in told and MOVED not in told.split("\n", 1)[1]
    assert "58 pairs used; out: 1 not rated, 1 not labelled on both sides." in told
    assert str(data_dir / "analysis" / f"{run_id}-imprint.csv") in told
    assert "at least one voice goes against the recorded choice (voices: 1 model)." in told
    assert [one.run_id for one in open_analysis(run_id).labelers] == [labelled]


def test_without_runs_it_is_the_newest_study_that_has_both(
    analysing: Analysing, tmp_path: Path
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    row = {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"}
    analysing.file = write_rows(tmp_path / "newer.jsonl", [row])
    analysing.compared()
    assert command_line(["analyse"]) == 0
    assert (spec().comparison, spec().labelers) == (compared, (labelled,))


def test_the_newest_labels_of_each_labeler_are_taken(analysing: Analysing) -> None:
    compared, older, other = (
        analysing.compared(),
        analysing.labelled(),
        analysing.labelled("other:1b"),
    )
    newer = analysing.labelled()
    assert older != newer and command_line(["analyse", compared]) == 0
    assert set(spec().labelers) == {newer, other}
    assert command_line(["analyse", compared, "--labeler", older]) == 0
    assert spec().labelers == (older,)


def test_what_cannot_be_joined_is_refused_in_a_sentence(
    analysing: Analysing, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "No study has both a comparison and labels" in refused(capsys)
    compared = analysing.compared()
    assert "No labels of the rows of run" in refused(capsys, compared)
    labelled, second = analysing.labelled(), analysing.compared((PLAIN,))
    assert "Two comparisons were named." in refused(capsys, compared, second, labelled)
    assert "did not judge with org/nobody" in refused(capsys, compared, "--model", "org/nobody")
    assert "did not judge with org/nobody" in refused(
        capsys, compared, "--before", "org/nobody", "--after", PLAIN
    )
    assert "There is no run" in refused(capsys, "none")
    analysis = analysing.analysed(compared, labelled)
    assert f"Run {analysis} is no comparison or labelling: it is an analysis." in refused(
        capsys, analysis
    )
    assert len(runs.every("analysis")) == 1, "nothing was started"


def test_labels_that_are_not_finished_are_waited_for(
    analysing: Analysing, capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    Registry(data_dir).finish(labelled, RunState.CANCELLED)
    assert f"Run {labelled} is not finished." in refused(capsys, compared, labelled)


def test_a_plan_says_what_would_be_joined_and_does_nothing(
    analysing: Analysing, capsys: pytest.CaptureFixture[str]
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    assert command_line(["analyse", "--plan"]) == 0
    assert compared in capsys.readouterr().out and not runs.every("analysis")
    assert "Two comparisons" in refused(capsys, compared, analysing.compared((PLAIN,)), "--plan")
    assert labelled in [run.id for run in runs.every("labels")]


def test_the_command_under_an_analysis_makes_the_same(analysing: Analysing) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    asked = ["--before", PLAIN, "--after", OTHER, "--control", "chosen", "--model", PLAIN]
    asked.append("--first-try")
    assert command_line(["analyse", labelled, compared, *asked, "--model", OTHER]) == 0
    first = spec()
    words = shlex.split(runs.command(runs.every("analysis")[0]))
    assert words[:3] == ["ivan", "analyse", compared]
    assert command_line(words[1:]) == 0
    assert spec() == first and len(runs.every("analysis")) == 2


def test_its_figure_and_sentences_are_those_of_its_tables(
    analysing: Analysing, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run_id = analysing.analysed(analysing.compared(), analysing.labelled())
    path = tmp_path / "imprint.csv"
    assert command_line(["figure", run_id, "imprint", "--format", "csv", "--out", str(path)]) == 0
    assert INSULT in path.read_text()
    capsys.readouterr()
    assert command_line(["runs", "sentences", run_id]) == 0
    told = capsys.readouterr().out
    assert f"Alike in all else in this table, {PLAIN} gives a refusing reply" in told
    assert "labels: reader:1b" in told
    assert "Worth a second look" in told and "at least one voice goes against" in told


def test_a_new_analysis_and_a_finished_one_are_handed_over_as_files(
    analysing: Analysing, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    analysing.compared(), analysing.labelled()
    folder = tmp_path / "out"
    folder.mkdir()
    asked = ["--export", "dpo", "--export", "llm-comparator", "--out", str(folder)]
    assert command_line(["analyse", *asked]) == 0
    (run,) = runs.every("analysis")
    ends = ("dpo.jsonl", "dpo-manifest.json", "llm-comparator.json", "sentences.txt", "report.html")
    assert {path.name for path in folder.iterdir()} == {f"{run.id}-{end}" for end in ends}
    capsys.readouterr()
    assert command_line(["analyse", run.id, "--export", "annotated-pairs", *asked]) == 0
    told = capsys.readouterr().out
    assert f"{folder}/{run.id}-annotated-pairs.json\n  60 pairs of 60, with their texts." in told
    assert runs.every("analysis") == [run], "nothing was analysed anew"
    assert "There is no folder" in refused(capsys, run.id, "--export", "dpo", "--out", "/none/here")
    before = sorted(folder.iterdir())
    more = ["--export", "annotated-pairs", "--texts", "--out", str(tmp_path), "--plan"]
    capsys.readouterr()
    assert command_line(["analyse", run.id, *more]) == 0
    assert "its files would be written, nothing computed" in capsys.readouterr().out
    assert sorted(folder.iterdir()) == before and not list(tmp_path.glob(f"{run.id}*"))


def test_tables_that_are_not_there_are_named_with_what_they_need(
    analysing: Analysing, capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    """Of each table there is a file, or a line that says why not."""
    analysing.compared(), analysing.labelled()
    assert command_line(["analyse"]) == 0
    (run,), told = runs.every("analysis"), capsys.readouterr().out
    written = {path.stem.removeprefix(f"{run.id}-") for path in data_dir.glob("analysis/*.csv")}
    named = {line.split()[2].rstrip(".") for line in told.splitlines() if "No table " in line}
    assert not written & named and written | named == set(TABLES)
    assert "No table shift. It takes a model before training and another one after it" in told
    assert "No table corrected. It takes 300 pairs on whose two replies people" in told
