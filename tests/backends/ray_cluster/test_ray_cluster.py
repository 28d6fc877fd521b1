"""A comparison on a Ray cluster of two nodes: whatever dies, its table is that of a run here."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes.ray_models import HOLDS, KILLS, ONCE, RAISES, LoadOnNode, on_cluster, run_on_cluster
from fakes.reward_models import Fakes, provider
from given.support import wait_for, write_pairs

from ivan_core.backends.pools.ray_cluster import RayPool
from ivan_core.cli.main import run as run_command
from ivan_core.domain.engine_choice import LOCAL
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.scoring import ScoringTask
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine import handling as runs
from ivan_core.runs import registry as registry_module
from ivan_core.runs.context import Parts
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

ONE = "fake/one"
PAIRS = 96
CHUNKS = 6
"""Of 16 pairs each."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of two logical cores on this machine; they import what this process does."""
    told = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DATA_USAGE_DISABLED": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        import ray
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 2, "object_store_memory": 100_000_000}
        started = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
        started.add_node(**node)
        yield started
        ray.shutdown()
        started.shutdown()


@pytest.fixture
def load(tmp_path: Path) -> LoadOnNode:
    (tmp_path / "told").mkdir()
    return LoadOnNode(tmp_path / "told")


@pytest.fixture
def registry(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr(registry_module, "_STARTUP_GRACE", 0.0)
    return Registry(data_dir)


@pytest.fixture
def added(registry: Registry, tmp_path: Path) -> Callable[[], str]:
    """Enter a run over the same pairs each time."""
    pairs = write_pairs(tmp_path / "pairs.jsonl", PAIRS)

    def add() -> str:
        spec = CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=(ONE,))
        return registry.add("compare", spec.model_dump_json(), spec.fingerprint)[0]

    return add


@pytest.fixture
def expected(registry: Registry, added: Callable[[], str]) -> pd.DataFrame:
    """The table of a run in this process, which keeps nothing for the others."""
    run_id = added()
    work(registry, run_id, provider(Fakes(slow=True)))
    found = table(registry, run_id)
    forget_scores(registry.data_dir)
    return found


def forget_scores(data_dir: Path) -> None:
    shutil.rmtree(data_dir / "cache")


def table(registry: Registry, run_id: str) -> pd.DataFrame:
    found = pd.read_parquet(registry.folder(run_id) / "table.parquet")
    return found.sort_values(["model", "row_id"], ignore_index=True)


def chunks(registry: Registry, run_id: str) -> list[str]:
    folder = registry.folder(run_id)
    return [key for key, _ in Parts(folder).all() if key.startswith("scores")]


def here(registry: Registry, run_id: str, load: LoadOnNode, cluster: Any) -> Run:
    work(registry, run_id, on_cluster(load, cluster.address))
    return registry.get(run_id)


def test_a_worker_that_dies_loses_nothing(
    cluster: Any, load: LoadOnNode, registry: Registry, expected: pd.DataFrame, added: Any
) -> None:
    load.tell(ONCE, "Question 5?")
    run = here(registry, run_id := added(), load, cluster)
    assert (run.state, run.problem, run.done) == (RunState.DONE, "", PAIRS)
    assert not (load.folder / ONCE).exists()
    assert table(registry, run_id).equals(expected)


def test_a_driver_that_is_killed_goes_on_without_the_cluster(
    cluster: Any,
    load: LoadOnNode,
    registry: Registry,
    expected: pd.DataFrame,
    added: Any,
    processes: ForkServerContext,
) -> None:
    load.tell(HOLDS, "Question 5?")
    arguments = (registry.data_dir, run_id := added(), load, cluster.address)
    driver: Any = processes.Process(target=run_on_cluster, args=arguments)
    driver.start()
    wait_for(lambda: chunks(registry, run_id))
    os.kill(driver.pid, signal.SIGKILL)
    driver.join()
    assert registry.get(run_id).state is RunState.INTERRUPTED
    kept = chunks(registry, run_id)
    assert 0 < len(kept) < CHUNKS
    assert registry.requeue(run_id)
    work(registry, run_id, provider(Fakes(slow=True)))
    assert registry.get(run_id).state is RunState.DONE
    assert chunks(registry, run_id)[: len(kept)] == kept
    assert table(registry, run_id).equals(expected)


def test_a_chunk_that_kills_its_worker_each_time_fails_alone_and_goes_on_later(
    cluster: Any, load: LoadOnNode, registry: Registry, expected: pd.DataFrame, added: Any
) -> None:
    load.tell(KILLS, "Question 5?")
    run = here(registry, run_id := added(), load, cluster)
    assert run.state is RunState.FAILED
    [lost] = set(expected["step"]) - {int(key.split("|")[1]) for key in chunks(registry, run_id)}
    assert 5 in set(expected["row_id"][expected["step"] == lost])
    assert run.problem == (
        f"Chunk {lost + 1} of {CHUNKS} with {ONE} ended its worker 3 times; all other chunks are "
        "kept."
    )
    assert "Resume" in run.hint
    (load.folder / KILLS).unlink()
    assert registry.requeue(run_id)
    assert here(registry, run_id, load, cluster).state is RunState.DONE
    assert table(registry, run_id).equals(expected)


def tasks(count: int) -> list[ScoringTask]:
    """Each of one text."""
    texts = [Dialogue(f"\n\nHuman: Question {i}?\n\nAssistant: Answer.") for i in range(count)]
    return [ScoringTask(f"chunk {i}", ONE, [text], budget=7) for i, text in enumerate(texts)]


def test_what_a_worker_raises_is_the_answer_of_its_chunk_alone(
    cluster: Any, load: LoadOnNode
) -> None:
    load.tell(RAISES, "Question 3?")
    pool = RayPool(load, cluster.address, count=1, threads=1)
    pool.load(ONE, "")
    answers = {one.key: one for one in pool.score(tasks(6), lambda key, texts: None)}
    pool.release()
    assert answers.keys() == {f"chunk {i}" for i in range(6)}
    problem = answers.pop("chunk 3").problem
    assert problem is not None
    assert problem.message == "Chunk 3 failed: RuntimeError: the fake was told to raise"
    model = load(ONE, "")
    model.tune([], 7)
    for i, task in enumerate(tasks(6)):
        if i != 3:
            assert list(answers[task.key].rewards) == model.score(task.texts)


def test_a_node_that_dies_loses_nothing_where_the_others_have_no_room_for_its_worker(
    cluster: Any, load: LoadOnNode
) -> None:
    node = cluster.add_node(num_cpus=2, object_store_memory=100_000_000)
    # Two cores for each of three workers: all there are.
    pool = RayPool(replace(load, delay=0.3), cluster.address, count=3, threads=2)
    pool.load(ONE, "")
    given, came = tasks(24), []
    for one in pool.score(given, lambda key, texts: None):
        assert one.problem is None
        came.append(one.key)
        if len(came) == 3:
            cluster.remove_node(node, allow_graceful=False)
    pool.release()
    assert sorted(came) == sorted(task.key for task in given)


def test_the_command_gives_a_real_model_s_scores_to_the_last_bit(
    cluster: Any,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    start = runs.spawn

    def with_budget(run_id: str) -> None:
        """Start a worker whose run has its token budget: each would measure another."""
        runs.registry().folder(run_id).mkdir(parents=True, exist_ok=True)
        Parts(runs.registry().folder(run_id)).append("tokens", [512])
        start(run_id)

    monkeypatch.setattr(runs, "spawn", with_budget)
    asked = ["compare", "--dataset", "sample", "--model", "ivan/minilm-harmless", "--limit", "40"]
    assert run_command(asked) == 0
    forget_scores(data_dir)
    on_ray = ["--engine", "ray", "--address", cluster.address, "--actors", "2", "--threads", "1"]
    assert run_command([*asked, *on_ray]) == 0
    there, this = runs.every("compare")
    assert (this.computed, there.computed) == (80, 80)
    registry = runs.registry()
    assert table(registry, there.id).equals(table(registry, this.id))
    assert there.notes == (
        "The first 40 of 480 pairs: not a random sample.",
        "Scored on a Ray cluster: 2 actors with 1 thread each.",
    )
    assert shlex.split(runs.command(there))[-len(on_ray) :] == on_ray
    assert runs.engine_of(this.id) == LOCAL
