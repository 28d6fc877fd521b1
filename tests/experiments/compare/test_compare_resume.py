"""A comparison that stopped goes on with what it began with, or says why it cannot."""

from __future__ import annotations

from collections import Counter
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from fakes.reward_models import Fakes, run_worker
from given.support import write_pairs
from test_compare_experiment import ONE, RunHere, added, spec, table

from ivan_core.domain.runs import RunState
from ivan_core.engine.work import chunk_size
from ivan_core.experiments.compare.units import CHUNK, SLOW_CHUNK
from ivan_core.runs.context import Parts
from ivan_core.runs.registry import Registry


@pytest.fixture
def registry(data_dir: Path) -> Registry:
    return Registry(data_dir)


def test_a_model_that_breaks_is_said_and_the_run_can_go_on(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    whole, run_id = added(registry, spec(pairs_file, seed=5)), added(registry, spec(pairs_file))
    broken = run_here(run_id, Fakes(breaks_at_call=2))
    assert (broken.state, broken.problem) == (RunState.FAILED, "The fake broke.")
    assert (broken.hint, broken.done) == ("Mend it.", 32)
    assert not (registry.folder(run_id) / "manifest.json").exists()
    assert registry.requeue(run_id)
    resumed = run_here(run_id, Fakes())
    assert (resumed.state, resumed.problem, resumed.done) == (RunState.DONE, "", 80)
    run_here(whole, Fakes())
    drop = ["step"]
    assert (
        table(registry, run_id).drop(columns=drop).equals(table(registry, whole).drop(columns=drop))
    )


def test_a_run_that_goes_on_reads_each_kept_chunk_once_and_once_for_its_table(
    registry: Registry, pairs_file: Path, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = added(registry, spec(pairs_file))
    run_here(run_id, Fakes(breaks_at_call=2))
    kept = [key for key, _ in Parts(registry.folder(run_id)).all() if key.startswith("scores|")]
    reads: Counter[str] = Counter()
    read = Parts.rows

    def counted(parts: Parts, key: str) -> list[Any]:
        reads[key] += 1
        return read(parts, key)

    monkeypatch.setattr(Parts, "rows", counted)
    assert registry.requeue(run_id)
    assert run_here(run_id, Fakes()).state is RunState.DONE
    assert len(kept) == 2 and [reads[key] for key in kept] == [2, 2]


def test_a_run_keeps_its_chunks_where_the_machine_would_choose_others_by_now(
    registry: Registry, tmp_path: Path, run_here: RunHere
) -> None:
    pairs = write_pairs(tmp_path / "many.jsonl", 400)
    assert chunk_size(400, CHUNK) != chunk_size(400, SLOW_CHUNK)
    run_id = added(registry, spec(pairs, models=(ONE,)))
    run_here(run_id, Fakes(breaks_at_call=3))
    assert registry.requeue(run_id)
    run_here(run_id, Fakes(slow=True))
    rows = table(registry, run_id)
    assert sorted(rows["row_id"]) == list(range(400))
    assert rows["step"].value_counts().max() == chunk_size(400, CHUNK)


def test_a_run_goes_on_without_the_file_it_began_with(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run_id = added(registry, spec(pairs_file))
    run_here(run_id, Fakes(breaks_at_call=2))
    pairs_file.unlink()
    assert registry.requeue(run_id)
    assert run_here(run_id, Fakes()).state is RunState.DONE


def test_a_run_goes_on_with_the_rows_it_began_with(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run_id = added(registry, spec(pairs_file))
    run_here(run_id, Fakes(breaks_at_call=2))
    write_pairs(pairs_file, 90)
    assert registry.requeue(run_id)
    run_here(run_id, Fakes())
    assert len(table(registry, run_id)) == 80


def test_a_file_that_is_gone_before_it_was_read_is_named(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run_id = added(registry, spec(pairs_file))
    pairs_file.unlink()
    run = run_here(run_id, Fakes())
    assert run.state is RunState.FAILED
    assert str(pairs_file) in run.problem


def test_other_rows_are_not_mixed_into_a_run(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run_id = added(registry, spec(pairs_file))
    run_here(run_id, Fakes(breaks_at_call=2))
    write_pairs(pairs_file, 90)
    for card in (registry.data_dir / "datasets").glob("*/dataset.json"):
        card.unlink()
    assert registry.requeue(run_id)
    run = run_here(run_id, Fakes())
    assert run.state is RunState.FAILED
    assert "dataset has changed" in run.problem


def test_scores_of_another_revision_are_not_mixed_into_a_run(
    registry: Registry, pairs_file: Path, run_here: RunHere
) -> None:
    run_id = added(registry, spec(pairs_file))
    run_here(run_id, Fakes(breaks_at_call=2))
    assert registry.requeue(run_id)
    run = run_here(run_id, Fakes(revision="r2"))
    assert run.state is RunState.FAILED
    assert f"{ONE} is not the same" in run.problem


def test_runs_that_start_together_read_a_dataset_once(
    registry: Registry, pairs_file: Path, processes: ForkServerContext
) -> None:
    ids = [added(registry, spec(pairs_file, seed=seed)) for seed in range(3)]
    workers: list[Any] = [
        processes.Process(target=run_worker, args=(registry.data_dir, run_id, Fakes()))
        for run_id in ids
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [registry.get(run_id).problem for run_id in ids] == ["", "", ""]
    assert {registry.get(run_id).state for run_id in ids} == {RunState.DONE}
    assert len(list((registry.data_dir / "datasets").glob("*/dataset.json"))) == 1
