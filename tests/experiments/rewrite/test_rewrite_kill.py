"""A rewording may be killed at any step: resumed, it ends with the same files, byte for byte."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from fakes.rewriting import added, run_worker, spec_of
from given.support import exit_code_of, write_pairs

from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import RewriteSpec
from ivan_core.runs import registry as registry_module
from ivan_core.runs.registry import Registry

TABLES = ("table.parquet", "likeness.parquet", "labels.parquet")
BEATS = 8
"""Steps by which two such runs may differ: heartbeats are steps too, and come by the clock."""
Worker = Callable[..., int]


@pytest.fixture(scope="module")
def worker(processes: ForkServerContext) -> Worker:
    def run(data: Path, run_id: str, together: bool, kill_at: int | None = None) -> int:
        return exit_code_of(processes, run_worker, data, run_id, together, kill_at)

    return run


def place(root: Path, spec: RewriteSpec) -> tuple[Path, str]:
    """A data folder of its own with one run in it."""
    data = root / "data"
    data.mkdir(parents=True)
    return data, added(data, spec)


def results(data: Path, run_id: str) -> dict[str, bytes]:
    """All that a person gets of a finished run, byte for byte."""
    files = {
        path.name.removeprefix(run_id): path.read_bytes() for path in sorted(data.glob("rewrite/*"))
    }
    folder = Registry(data).folder(run_id)
    facts = Registry(data).get(run_id).facts
    return files | {name: (folder / name).read_bytes() for name in TABLES} | {"": facts.encode()}


def whole(data: Path, run_id: str) -> bool:
    """If the manifest is there, so is everything it names."""
    manifest = Registry(data).folder(run_id) / "manifest.json"
    if not manifest.exists():
        return True
    return all((data / name).exists() for name in json.loads(manifest.read_text())["files"])


@pytest.mark.parametrize("together", [True, False], ids=["chunk-by-chunk", "step-by-step"])
def test_killed_at_every_step(
    together: bool, tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_STARTUP_GRACE", 0.0)
    spec = spec_of(write_pairs(tmp_path / "pairs.jsonl", 3))
    data, run_id = place(tmp_path / "whole", spec)
    assert worker(data, run_id, together) == 0
    expected = results(data, run_id)
    assert {"-rewrite.csv", "-rewrite-failed.csv", "-rewrite.parquet"} < expected.keys()
    steps = int((tmp_path / "whole" / "steps").read_text())
    assert steps > 60

    def check(step: int) -> str:
        data, run_id = place(tmp_path / f"killed-at-{step}", spec)
        code = worker(data, run_id, together, step)
        if code == 0 and step > steps - BEATS and results(data, run_id) == expected:
            return ""  # a run that took less time has fewer heartbeats: it ended before this step
        if code != -signal.SIGKILL:
            return f"step {step}: ended with {code}"
        wrong = [] if whole(data, run_id) else ["a manifest stands before what it names"]
        if not Registry(data).requeue(run_id):
            wrong.append("cannot be resumed")
        code, run = worker(data, run_id, together), Registry(data).get(run_id)
        if code != 0 or run.state is not RunState.DONE:
            wrong.append(f"{run.state} after resuming, exit code {code}: {run.problem}")
        elif results(data, run_id) != expected:
            wrong.append("resumed results differ")
        return f"step {step}: {', '.join(wrong)}" if wrong else ""

    # Chunk by chunk every step is tried; the other order shares all code but the order.
    tried = range(1, steps + 1) if together else range(1, steps + 1, 3)
    with ThreadPoolExecutor(2) as pool:
        assert [said for said in pool.map(check, tried) if said] == []
