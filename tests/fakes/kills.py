"""Workers of runs of batches that are killed at a chosen moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from given.taxonomy_runs import QUICK, no_sleep, say_yes, spec_of

from ivan_core.backends.openai.batches import MOST_FILE, OpenAIBatches
from ivan_core.backends.openai.client import account_for
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.engine import handling as runs
from ivan_core.engine.work import at_work
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.batches.work import Providers, work_taxonomy


class Killed(BaseException):
    """The process ends here."""


class Fragile(OpenAIBatches):
    """A provider whose caller is killed before or after its n-th call of a kind."""

    def __init__(self, step: str, after: bool) -> None:
        super().__init__(account_for())
        self._step = step
        self._after = after

    def _at(self, step: str, call: Any, *given: Any) -> Any:
        if step == self._step and not self._after:
            raise Killed
        answer = call(*given)
        if step == self._step:
            raise Killed
        return answer

    def upload(self, path: Path) -> str:
        return str(self._at("upload", super().upload, path))

    def create(self, file_id: str, metadata: Mapping[str, str]) -> str:
        return str(self._at("create", super().create, file_id, metadata))

    def poll(self, batch_id: str) -> Any:
        return self._at("poll", super().poll, batch_id)

    def collect(self, file_id: str, into: Path, most_bytes: int = MOST_FILE) -> None:
        self._at("collect", super().collect, file_id, into, most_bytes)


def confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> str:
    """A run that was confirmed and whose worker has not started."""
    run_id, _ = taxonomy.start(spec_of(tmp_path, **fields))
    with monkeypatch.context() as patch:
        patch.setattr(runs, "spawn", lambda _: None)
        say_yes(run_id)
    return run_id


def work_until_killed(run_id: str, providers: Providers = QUICK) -> None:
    """Be a worker that is killed; the run is then as a dead process leaves it."""
    registry = runs.registry()
    assert registry.begin(run_id)
    with pytest.raises(Killed), at_work(registry, run_id, TaxonomySpec) as job:
        work_taxonomy(job, providers, no_sleep)


def fragile(step: str, after: bool) -> Providers:
    """Providers whose batches kill the worker at a step."""
    return Providers(lambda _: Fragile(step, after), QUICK.send)
