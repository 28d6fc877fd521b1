"""`ivan runs rename|delete|export|import|compare` and `ivan cache` on the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from given.made_labellings import Labellings, four_pairs
from given.made_runs import at_work, finished, spec_of_file

from ivan_core.cli.main import run
from ivan_core.domain.specs import RewriteSpec, TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels.results import open_labels
from ivan_core.runs.registry import Registry


@pytest.fixture
def run_id(data_dir: Path, pairs_file: Path) -> str:
    return finished(data_dir, spec_of_file(pairs_file))


Told = pytest.CaptureFixture[str]


def test_a_name_is_given_shown_and_taken_away(run_id: str, capsys: Told) -> None:
    assert run(["runs", "rename", run_id, "first try"]) == 0
    assert run(["runs", "list"]) == 0
    assert run(["runs", "show", run_id]) == 0
    told = capsys.readouterr().out
    assert f"Run {run_id} is called 'first try'." in told
    assert told.count("| first try") == 1 and '"name": "first try"' in told
    assert run(["runs", "rename", run_id, ""]) == 0
    assert "has no name" in capsys.readouterr().out


def test_a_star_is_given_shown_and_taken_away(run_id: str, capsys: Told) -> None:
    assert run(["runs", "star", run_id]) == 0 == run(["runs", "list"])
    told = capsys.readouterr().out
    assert f"Run {run_id} has a star." in told and told.rstrip().endswith("| ★")
    assert run(["runs", "star", run_id, "--off"]) == 0 == run(["runs", "list"])
    told = capsys.readouterr().out
    assert f"Run {run_id} has no star." in told and "★" not in told


def test_deleting_asks_or_is_told_yes(
    run_id: str, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["runs", "delete", run_id]) == 1
    assert "Add --yes" in capsys.readouterr().err
    terminal = io.StringIO("n\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert run(["runs", "delete", run_id]) == 1
    assert "Nothing was deleted." in capsys.readouterr().out and runs.get(run_id)
    assert run(["runs", "delete", run_id, "--yes"]) == 0
    assert f"Deleted run {run_id}: " in capsys.readouterr().out
    assert not runs.every()
    assert run(["runs", "delete", run_id, "--yes"]) == 1
    assert "There is no run" in capsys.readouterr().err


def test_a_run_at_work_is_not_deleted(data_dir: Path, pairs_file: Path, capsys: Told) -> None:
    with at_work(data_dir, spec_of_file(pairs_file)) as busy:
        assert run(["runs", "delete", busy, "--yes"]) == 1
    told = capsys.readouterr().err
    assert f"Run {busy} is running." in told and "Cancel it" in told


def test_out_as_a_zip_and_in_again(
    run_id: str, tmp_path: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["runs", "export", run_id]) == 0
    assert f"{run_id}.zip" in capsys.readouterr().out
    assert run(["runs", "export", run_id, "--out", "other.zip", "--texts"]) == 0
    assert run(["runs", "delete", run_id, "--yes"]) == 0
    assert run(["runs", "import", "other.zip"]) == 0
    assert f"Imported run {run_id}: 40 pairs" in capsys.readouterr().out
    assert len(open_results(run_id).row_ids) == 40
    assert run(["runs", "import", "other.zip", "--model", "m"]) == 1
    assert "names its models itself" in capsys.readouterr().err
    assert run(["runs", "compare", run_id, run_id]) == 1
    assert "named twice" in capsys.readouterr().err


def test_scores_of_the_original_are_imported_against_a_dataset_read_now(
    data_dir: Path, tmp_path: Path, pairs_file: Path, capsys: Told
) -> None:
    scores = tmp_path / "2024-08-19-10-30-some-model.csv"
    scores.write_text("row_id,chosen_score,rejected_score,agreement\n0,1,2,True\n3,2,1,True\n")
    words = ["runs", "import", str(scores)]
    assert run(words) == 1
    assert "Name it with --dataset." in capsys.readouterr().err
    assert run([*words, "--dataset", str(pairs_file), "--model", "org/some-model"]) == 0
    told = capsys.readouterr().out
    assert "Imported run 2024-08-19-10-30: 2 pairs, org/some-model." in told
    assert "gives 1 of 2 verdicts otherwise" in told
    assert run([*words, "--dataset", str(pairs_file)]) == 0
    first, second = (found.id for found in runs.every())
    assert run(["runs", "compare", first, second]) == 0
    assert "0 of 2 verdicts differ" in capsys.readouterr().out


def test_the_cache_tells_its_size_and_is_cleared(run_id: str, capsys: Told) -> None:
    assert run(["cache"]) == 0
    assert "Clearing it deletes no run" in capsys.readouterr().out
    assert run(["cache", "--clear"]) == 0
    assert capsys.readouterr().out.startswith("Cleared ")
    assert run(["cache"]) == 0
    assert "holds 0 rewards" in capsys.readouterr().out


def test_a_free_run_is_done_once_more_by_its_own_command(
    data_dir: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = Labellings(data_dir, four_pairs(tmp_path), monkeypatch).by_rules()
    assert run(["runs", "duplicate", first]) == 0
    told = capfd.readouterr().out
    assert told.startswith("ivan taxonomy run-control-batch --model ivan/lexicon --dataset ")
    second = next(one.id for one in runs.every("labels") if one.id != first)
    again, before = open_labels(second), open_labels(first)
    assert again.spec == before.spec and again.table.equals(before.table)


def test_doing_a_paid_run_once_more_never_says_yes(data_dir: Path) -> None:
    for spec in (
        TaxonomySpec(model="gpt-6-luna"),
        RewriteSpec(rewriter="openai:gpt-6-luna", models=("ivan/minilm-control",)),
    ):
        run_id, _ = Registry(data_dir).add(spec.kind, spec.model_dump_json(), spec.fingerprint)
        assert "--yes" not in runs.command(runs.get(run_id))
