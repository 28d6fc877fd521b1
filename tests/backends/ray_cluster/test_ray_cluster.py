"""A comparison on a Ray cluster of two nodes: whatever dies, its table is that of a run here."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes.checked_models import load_checked
from fakes.ray_models import HOLDS, KILLS, ONCE, RAISES, LoadOnNode, on_cluster, run_on_cluster
from fakes.reward_models import Fakes, provider
from given.support import wait_for, write_pairs

from ivan_core.backends.pools.ray_cluster import PATIENCE, RayPool
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
NODE = {"num_cpus": 1, "object_store_memory": 100_000_000}


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two nodes of one logical core on this machine; they import what this process does."""
    told = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DATA_USAGE_DISABLED": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        PATIENCE: "900",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        import ray
        from ray.cluster_utils import Cluster

        started = Cluster(initialize_head=True, head_node_args=NODE | {"include_dashboard": False})
        started.add_node(**NODE)
        yield started
        ray.shutdown()
        started.shutdown()


@dataclass(frozen=True)
class Place:
    """A cluster, a registry whose score cache is empty, and a folder that is the case's own."""

    cluster: Any
    registry: Registry
    folder: Path
    processes: ForkServerContext

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    @property
    def load(self) -> LoadOnNode:
        return LoadOnNode(self.folder)

    def added(self) -> str:
        """Enter a run over the same pairs each time."""
        pairs = write_pairs(self.folder.parent / "pairs.jsonl", PAIRS)
        spec = CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=(ONE,))
        return self.registry.add("compare", spec.model_dump_json(), spec.fingerprint)[0]

    def worked(self, run_id: str) -> Run:
        """Be the worker of a run whose models are on the cluster."""
        work(self.registry, run_id, on_cluster(self.load, self.address))
        return self.registry.get(run_id)

    def worked_here(self, run_id: str) -> Run:
        """Be the worker of a run whose models are in this process."""
        work(self.registry, run_id, provider(Fakes(slow=True)))
        return self.registry.get(run_id)

    def expected(self) -> pd.DataFrame:
        """The table of a run in this process, which keeps nothing for the others."""
        run_id = self.added()
        assert self.worked_here(run_id).state is RunState.DONE
        self.forget_scores()
        return self.table(run_id)

    def forget_scores(self) -> None:
        shutil.rmtree(self.registry.data_dir / "cache", ignore_errors=True)

    def table(self, run_id: str) -> pd.DataFrame:
        found = pd.read_parquet(self.registry.folder(run_id) / "table.parquet")
        return found.sort_values(["model", "row_id"], ignore_index=True)

    def chunks(self, run_id: str) -> list[str]:
        folder = self.registry.folder(run_id)
        return [key for key, _ in Parts(folder).all() if key.startswith("scores")]


def tasks(count: int) -> list[ScoringTask]:
    """Each of one text."""
    texts = [Dialogue(f"\n\nHuman: Question {i}?\n\nAssistant: Answer.") for i in range(count)]
    return [ScoringTask(f"chunk {i}", ONE, [text], budget=7) for i, text in enumerate(texts)]


def a_worker_that_dies_is_replaced_and_what_one_raises_is_the_answer_of_its_chunk(
    place: Place,
) -> None:
    place.load.tell(ONCE, "Question 4?")
    place.load.tell(RAISES, "Question 3?")
    pool = RayPool(place.load, place.address, count=1, threads=1)
    pool.load(ONE, "")
    answers = {one.key: one for one in pool.score(tasks(6), lambda key, texts: None)}
    pool.release()
    assert not (place.folder / ONCE).exists()
    assert answers.keys() == {f"chunk {i}" for i in range(6)}
    problem = answers.pop("chunk 3").problem
    assert problem is not None
    assert problem.message == "Chunk 3 failed: RuntimeError: the fake was told to raise"
    model = place.load(ONE, "")
    model.tune([], 7)
    for i, task in enumerate(tasks(6)):
        if i != 3:
            assert list(answers[task.key].rewards) == model.score(task.texts)


def a_model_to_be_checked_is_compared_on_a_node(place: Place) -> None:
    pool = RayPool(load_checked, place.address, count=1, threads=1)
    assert pool.load(ONE, "").note == ""
    card = pool.compare(ONE, [one for task in tasks(2) for one in task.texts])
    pool.release()
    assert card.note == "Compared on 2 texts."


def a_driver_that_is_killed_goes_on_without_the_cluster(place: Place) -> None:
    expected = place.expected()
    place.load.tell(HOLDS, "Question 5?")
    arguments = (place.registry.data_dir, run_id := place.added(), place.load, place.address)
    driver: Any = place.processes.Process(target=run_on_cluster, args=arguments)
    driver.start()
    wait_for(lambda: place.chunks(run_id))
    os.kill(driver.pid, signal.SIGKILL)
    driver.join()
    assert place.registry.get(run_id).state is RunState.INTERRUPTED
    kept = place.chunks(run_id)
    assert 0 < len(kept) < CHUNKS
    assert place.registry.requeue(run_id)
    assert place.worked_here(run_id).state is RunState.DONE
    assert place.chunks(run_id)[: len(kept)] == kept
    assert place.table(run_id).equals(expected)


def a_chunk_that_kills_its_worker_each_time_fails_alone_and_goes_on_later(place: Place) -> None:
    expected = place.expected()
    place.load.tell(KILLS, "Question 5?")
    run = place.worked(run_id := place.added())
    assert run.state is RunState.FAILED
    [lost] = set(expected["step"]) - {int(key.split("|")[1]) for key in place.chunks(run_id)}
    assert 5 in set(expected["row_id"][expected["step"] == lost])
    assert run.problem == (
        f"Chunk {lost + 1} of {CHUNKS} with {ONE} ended its worker 3 times; all other chunks are "
        "kept."
    )
    assert "Resume" in run.hint
    (place.folder / KILLS).unlink()
    assert place.registry.requeue(run_id)
    done = place.worked(run_id)
    assert (done.state, done.problem, done.done) == (RunState.DONE, "", PAIRS)
    assert place.table(run_id).equals(expected)


def a_real_model_gives_the_same_scores_to_the_last_bit_by_command(place: Place) -> None:
    asked = ["compare", "--dataset", "sample", "--model", "ivan/minilm-harmless", "--limit", "16"]
    assert run_command(asked) == 0
    place.forget_scores()
    on_ray = ["--engine", "ray", "--address", place.address, "--actors", "1", "--threads", "1"]
    assert run_command([*asked, *on_ray]) == 0
    # The last two of all, the newest first.
    there, this = runs.every("compare")[:2]
    assert (this.computed, there.computed) == (32, 32)
    assert place.table(there.id).equals(place.table(this.id))
    assert there.notes == (
        "The first 16 of 480 pairs: not a random sample.",
        "Scored on a Ray cluster: 1 actor with 1 thread.",
    )
    assert shlex.split(runs.command(there))[-len(on_ray) :] == on_ray
    assert runs.engine_of(this.id) == LOCAL


def a_node_that_dies_loses_nothing_where_the_others_have_no_room_for_its_worker(
    place: Place,
) -> None:
    node = place.cluster.add_node(**NODE)
    # A core for each of three workers: all there are.
    pool = RayPool(replace(place.load, delay=0.3), place.address, count=3, threads=1)
    pool.load(ONE, "")
    given, came = tasks(12), []
    for one in pool.score(given, lambda key, texts: None):
        assert one.problem is None
        came.append(one.key)
        if len(came) == 3:
            place.cluster.remove_node(node, allow_graceful=False)
    pool.release()
    assert sorted(came) == sorted(task.key for task in given)


CASES = (
    a_worker_that_dies_is_replaced_and_what_one_raises_is_the_answer_of_its_chunk,
    a_model_to_be_checked_is_compared_on_a_node,
    a_driver_that_is_killed_goes_on_without_the_cluster,
    a_chunk_that_kills_its_worker_each_time_fails_alone_and_goes_on_later,
    a_real_model_gives_the_same_scores_to_the_last_bit_by_command,
    a_node_that_dies_loses_nothing_where_the_others_have_no_room_for_its_worker,
)


def with_a_budget(start: Callable[[str], None]) -> Callable[[str], None]:
    """Start workers whose runs have their token budget: each would measure another."""

    def begin(run_id: str) -> None:
        runs.registry().folder(run_id).mkdir(parents=True, exist_ok=True)
        Parts(runs.registry().folder(run_id)).append("tokens", [512])
        start(run_id)

    return begin


def test_whatever_happens_on_a_cluster_the_table_is_that_of_a_run_here(
    subtests: pytest.Subtests,
    cluster: Any,
    data_dir: Path,
    tmp_path: Path,
    processes: ForkServerContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One test, so that no two processes of tests have a cluster each at the same time."""
    monkeypatch.setattr(registry_module, "_STARTUP_GRACE", 0.0)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(runs, "spawn", with_a_budget(runs.spawn))
    for number, case in enumerate(CASES):
        with subtests.test(case.__name__):
            (folder := tmp_path / str(number)).mkdir()
            place = Place(cluster, Registry(data_dir), folder, processes)
            place.forget_scores()
            case(place)
