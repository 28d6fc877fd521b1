"""Batches by their ids: those of a run here are collected, others become a run of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ivan_core.backends.openai.batches import MOST_FILE
from ivan_core.backends.openai.errors import NotAtProvider
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError
from ivan_core.domain.labels import FEATURES, BatchProvider, BatchState, TextKey
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest, TaxonomySpec
from ivan_core.engine import access, handling as runs
from ivan_core.engine.imports import read_dataset
from ivan_core.engine.work import begin
from ivan_core.experiments.batches.collect import result_files
from ivan_core.experiments.batches.follow import Follower, Sleep, lacking_parts
from ivan_core.experiments.batches.job import KIND, BatchJob, open_job
from ivan_core.experiments.batches.requests import asked_key, texts
from ivan_core.experiments.batches.results import write_reconciled
from ivan_core.experiments.batches.work import OWN, Providers, undelivered
from ivan_core.labels.result_files import bounded_lines, opened, read_json
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import UNSENT, PartKey, Stage
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock

UNKNOWN_MODEL = "unknown"
_TO_COME = (*UNSENT, Stage.CREATING, Stage.CREATED)
_LOOKED_AT = 50
_PATIENCE = 10.0
"""Seconds for which another session is let take in the same batches."""


@dataclass(frozen=True)
class _Learned:
    """What is known of a batch that was made elsewhere: which texts, and what was asked."""

    state: BatchState
    asked: tuple[TextKey, ...]
    model: str = UNKNOWN_MODEL
    keys: tuple[str, ...] = FEATURES
    said: dict[TextKey, str] = field(default_factory=dict)


def batch_ids(text: str) -> list[str]:
    """The ids in a list separated by commas, each once.

    Raises:
        BadInput: there is none.
    """
    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise BadInput(
            "No batch id was given.", "Give some, separated by commas: batch_a, batch_b."
        )
    return found


def adopt(
    ids: Sequence[str],
    dataset: DatasetRequest,
    by: str,
    base_url: str = "",
    providers: Providers = OWN,
) -> tuple[str, bool]:
    """The run that these batches belong to, made for them if there is none; whether it is new.

    Raises:
        BadInput: they belong to several runs, do not fit the dataset, or are not ours.
        BackendUnavailable: the provider knows no such batch, or is away. Nothing here changed.
        NotAllowed: the visitor may not import, or name this server.
    """
    access.require(access.Action.IMPORT)
    access.check_address(base_url)
    ledger = Ledger(runs.registry().data_dir)
    here = {run.id for run in runs.every(KIND)}
    known = {
        one: [state.key.run for state in ledger.parts_with_batch(one) if state.key.run in here]
        for one in ids
    }
    owners = {run for found in known.values() for run in found}
    if len(owners) == 1 and all(known.values()):
        return owners.pop(), False
    if owners:
        raise BadInput(
            f"Some of these batches belong to run {sorted(owners)[0]}, others do not.",
            "Give the ids of one run at a time.",
        )
    request = read_dataset(dataset)
    probe = TaxonomySpec(dataset=request, model=UNKNOWN_MODEL, base_url=base_url)
    provider = providers.batches(probe)
    learned = [_learn(provider, one) for one in ids]
    asked = [key for one in learned for key in one.asked]
    if len(set(asked)) < len(asked):
        raise BadInput("Two of these batches ask for the same text.", "Give them one at a time.")
    if len({(one.model, one.keys) for one in learned}) > 1:
        raise BadInput("These batches ask for different things.", "Give them one at a time.")
    rows = tuple(sorted({key.row_id for key in asked}))
    spec = probe.model_copy(
        update={"row_ids": rows, "model": learned[0].model, "keys": learned[0].keys}
    )
    return _enter(spec, learned, provider.account, by), True


def _enter(spec: TaxonomySpec, learned: Sequence[_Learned], account: str, by: str) -> str:
    registry = runs.registry()
    _check_fits(spec, learned)
    mark = sha256("\n".join([spec.fingerprint, *(one.state.id for one in learned)]).encode())
    run_id, _ = registry.add(KIND, spec.model_dump_json(), mark.hexdigest()[:16])
    # Whoever registered it may have been stopped before the ledger knew the batches.
    job = open_job(run_id, registry)
    with FileLock(registry.lock_path(run_id)) as lock, job.at_work() as context:
        if not lock.acquire(timeout=_PATIENCE) or len(job.parts()) == len(learned):
            return run_id
        begin(context, spec, lambda rows: rows)
        for part, one in enumerate(learned, start=1):
            context.parts.append(asked_key(1, part), [key.custom_id for key in one.asked])
            key, texts_asked = PartKey(run_id, part, 1), len(one.asked)
            job.ledger.adopt(key, one.state.id, account, by, texts_asked)
    return run_id


def _learn(provider: BatchProvider, batch_id: str) -> _Learned:
    """Which texts a batch is about: by its input file, else by what came back."""
    state = provider.poll(batch_id)
    lines = list(_content(provider, state.input_file))
    if not lines and not state.ended:
        raise BadInput(
            f"Batch {batch_id} has not ended, and its input file is gone.",
            "Give its id again when it has ended.",
        )
    if not lines:
        back = (state.output_file, state.error_file)
        lines = [line for file in back for line in _content(provider, file)]
    ids = [str(line.get("custom_id")) for line in lines]
    keys = [TextKey.from_custom_id(one) for one in ids]
    foreign = [one for one, key in zip(ids, keys, strict=True) if key is None]
    if foreign or not keys:
        such = f"an id such as {foreign[0][:60]!r}" if foreign else "no request"
        raise BadInput(
            f"Batch {batch_id} labels no texts of a dataset: it holds {such}.",
            "A request of IVAN has an id like 12.chosen. Give the id of a batch that IVAN sent.",
        )
    asked = tuple(dict.fromkeys(key for key in keys if key is not None))
    bodies = [line["body"] for line in lines if isinstance(line.get("body"), dict)]
    first: dict[str, Any] = bodies[0] if bodies else {}
    said = {
        key: json.dumps(body.get("messages"), ensure_ascii=False)
        for key, body in zip(asked, islice(bodies, _LOOKED_AT), strict=False)
    }
    return _Learned(state, asked, str(first.get("model") or UNKNOWN_MODEL), _keys(first), said)


def _content(provider: BatchProvider, file_id: str) -> Iterator[dict[str, Any]]:
    """The readable lines of a file of the provider, most without their bodies; none if it is gone.

    A file of 50,000 requests is large, and but for the first bodies only its ids are looked at.
    """
    if not file_id:
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lines"
        try:
            provider.collect(file_id, path, MOST_FILE)
        except NotAtProvider:
            return
        with opened(path) as file:
            for number, line, _ in bounded_lines(file):
                try:
                    record = read_json(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(record, dict):
                    kept = ("custom_id", "body") if number <= _LOOKED_AT else ("custom_id",)
                    yield {name: record[name] for name in kept if name in record}


def _keys(body: dict[str, Any]) -> tuple[str, ...]:
    """The labels that a request asks for, by its schema; all where it has none."""
    try:
        asked = body["response_format"]["json_schema"]["schema"]["properties"]
    except (KeyError, TypeError):
        return FEATURES
    return tuple(key for key in FEATURES if key in asked) or FEATURES


def _check_fits(spec: TaxonomySpec, learned: Sequence[_Learned]) -> None:
    """Refuse batches about other rows or other texts than the dataset has.

    Raises:
        BadInput: a row is not in the dataset, or none of the texts looked at is.
    """
    from ivan_core.datasets.prepare import prepare

    dataset = prepare(runs.registry().data_dir, spec.dataset)
    rows = dataset.rows
    for one in learned:
        outside = [key.custom_id for key in one.asked if key.row_id >= rows]
        if outside:
            raise BadInput(
                f"Batch {one.state.id} asks for {outside[0]}, but {spec.dataset.label} has "
                f"{rows:,} pairs.",
                "Name the dataset that it was made from.",
            )
        if one.said and not any(_says(dataset, one.said)):
            raise BadInput(
                f"The texts of batch {one.state.id} are not those of {spec.dataset.label}.",
                "Name the dataset that it was made from.",
            )


def _says(dataset: PreparedDataset, said: dict[TextKey, str]) -> Iterator[bool]:
    for key, text in texts(dataset, list(said)):
        yield json.dumps(text.strip(), ensure_ascii=False)[1:-1] in said[key]


def collect(
    run_id: str, providers: Providers = OWN, sleep: Sleep = time.sleep, look: bool = True
) -> tuple[str, ...]:
    """Fetch what has ended of a run and write its tables; returns the ids that have not ended.

    Nothing is sent. Parts that lack answers are looked at again, also those of a finished run.
    With `look` off no provider is asked: what is here is written. Where a worker is at the run, it
    is left to do that.

    Raises:
        BackendUnavailable: the provider is away, or knows a batch no more.
    """
    job = open_job(run_id)
    registry = job.registry
    registry.requeue(run_id)
    with FileLock(registry.lock_path(run_id)) as lock:
        if lock.acquire():
            waited = registry.begin(run_id)
            if waited or _opened_again(job):
                try:
                    _collect(job, providers if look else None, sleep, was_done=not waited)
                except BaseException as error:
                    unchanged = isinstance(error, (BackendUnavailable, BadInput))
                    if not waited and unchanged and not job.undelivered():
                        registry.finish(run_id, RunState.DONE)
                    else:
                        registry.wait(run_id, RunState.AWAITING_PROVIDER)
                    raise
    return tuple(state.batch_id for state in job.parts() if state.stage is Stage.CREATED)


def _opened_again(job: BatchJob) -> bool:
    """Open a finished run that lacks answers which its batches may have; whether it does.

    Raises:
        BadInput: another run is at work on the same texts.
    """
    if job.registry.get(job.run_id).state is not RunState.DONE:
        return False
    with job.at_work() as context:
        if not lacking_parts(job, context):
            return False
    job.open_again(RunState.AWAITING_PROVIDER)
    return True


def _collect(job: BatchJob, providers: Providers | None, sleep: Sleep, was_done: bool) -> None:
    with job.at_work() as context:
        begun = begin(context, job.spec, lambda rows: rows)
        notes, problem = _look(job, context, providers, sleep) if providers else ([], None)
        here = any(result_files(job.folder, state.key) for state in job.parts())
        still = any(state.stage in (Stage.CREATED, Stage.TERMINAL) for state in job.parts())
        if here or not still:
            found = write_reconciled(job, context, begun, notes)
            context.note([*begun.notes, *notes, found.sentence])
        if problem is not None:
            raise problem
    if waiting := undelivered(job):
        job.registry.wait(job.run_id, waiting.state, waiting.problem, waiting.hint)
    elif any(state.stage in _TO_COME for state in job.parts()) or (
        job.in_doubt() and not was_done  # a person was asked about those of a finished run
    ):
        job.registry.wait(job.run_id, RunState.AWAITING_PROVIDER)
    else:
        job.registry.finish(job.run_id, RunState.DONE)


def _look(
    job: BatchJob, context: RunContext, providers: Providers, sleep: Sleep
) -> tuple[list[str], IvanError | None]:
    """Fetch what can be had; what is to be known of it, and what stood in the way of the rest.

    Raises:
        BackendUnavailable, BadInput: nothing came of a look at what lacks answers.
    """
    follower = Follower(job, context, providers.batches(job.spec), sleep)
    follower.once(send=False)
    problem = follower.problem
    if problem is None:
        try:
            follower.once_more()
        except (BackendUnavailable, BadInput) as error:
            if not follower.fetched:
                raise
            problem = error
    return follower.notes, problem
