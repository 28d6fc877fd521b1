"""Runs of batches against the demo server, with the worker called in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from given.support import write_pairs
from ivan_core.backends.openai.batches import OpenAIBatches
from ivan_core.backends.openai.chat import OpenAIChat
from ivan_core.backends.openai.client import account_for
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import IvanError
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import DatasetRequest, TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.engine.work import at_work
from ivan_core.experiments.batches import confirm, handling as taxonomy
from ivan_core.experiments.batches.work import Providers, work_taxonomy
from ivan_core.runs.locks import FileLock

MODEL = "gpt-6-luna"
HASTY = 2.0
patience = 60.0
"""Seconds that workers wait for an answer, since a busy machine answers late; tests in which no
answer ever comes make it `HASTY`."""
QUICK = Providers(
    lambda spec: OpenAIBatches(
        account_for(spec.base_url), read_seconds=patience, file_seconds=patience
    ),
    lambda spec: (
        OpenAIChat(
            spec.model, account_for(spec.base_url), read_seconds=patience, wait=lambda _: None
        ).send
    ),
)


def no_sleep(_: float) -> None:
    """Time that passes at once."""


pass_time: Callable[[float], None] = no_sleep
"""How time passes for workers; a test may look around meanwhile."""


def be_worker(run_id: str, providers: Providers = QUICK) -> Run:
    """Do what a worker does with a run that waits for one; returns the run as it is left."""
    registry = runs.registry()
    with FileLock(registry.lock_path(run_id)) as lock:
        assert lock.acquire()
        assert registry.begin(run_id)
        try:
            with at_work(registry, run_id, TaxonomySpec) as job:
                waiting = work_taxonomy(job, providers, lambda seconds: pass_time(seconds))
        except IvanError as error:
            registry.finish(run_id, RunState.FAILED, error.message, error.hint)
        else:
            if waiting is None:
                registry.finish(run_id, RunState.DONE)
            else:
                registry.wait(run_id, waiting.state, waiting.problem, waiting.hint)
    return registry.get(run_id)


@contextmanager
def workers_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """From now on a worker that is started works in this process, at once; which were started."""
    started: list[str] = []

    def spawn(run_id: str) -> None:
        started.append(run_id)
        be_worker(run_id)

    monkeypatch.setattr(runs, "spawn", spawn)
    yield started


def account_of(monkeypatch: pytest.MonkeyPatch, server: DemoServer, key: str = "sk-demo") -> None:
    """Settings that point at a demo server."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
    monkeypatch.setenv("OPENAI_API_KEY", key)


def spec_of(folder: Path, pairs: int = 6, **fields: object) -> TaxonomySpec:
    """Label a file with so many pairs."""
    path = folder / "pairs.jsonl"
    if not path.exists():
        write_pairs(path, pairs)
    values = {"dataset": DatasetRequest(source=str(path)), "model": MODEL, **fields}
    return TaxonomySpec.model_validate(values)


def say_yes(run_id: str, **fields: bool) -> confirm.Confirmed:
    """Confirm the estimate that is in force."""
    shown = taxonomy.estimate(run_id)
    assert shown is not None
    return confirm.confirm(run_id, shown.plan_hash, "test", **fields)


def creations(server: DemoServer) -> int:
    """How many batches the server was asked to create."""
    return server.requests.count("POST", "/v1/batches")


def labelled(tmp_path: Path, **fields: object) -> str:
    """A run that labelled what a spec asks for."""
    run_id, _ = taxonomy.start(spec_of(tmp_path, **fields))
    say_yes(run_id)
    assert runs.get(run_id).state is RunState.DONE
    return run_id


def asked_lines(server: DemoServer) -> list[int]:
    """How many requests each batch had, in the order of their creation."""
    return [
        len(server.state.files[batch.input_file_id].content.splitlines())
        for batch in server.state.batches.values()
    ]


@pytest.fixture
def server(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    """A demo server that is asked for batches; workers work in this process, at once."""
    with DemoServer() as demo, workers_here(monkeypatch):
        account_of(monkeypatch, demo)
        yield demo
