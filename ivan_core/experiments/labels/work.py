"""A labelling text by text at work: its labeler, its table and CSV files, and last its manifest."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.label_specs import LabelSpec
from ivan_core.domain.labels import DEMO_NAME, Labeler, LabelerCard, TextKey
from ivan_core.experiments.compare.files import write_manifest
from ivan_core.experiments.compare.work import dataset_facts, now, versions
from ivan_core.experiments.labels.steps import Labelled, run_labels
from ivan_core.labels.labels_csv import write_labels_csv
from ivan_core.labels.prompt import prompt_hash
from ivan_core.labels.reconcile import USABLE, Reconciled
from ivan_core.labels.table import labels_table, write_labels
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.context import RunContext
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import replacing, storage_errors

TABLE = "labels.parquet"
"""The labels of a finished run, in its folder."""
FOLDER = "taxonomy-control"
"""Where the files for people lie."""
_FAILED = ("row_id", "preference", "state", "attempt", "reason", "raw")


def work_labels(registry: Registry, run_id: str) -> None:
    """Do what is left of a labelling and write its files."""
    started = time.monotonic()
    spec = LabelSpec.model_validate_json(registry.get(run_id).spec)
    with closing(ScoreCache(registry.data_dir / "cache" / "scores")) as cache:
        context = RunContext(registry, run_id, cache)
        done = run_labels(context, spec, lambda: make_labeler(spec))
        context.doing("Writing the results")
        _write(context, spec, done, list(registry.get(run_id).notes), time.monotonic() - started)


def make_labeler(spec: LabelSpec) -> Labeler:
    """The labeler of a spec, ready to work.

    Raises:
        BackendUnavailable: the Ollama server is away, or it lacks the model.
    """
    if spec.is_rules:
        from ivan_core.backends.lexicon.labeler import LexiconLabeler

        return LexiconLabeler()
    from ivan_core.backends.chats import ChatLabeler
    from ivan_core.backends.ollama.chat import ANSWER_TOKENS, OllamaChat
    from ivan_core.backends.ollama.client import OllamaServer

    chat = OllamaChat(spec.labeler, OllamaServer(), num_ctx=spec.num_ctx)
    return ChatLabeler(chat, room=ANSWER_TOKENS, temperature=spec.temperature, seed=spec.seed)


def _write(
    context: RunContext, spec: LabelSpec, done: Labelled, notes: list[str], seconds: float
) -> None:
    stem = f"{context.id}-{done.card.slug}-control"
    files = write_label_files(
        context.data_dir, Path(FOLDER), stem, done.reconciled, texts_of(done.dataset)
    )
    table = labels_table(done.reconciled.outcomes, done.reconciled.attempts)
    write_labels(context.folder / TABLE, table)
    manifest: dict[str, Any] = {
        "run": context.id,
        "spec": spec.model_dump(mode="json"),
        "seed": spec.seed,
        "dataset": dataset_facts(done.dataset),
        "rows": len(done.choice.row_ids),
        "random_sample": done.choice.random,
        "notes": notes,
        "labeler": {
            "id": _named(done.card), "revision": done.card.revision, "kind": done.card.kind,
            "settings": dict(done.card.settings),
        },
        "prompt": {"version": spec.prompt, "hash": prompt_hash(spec.keys, spec.prompt)},
        "counts": count_dict(done.reconciled),
        "seconds": round(seconds, 2),
        "spend_usd": 0,
        "files": files,
        "versions": versions(),
    }  # fmt: skip
    write_manifest(context.folder, manifest, now)


def _named(card: LabelerCard) -> str:
    """Who labelled; the demo server answers by rules, whatever the model's name."""
    if card.kind == "ollama" and dict(card.settings).get("demo"):
        return DEMO_NAME.format(card.id)
    return card.id


def count_dict(found: Reconciled) -> dict[str, int]:
    """The numbers of the reconciliation line, for a manifest."""
    counts = found.counts
    return {name: int(getattr(counts, name)) for name in counts.__dataclass_fields__}


def write_label_files(
    data_dir: Path, folder: Path, stem: str, found: Reconciled, text_of: Any
) -> list[str]:
    """Write the original's CSV of usable labels and, where there are any, one of the others.

    Returns their paths in the data folder.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    usable = [key for key in found.submitted if found.state(key) in USABLE]
    others = [key for key in found.submitted if found.state(key) not in USABLE]
    rows = ((key, found.outcomes[key].labels) for key in usable)
    write_labels_csv(data_dir / folder / f"{stem}.csv", rows, text_of)
    names = [str(folder / f"{stem}.csv")]
    if others:
        names.append(str(folder / f"{stem}-failed.csv"))
        _write_failed(data_dir / names[-1], found, others)
    return names


def texts_of(dataset: PreparedDataset) -> Callable[[TextKey], str]:
    """The text of a key as it is read; the two sides of a row are read at once."""
    last: list[tuple[int, str, str]] = [(-1, "", "")]

    def text(key: TextKey) -> str:
        if last[0][0] != key.row_id:
            pair = dataset.pair(key.row_id)
            last[0] = (key.row_id, pair.chosen.printed, pair.rejected.printed)
        return last[0][1] if key.preference == "chosen" else last[0][2]

    return text


def _write_failed(path: Path, found: Reconciled, others: list[TextKey]) -> None:
    with (
        storage_errors(path.parent),
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="replace", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(_FAILED)
        for key in others:
            outcome = found.outcomes.get(key)
            problems = outcome.problems if outcome else ()
            told = "; ".join(
                " ".join(part for part in (one.key, one.message, one.found) if part)
                for one in problems
            )
            writer.writerow(
                [key.row_id, key.preference, found.state(key), found.attempts.get(key, ""),
                 told or "No answer came.", outcome.raw if outcome else ""]
            )  # fmt: skip
