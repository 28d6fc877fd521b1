"""A run may be killed at any step: what is finished stays, and resuming completes the rest."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from fakes.reward_models import Fakes, run_worker
from given.support import exit_code_of, write_pairs

from ivan_core.domain.runs import LivePoint, RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.runs import registry as registry_module
from ivan_core.runs.context import Parts
from ivan_core.runs.registry import Registry

MODELS = ("fake/one", "fake/two")
FAKES = Fakes(failing="0", not_finite="1", truncated="2", silent=True)
UNITS = 6
"""Forty pairs are three chunks, for each of two models."""
IN_FLIGHT = 2
"""One chunk is written while the next one is scored."""
BEATS = 8
"""Steps by which two such runs may differ: heartbeats are steps too, and come by the clock."""


@dataclass
class Place:
    """A data folder of its own, with one run in it."""

    root: Path
    fakes: Fakes
    run_id: str = ""

    def __post_init__(self) -> None:
        self.data.mkdir(parents=True)
        pairs = self.root.parent / "pairs.jsonl"
        spec = CompareSpec(dataset=DatasetRequest(source=str(pairs)), models=MODELS)
        self.run_id, _ = self.registry.add("compare", spec.model_dump_json(), spec.fingerprint)
        self.fakes = replace(self.fakes, log=str(self.root / "log"))

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def registry(self) -> Registry:
        return Registry(self.data)

    def units(self) -> list[str]:
        return [key for key, _ in Parts(self.registry.folder(self.run_id)).all() if "scores" in key]

    def score_calls(self) -> int:
        log = self.root / "log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def results(self) -> tuple[dict[str, bytes], list[LivePoint]]:
        """All that a person sees of a finished run, byte for byte."""
        files = {
            path.name.removeprefix(self.run_id): path.read_bytes()
            for path in sorted(self.data.glob("compare/*"))
        }
        files["table"] = (self.registry.folder(self.run_id) / "table.parquet").read_bytes()
        return files, self.registry.live_points(self.run_id)

    def manifest_is_last(self) -> bool:
        """If the manifest is there it is whole, and so is everything it names."""
        folder = self.registry.folder(self.run_id)
        if not (folder / "manifest.json").exists():
            return True
        files = json.loads((folder / "manifest.json").read_text())["files"]
        return (folder / "table.parquet").exists() and all(
            (self.data / name).exists() for name in files
        )

    def leftovers(self) -> list[str]:
        """Temporary files of the run that nobody will ever use."""
        folders = (self.data / "compare", self.registry.folder(self.run_id))
        return [path.name for folder in folders for path in folder.glob(".*")]


@pytest.fixture(scope="module")
def worker(processes: ForkServerContext) -> Callable[..., int]:
    def run(place: Place, kill_at: int | None = None) -> int:
        arguments = (place.data, place.run_id, place.fakes, kill_at)
        return exit_code_of(processes, run_worker, *arguments)

    return run


@pytest.mark.parametrize("together", [True, False], ids=["taking-turns", "one-after-the-other"])
def test_killed_at_every_step(
    together: bool, tmp_path: Path, worker: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_STARTUP_GRACE", 0.0)
    write_pairs(tmp_path / "pairs.jsonl", 40)
    fakes = replace(FAKES, together=together)
    whole = Place(tmp_path / "whole", fakes)
    assert worker(whole) == 0
    expected = whole.results()
    steps = int((whole.root / "steps").read_text())
    assert steps > 40
    assert whole.score_calls() == UNITS

    def check(step: int) -> str:
        place = Place(tmp_path / f"killed-at-{step}", fakes)
        code = worker(place, step)
        kept = place.units()
        wrong = []
        if code == 0 and step > steps - BEATS and place.results() == expected:
            return ""  # a run that took less time has fewer heartbeats: it ended before this step
        if code != -signal.SIGKILL:
            return f"step {step}: ended with {code}"
        if place.registry.get(place.run_id).state is not RunState.INTERRUPTED:
            wrong.append("not seen as interrupted")
        if place.score_calls() - len(kept) not in range(IN_FLIGHT + 1):
            wrong.append("lost more than the chunks in flight")
        if not place.manifest_is_last():
            wrong.append("a manifest stands before what it names")
        if not place.registry.requeue(place.run_id):
            wrong.append("cannot be resumed")
        code, run = worker(place), place.registry.get(place.run_id)
        if code != 0 or run.state is not RunState.DONE:
            wrong.append(f"{run.state} after resuming, exit code {code}: {run.problem}")
        elif place.results() != expected:
            wrong.append("resumed results differ")
        if place.score_calls() > UNITS + IN_FLIGHT:
            wrong.append("scored again what was finished")
        if place.leftovers():
            wrong.append(f"left {place.leftovers()}")
        return f"step {step}: {', '.join(wrong)}" if wrong else ""

    # Where models take turns every step is tried; the other order shares all code but the order.
    tried = range(1, steps + 1) if together else range(12, steps + 1, 9)
    with ThreadPoolExecutor(2) as pool:
        assert [said for said in pool.map(check, tried) if said] == []


def test_killed_again_and_again(
    tmp_path: Path, worker: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_STARTUP_GRACE", 0.0)
    write_pairs(tmp_path / "pairs.jsonl", 40)
    whole, place = Place(tmp_path / "whole", FAKES), Place(tmp_path / "killed", FAKES)
    assert worker(whole) == 0
    finished = 0
    for attempt in range(40):
        if worker(place, 14 + 2 * attempt) == 0:
            break
        assert len(place.units()) >= finished
        finished = len(place.units())
        assert place.registry.requeue(place.run_id)
    assert place.registry.get(place.run_id).state is RunState.DONE
    assert place.results() == whole.results()
