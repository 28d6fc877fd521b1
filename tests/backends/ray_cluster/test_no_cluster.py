"""An address at which no Ray cluster is: the run ends with a sentence, or is cancelled before."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from given.support import wait_for, write_pairs

from ivan_core.backends.pools.ray_cluster import PATIENCE
from ivan_core.domain.engine_choice import EngineChoice
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import handling as runs
from ivan_core.runs.engine_choice import keep_choice
from ivan_core.worker import work


@pytest.fixture
def silent() -> Iterator[str]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def asked(data_dir: Path, tmp_path: Path) -> CompareSpec:
    pairs = write_pairs(tmp_path / "pairs.jsonl", 10)
    return CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=("ivan/minilm-harmless",))


def test_a_run_ends_with_a_sentence_and_may_be_resumed(
    asked: CompareSpec, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE, "0.5")
    registry = runs.registry()
    run_id, _ = registry.add("compare", asked.model_dump_json(), asked.fingerprint)
    keep_choice(registry.folder(run_id), EngineChoice(engine="ray", address=silent))
    work(registry, run_id)
    run = registry.get(run_id)
    assert (run.state, run.problem, run.hint) == (
        RunState.FAILED,
        f"There is no Ray cluster at {silent} (no answer in 0.5 s).",
        "Start one with `ray start --head`, or give the address that it told; then resume the run.",
    )
    assert registry.requeue(run_id)


def test_a_run_that_waits_for_a_cluster_can_be_cancelled(
    asked: CompareSpec, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE, "3600")
    run_id, _ = runs.start(asked, EngineChoice(engine="ray", address=silent))
    wait_for(lambda: runs.get(run_id).doing == "Waiting for the cluster")
    runs.cancel(run_id)
    wait_for(lambda: runs.get(run_id).state is RunState.CANCELLED)
