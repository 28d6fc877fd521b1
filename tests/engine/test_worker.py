"""Workers as processes of their own: started once, cancelled at any moment, resumed, left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes.reward_models import Fakes
from given.support import children, wait_for, workers_of, write_pairs

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import handling as runs
from ivan_core.runs import registry as registry_module
from ivan_core.runs.locks import FileLock, is_held
from ivan_core.settings import data_dir as data_dir_in_force, slot_file

EMBEDDED = ("ivan/minilm-harmless", "ivan/minilm-control")
Tell = Callable[[Fakes], None]
pytestmark = pytest.mark.usefixtures("none_left_behind")


@pytest.fixture
def none_left_behind(data_dir: Path) -> Iterator[None]:
    """No worker outlives its test."""
    yield
    for run in runs.every():
        if run.state.live:
            runs.cancel(run.id)
    wait_for(lambda: not any(run.state.live for run in runs.every()))


def spec(pairs: Path, **fields: Any) -> CompareSpec:
    return CompareSpec(
        dataset=DatasetRequest(source=str(pairs)), **{"models": ("fake/one", "fake/two"), **fields}
    )


def state_of(run_id: str) -> RunState:
    return runs.get(run_id).state


def ended(run_id: str) -> Any:
    return wait_for(lambda: not runs.get(run_id).state.live and runs.get(run_id))


def says(run_id: str, words: str) -> None:
    wait_for(lambda: words in runs.get(run_id).doing)


def worker_of(run_id: str) -> int:
    """The process of a run's worker, once it is there."""
    return int(wait_for(lambda: workers_of(data_dir_in_force(), run_id))[0])


def test_the_embedded_models_judge_the_bundled_sample_and_remember_it(data_dir: Path) -> None:
    asked = CompareSpec(models=EMBEDDED, limit=6)
    run_id, new = runs.start(asked)
    assert new
    assert runs.start(asked) == (run_id, False)
    run = ended(run_id)
    assert (run.state, run.problem, run.done) == (RunState.DONE, "", 12)
    first = runs.manifest(run_id)
    assert first is not None and first["texts_computed"] > 0
    assert {path.name for path in (data_dir / "compare").iterdir()} == {
        f"{run_id}-stats.csv",
        *(f"{run_id}-ivan-minilm-{name}.csv" for name in ("harmless", "control")),
    }
    again, new = runs.start(asked)
    assert new and again != run_id
    assert ended(again).computed == 0
    second = runs.manifest(again)
    assert second is not None and second["texts_computed"] == 0
    assert second["summaries"] == first["summaries"]


def test_cancelled_while_a_real_model_loads(data_dir: Path) -> None:
    run_id, _ = runs.start(CompareSpec(models=EMBEDDED, limit=300))
    wait_for(lambda: runs.get(run_id).doing.startswith(("Loading", "Scoring")))
    assert_cancelled(run_id)


def assert_cancelled(run_id: str) -> None:
    """Cancelled, and its worker gone, whatever that was at: fakes would hang for an hour."""
    runs.cancel(run_id)
    lock = runs.registry().lock_path(run_id)
    wait_for(lambda: state_of(run_id) is RunState.CANCELLED and not is_held(lock))


@pytest.mark.parametrize(
    ("fakes", "doing"),
    [
        (Fakes(hangs_preparing=True), "Reading the dataset"),
        (Fakes(hangs_loading=True), "Loading fake/one"),
        (Fakes(hangs_at_call=2), "Scoring with fake/one"),
    ],
    ids=["preparing", "loading", "scoring"],
)
def test_cancelled_while_a_step_hangs(
    fakes: Fakes, doing: str, pairs_file: Path, fake_workers: Tell
) -> None:
    fake_workers(fakes)
    run_id, _ = runs.start(spec(pairs_file))
    says(run_id, doing)
    assert_cancelled(run_id)


def test_cancelled_before_its_worker_came(
    pairs_file: Path, run_here: Callable[[str, Fakes], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "spawn", lambda run_id: None)
    run_id, _ = runs.start(spec(pairs_file))
    assert state_of(run_id) is RunState.QUEUED
    assert_cancelled(run_id)
    late = run_here(run_id, Fakes())
    assert (late.state, late.done) == (RunState.CANCELLED, 0)


def slow_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Workers that load their libraries until the file exists, longer than anybody waits."""
    gate = tmp_path / "gate"
    late = (
        "import pathlib, runpy, sys, time\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.02)\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "runpy.run_module('fakes.reward_models', run_name='__main__')"
    )
    monkeypatch.setattr(runs, "WORKER", (sys.executable, "-c", late))
    monkeypatch.setattr(registry_module, "_STARTUP_GRACE", 0.0)
    return gate


def test_a_worker_slow_to_start_is_waited_for_and_started_once(
    pairs_file: Path, tmp_path: Path, fake_workers: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    fake_workers(Fakes(log=str(log)))
    gate = slow_start(monkeypatch, tmp_path)
    run_id, _ = runs.start(spec(pairs_file))
    assert state_of(run_id) is RunState.QUEUED
    runs.resume(run_id)
    assert runs.start(spec(pairs_file)) == (run_id, False)
    worker = worker_of(run_id)
    gate.touch()
    assert ended(run_id).state is RunState.DONE
    assert len(log.read_text().splitlines()) == 6  # three chunks, two models
    wait_for(lambda: worker not in children())


def test_a_worker_killed_while_it_starts_leaves_an_interrupted_run(
    pairs_file: Path, tmp_path: Path, fake_workers: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_workers(Fakes())
    gate = slow_start(monkeypatch, tmp_path)
    run_id, _ = runs.start(spec(pairs_file))
    os.kill(worker_of(run_id), signal.SIGKILL)
    wait_for(lambda: state_of(run_id) is RunState.INTERRUPTED)
    gate.touch()
    runs.resume(run_id)
    assert ended(run_id).state is RunState.DONE


def test_cancelled_and_resumed_while_its_worker_starts_one_of_the_two_works(
    pairs_file: Path, tmp_path: Path, fake_workers: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    fake_workers(Fakes(log=str(log)))
    gate = slow_start(monkeypatch, tmp_path)
    run_id, _ = runs.start(spec(pairs_file))
    first = worker_of(run_id)
    runs.cancel(run_id)
    assert state_of(run_id) is RunState.CANCELLED
    runs.resume(run_id)
    gate.touch()
    assert ended(run_id).state is RunState.DONE
    wait_for(lambda: first not in children())
    wait_for(lambda: not is_held(runs.registry().lock_path(run_id)))
    assert len(log.read_text().splitlines()) == 6
    assert state_of(run_id) is RunState.DONE


def test_one_run_at_a_time_loads_models_and_the_other_says_that_it_waits(
    pairs_file: Path, fake_workers: Tell
) -> None:
    fake_workers(Fakes(hangs_at_call=2))
    first, _ = runs.start(spec(pairs_file))
    wait_for(lambda: is_held(slot_file()))
    fake_workers(Fakes())
    second, _ = runs.start(spec(pairs_file, seed=1))
    says(second, f"Waiting for run {first}, which has models loaded (`ivan runs cancel {first}`")
    assert first != second
    third, _ = runs.start(spec(pairs_file, seed=2))
    says(third, f"Waiting for run {first}")
    assert_cancelled(third)
    runs.cancel(first)
    assert ended(second).state is RunState.DONE


def test_cancelled_then_resumed_twice_at_once_it_is_done_once(
    pairs_file: Path, tmp_path: Path, fake_workers: Tell
) -> None:
    log = tmp_path / "log"
    fake_workers(Fakes(hangs_at_call=2, silent=True, log=str(log)))
    run_id, _ = runs.start(spec(pairs_file))
    wait_for(lambda: runs.get(run_id).done == 32)
    runs.cancel(run_id)
    assert ended(run_id).state is RunState.CANCELLED
    before = len(log.read_text().splitlines())
    fake_workers(Fakes(log=str(log)))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(runs.resume, [run_id, run_id]))
    assert ended(run_id).state is RunState.DONE
    assert len(log.read_text().splitlines()) - before == 4
    with pytest.raises(BadInput, match="nothing left to do"):
        runs.resume(run_id)
    with pytest.raises(BadInput, match="nothing to cancel"):
        runs.cancel(run_id)


def test_a_killed_worker_leaves_an_interrupted_run_and_no_process(
    pairs_file: Path, fake_workers: Tell
) -> None:
    fake_workers(Fakes(hangs_at_call=2))
    run_id, _ = runs.start(spec(pairs_file))
    wait_for(lambda: runs.get(run_id).done == 32)
    worker = worker_of(run_id)
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: state_of(run_id) is RunState.INTERRUPTED)
    wait_for(lambda: worker not in children())
    fake_workers(Fakes())
    runs.resume(run_id)
    assert ended(run_id).state is RunState.DONE


def test_workers_that_ended_do_not_pile_up(pairs_file: Path, fake_workers: Tell) -> None:
    fake_workers(Fakes())
    before = set(children())
    for run_id in [runs.start(spec(pairs_file, seed=seed))[0] for seed in range(2)]:
        assert ended(run_id).state is RunState.DONE
    wait_for(lambda: not set(children()) - before)


def test_paths_mean_the_same_in_every_folder(
    tmp_path: Path, fake_workers: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_workers(Fakes(hangs_preparing=True))
    (tmp_path / "here").mkdir()
    write_pairs(tmp_path / "here" / "mine.jsonl", 4)
    monkeypatch.chdir(tmp_path / "here")
    run_id, _ = runs.start(spec(Path("mine.jsonl")))
    says(run_id, "Reading the dataset")
    runs.cancel(run_id)
    ended(run_id)
    monkeypatch.chdir(tmp_path)
    fake_workers(Fakes())
    runs.resume(run_id)
    assert ended(run_id).problem == ""
    assert state_of(run_id) is RunState.DONE


def test_a_worker_for_a_run_that_does_not_exist_does_nothing(data_dir: Path) -> None:
    from ivan_core.runs.registry import Registry
    from ivan_core.worker import work

    with pytest.raises(BadInput, match="no run"):
        work(Registry(data_dir), "nonsense")
    assert not (data_dir / "runs").exists()


def test_a_worker_leaves_a_run_to_the_one_that_is_at_it(
    data_dir: Path, pairs_file: Path, fake_workers: Tell
) -> None:
    fake_workers(Fakes(hangs_at_call=1))
    run_id, _ = runs.start(spec(pairs_file))
    says(run_id, "Scoring")
    assert not FileLock(runs.registry().lock_path(run_id)).acquire()
    assert not runs.registry().begin(run_id)


@pytest.mark.parametrize("module", ["worker", "warm"])
def test_a_worker_lets_others_go_first_and_its_threads_wait_asleep(module: str) -> None:
    starts = {"worker": "work", "warm": "serve"}[module]
    code = (
        f"import os, sys; from ivan_core import {module} as module\n"
        f"module.{starts} = lambda *_: print(\n"
        "    os.nice(0) >= 10, os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)\n"
        "sys.argv = ['', 'a-run']; module.main()"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Before torch is loaded: OpenMP reads the setting only once.
    assert told.stdout.split() == ["True", "PASSIVE", "False"]
