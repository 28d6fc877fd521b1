"""Finished runs and reviews are read where nothing can be written, as on a colleague's share."""

from __future__ import annotations

import contextlib
import os
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from fakes.reward_models import Fakes, provider
from given.support import NOBODY, write_pairs

from ivan_core.annotations.database import ReviewDatabase
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.worker import work


def added(registry: Registry, pairs: Path, seed: int = 0) -> str:
    asked = CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=("fake/one",), seed=seed)
    return registry.add(asked.kind, asked.model_dump_json(), asked.fingerprint)[0]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read_all(data_dir: Path, run_id: str, answers: Any) -> None:
    """As a user without rights: read what is there, by all that pages and commands read with."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    os.environ["IVAN_DATA_DIR"] = str(data_dir)
    from ivan_core.annotations.queues import Queues
    from ivan_core.engine import handling as runs
    from ivan_core.experiments.compare import results

    registry = Registry(data_dir)
    answers.put(
        [
            [(run.id, run.state.value) for run in registry.all()],
            len(registry.live_points(run_id)),
            len(results.open_results(run_id).table),
            Queues(data_dir).all(),
            (runs.manifest(run_id) or {})["run"],
        ]
    )


@pytest.mark.parametrize("reviews", ["with reviews", "without"])
@pytest.mark.parametrize("at_work", [False, True], ids=["at-rest", "beside-one-who-writes"])
def test_what_is_finished_is_read_in_a_folder_that_cannot_be_written(
    open_folder: Path, processes: ForkServerContext, data_dir: Path, reviews: str, at_work: bool
) -> None:
    pairs = write_pairs(open_folder / "pairs.jsonl", 40)
    data = open_folder / "data"
    data.mkdir()
    registry = Registry(data)
    done, running = added(registry, pairs), ""
    work(registry, done, provider(Fakes()))
    if reviews == "with reviews":
        with ReviewDatabase(data).reading():
            pass
    with FileLock(registry.lock_path("other")) as lock, contextlib.ExitStack() as stack:
        if at_work:
            # Its lock is its owner's alone: who cannot ask takes its word that it is at work.
            running = added(registry, pairs, seed=1)
            lock.path = registry.lock_path(running)
            assert lock.acquire() and registry.begin(running)
            stack.enter_context(registry.kept_open())
            registry.beat(running)
        was = snapshot(data)
        for path in (data, *data.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o600 if path.name == "lock" else 0o444)
        answers = processes.Queue()
        visitor: Any = processes.Process(target=read_all, args=(data, done, answers))
        visitor.start()
        listed, points, rows, queues, manifest = answers.get(timeout=300)
        visitor.join(300)
        assert dict(listed) == {done: "done"} | ({running: "running"} if at_work else {})
        assert (points, rows, queues, manifest) == (3, 40, [], done)
        assert snapshot(data) == was
