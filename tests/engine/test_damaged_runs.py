"""One run of several is damaged: it says so in a sentence, and the others are as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import rewriting as fake_rewriting
from given import made_runs
from given.damages import CELLS, FILES, bad_cell, without
from given.made_labellings import Labellings

from ivan_core.cli.main import run as ivan
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import archive, handling as runs, zips
from ivan_core.engine.studies import studies, study_of
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.labels.results import open_labels
from ivan_core.experiments.rewrite.results import open_rewrite
from ivan_core.review.queues import datasets_to_review
from ivan_core.runs.registry import Registry

Told = pytest.CaptureFixture[str]
BAD_CELLS = [
    pytest.param(column, value, id=f"{column}-{number}")
    for column, values in CELLS.items()
    for number, value in enumerate(values)
]


@pytest.fixture
def two(data_dir: Path) -> tuple[str, str]:
    """Two finished comparisons: the first stays whole, the second is to be damaged."""
    first = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    return first, made_runs.finished(data_dir, made_runs.spec_of_sample(limit=21))


def added(registry: Registry, seed: int) -> str:
    spec = made_runs.spec_of_sample(seed=seed)
    run_id, _ = registry.add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    registry.finish(run_id, RunState.DONE)
    return run_id


@pytest.mark.parametrize(("column", "value"), BAD_CELLS)
def test_one_bad_cell_is_one_damaged_run(
    data_dir: Path, column: str, value: object, capsys: Told
) -> None:
    registry = Registry(data_dir)
    first, second = added(registry, 1), added(registry, 2)
    whole = registry.get(first)
    bad_cell(column, value)(data_dir, second)
    found = {run.id: run for run in runs.experiments()}
    assert found.keys() == {first, second} and found[first] == whole
    assert runs.about(whole) == f"sample | {', '.join(made_runs.TWO_MODELS)}"
    damaged = found[second]
    if column not in ("doing", "name"):  # text that is no UTF-8 is shown as far as it can be read
        assert "damaged" in f"{damaged.state} {runs.about(damaged)}"
        with pytest.raises(BadInput, match=r"registry is damaged|entry in the registry is"):
            runs.any_spec_of(damaged)
    assert ivan(["runs", "list"]) == 0
    told = capsys.readouterr().out
    assert len(told.splitlines()) == 2 and first in told and second in told
    assert archive.delete(second).run_id == second
    assert [run.id for run in runs.experiments()] == [first]


@pytest.mark.parametrize("damage", FILES)
def test_damaged_files_of_one_run_are_a_sentence(
    data_dir: Path, two: tuple[str, str], damage: str, tmp_path: Path, capsys: Told
) -> None:
    first, second = two
    FILES[damage](data_dir, second)
    sentence = f"Run {second} is damaged: its (manifest|table) cannot be read"
    with pytest.raises(BadInput, match=sentence):
        open_results(second)
    with pytest.raises(BadInput, match=sentence):
        zips.export(second, tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()
    for words in (
        ["runs", "export", second, "--out", str(tmp_path / "x.zip")],
        ["figure", second],
        ["runs", "sentences", second],
        ["runs", "compare", first, second],
    ):
        assert ivan(words) == 1, words
        assert f"Run {second} is damaged" in capsys.readouterr().err, words
    assert open_results(first).run.id == first
    assert ivan(["runs", "list"]) == 0 and ivan(["runs", "sentences", first]) == 0
    assert study_of(first) is not None and studies()
    assert len(datasets_to_review()) == 1
    archive.delete(second)
    assert not (data_dir / "runs" / second).exists()


@pytest.mark.parametrize("name", ["manifest.json", "labels.parquet"])
def test_finished_labels_without_a_file_are_damaged_and_not_to_be_resumed(
    data_dir: Path, pairs_file: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    run_id = Labellings(data_dir, pairs_file, monkeypatch).by_rules()
    without(name)(data_dir, run_id)
    with pytest.raises(BadInput, match=f"Run {run_id} is damaged: its (manifest|table)"):
        open_labels(run_id)
    assert ivan(["runs", "sentences", run_id]) == 1
    assert f"Run {run_id} is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["manifest.json", "table.parquet", "likeness.parquet"])
def test_a_finished_rewording_without_a_file_is_damaged_and_not_to_be_resumed(
    data_dir: Path, pairs_file: Path, name: str, capsys: Told
) -> None:
    run_id = fake_rewriting.added(data_dir, fake_rewriting.spec_of(pairs_file, limit=4))
    fake_rewriting.work_here(data_dir, run_id, fake_rewriting.fake_tools())
    without(name)(data_dir, run_id)
    with pytest.raises(BadInput, match=f"Run {run_id} is damaged: its (manifest|table)"):
        open_rewrite(run_id)
    assert ivan(["runs", "sentences", run_id]) == 1
    assert f"Run {run_id} is damaged" in capsys.readouterr().err


def test_what_a_list_asks_for_is_what_it_gets(data_dir: Path) -> None:
    registry = Registry(data_dir)
    ids = [added(registry, seed) for seed in range(5)]
    registry.finish(ids[1], RunState.FAILED)
    newest = list(reversed(ids))
    assert [run.id for run in registry.some(("compare",), limit=2)] == newest[:2]
    assert [run.id for run in registry.some(limit=2, offset=3)] == newest[3:]
    assert [run.id for run in registry.some(states=(RunState.FAILED,))] == [ids[1]]
    assert registry.some(("labels",)) == registry.some(but=("compare",)) == []
    assert registry.count() == 5 and registry.count(states=(RunState.DONE,)) == 4


@pytest.mark.parametrize("change", ["name", "add", "finish", "delete", "swap"])
def test_the_stamp_of_finished_runs_changes_with_them(data_dir: Path, change: str) -> None:
    registry = Registry(data_dir)
    ids = [added(registry, seed) for seed in range(3)]
    registry.finish(ids[0], RunState.FAILED)
    seen = registry.stamp(("compare",), (RunState.DONE,))
    assert registry.stamp(("compare",), (RunState.DONE,)) == seen
    changes: dict[str, Callable[[], object]] = {
        "name": lambda: registry.rename(ids[1], "a name"),
        "add": lambda: added(registry, 9),
        "finish": lambda: registry.finish(ids[0], RunState.DONE),
        "delete": lambda: registry.remove(ids[2], lambda: None),
        "swap": lambda: (registry.remove(ids[1], lambda: None), added(registry, 10)),
    }
    changes[change]()
    assert registry.stamp(("compare",), (RunState.DONE,)) != seen


def test_one_imported_run_in_place_of_another_changes_the_stamp(data_dir: Path) -> None:
    registry = Registry(data_dir)
    newest = registry.get(added(registry, 1))
    stamps = []
    for day in ("01", "02"):
        old = replace(newest, id=f"2020-01-{day}-00-00", created=float(day), finished=float(day))
        with registry.entering(old, "f") as run_id:
            pass
        stamps.append(registry.stamp(("compare",), (RunState.DONE,)))
        registry.remove(run_id, lambda: None)
    assert stamps[0] != stamps[1]
