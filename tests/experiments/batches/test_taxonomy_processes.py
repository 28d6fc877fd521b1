"""Batches with real workers: killed while they wait, started again, nothing paid twice."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from given.support import wait_for, workers_of
from given.taxonomy_runs import account_of, creations, say_yes, spec_of

from ivan_core.demo.answers import answer
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy


@pytest.fixture
def go_on() -> threading.Event:
    """Until it is set no batch comes to its end."""
    return threading.Event()


@pytest.fixture
def server(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, go_on: threading.Event
) -> Iterator[DemoServer]:
    def answer_when_let(*asked: Any) -> str:
        go_on.wait()
        return answer(*asked)

    with DemoServer(answer=answer_when_let, batch_seconds=0.1) as demo:
        account_of(monkeypatch, demo)
        yield demo
        go_on.set()


def workers(data_dir: Path) -> list[int]:
    """The processes of workers of this data folder that this process started."""
    return workers_of(data_dir, "ivan_core.worker")


def test_a_worker_killed_while_it_waits_for_a_batch_is_followed_by_another(
    server: DemoServer, data_dir: Path, tmp_path: Path, go_on: threading.Event
) -> None:
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    wait_for(lambda: runs.get(run_id).state is RunState.AWAITING_CONFIRMATION)
    wait_for(lambda: not workers(data_dir))
    assert say_yes(run_id).new
    wait_for(lambda: runs.get(run_id).state is RunState.AWAITING_PROVIDER)
    wait_for(lambda: taxonomy.parts(run_id)[0]["batch"])
    for pid in workers(data_dir):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: runs.get(run_id).state is RunState.INTERRUPTED)
    go_on.set()
    assert taxonomy.follow(run_id)
    wait_for(lambda: runs.get(run_id).state is RunState.DONE)
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12
    assert creations(server) == 1
