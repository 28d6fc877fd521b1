"""Runs in every state they can be in, made within this process with fake reward models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes.reward_models import FakeEncoder, FakeRewardModel, Fakes, comparing_with, provider

from ivan_core.backends.pools.here import PoolHere
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import Reward
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.experiments.compare.conditions import listing
from ivan_core.experiments.compare.report import file_columns
from ivan_core.experiments.compare.results import Results
from ivan_core.experiments.compare.scoring import Models
from ivan_core.lists import download
from ivan_core.lists.conditions import Filter
from ivan_core.lists.download import Form
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

TWO_MODELS = ("ivan/minilm-harmless", "ivan/minilm-control")
OF_MANY = ("grid", "fewest")
"""Charts of three models or more."""
OF_PUBLISHED = ("best-of-n", "strength")
"""Charts of datasets that have several replies a prompt, or strengths."""


def many(models: int) -> tuple[str, ...]:
    """The names of so many models, which fakes score as differently as they are called."""
    return tuple(f"made/model-{number:02d}" for number in range(1, models + 1))


def spec_of_sample(models: tuple[str, ...] = TWO_MODELS, **fields: Any) -> CompareSpec:
    return CompareSpec(dataset=DatasetRequest(source="sample"), models=models, **fields)


def spec_of_file(path: Path, models: tuple[str, ...] = TWO_MODELS, **fields: Any) -> CompareSpec:
    return CompareSpec(dataset=DatasetRequest(source=str(path)), models=models, **fields)


def write_rows(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Pairs as JSONL, one mapping a line."""
    path.write_text("".join(json.dumps(dict(row)) + "\n" for row in rows), "utf-8")
    return path


def queued(data_dir: Path, spec: CompareSpec) -> str:
    """A run that waits for a worker."""
    run_id, _ = Registry(data_dir).add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    return run_id


def finished(data_dir: Path, spec: CompareSpec, fakes: Fakes | None = None) -> str:
    """A run that a worker with fakes has done to its end, whatever that is."""
    run_id = queued(data_dir, spec)
    work(Registry(data_dir), run_id, provider(fakes or Fakes()))
    return run_id


class _Breaking(FakeRewardModel):
    """A fake that breaks when it is asked to score for the n-th time."""

    breaks_at = 3

    def score_read(
        self, read: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        if self._calls + 1 == self.breaks_at:
            raise BackendUnavailable("The server of this model went away.", "Start it again.")
        return super().score_read(read, progress)


def _breaking(_: CompareSpec, __: RunContext, ___: FileLock) -> Models:
    encoder = FakeEncoder()
    return Models(
        claim=lambda: None,
        pool=PoolHere(lambda name, _: _Breaking(name, Fakes(revision="breaks"), encoder)),
        together=True,
    )


def failed(data_dir: Path, spec: CompareSpec) -> str:
    """A run whose first model broke at its third chunk; what was finished before is kept."""
    run_id = queued(data_dir, spec)
    work(Registry(data_dir), run_id, comparing_with(_breaking))
    return run_id


def stopped(data_dir: Path, spec: CompareSpec, state: RunState) -> str:
    """A run that stopped halfway, in a state of your choice."""
    run_id = failed(data_dir, spec)
    Registry(data_dir).finish(run_id, state)
    return run_id


def interrupted(data_dir: Path, spec: CompareSpec) -> str:
    """A run that says running while nobody holds its lock."""
    return stopped(data_dir, spec, RunState.RUNNING)


@contextmanager
def at_work(data_dir: Path, spec: CompareSpec) -> Iterator[str]:
    """A run that a worker is at, for as long as the block lasts."""
    run_id = stopped(data_dir, spec, RunState.RUNNING)
    with FileLock(Registry(data_dir).lock_path(run_id)) as lock:
        assert lock.acquire()
        yield run_id


def resumed(data_dir: Path, run_id: str) -> None:
    """Let a worker with the fakes that broke before do the rest of a stopped run."""
    assert Registry(data_dir).requeue(run_id)
    work(Registry(data_dir), run_id, provider(Fakes(revision="breaks")))


def downloaded(results: Results, wanted: Filter, form: Form) -> Path:
    """The file of the rows that a filter lists of a comparison, as its page gives it."""
    return download.write_rows(listing(results), wanted, form, file_columns(results), {})
