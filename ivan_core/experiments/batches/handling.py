"""Labelling with a paid model as people handle it: start, read the estimate, confirm, follow.

Parts that ended and whose answers do not come are told of, and closed as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ivan_core.backends.openai.client import account_for
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.estimates import Estimate, Mode
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.engine import access, datasets, handling as runs, workers
from ivan_core.engine.imports import located
from ivan_core.engine.work import BEGUN
from ivan_core.experiments.batches.confirm import MOST_REPAIRS, ask_all
from ivan_core.experiments.batches.estimates import estimate_path
from ivan_core.experiments.batches.job import CLOSED, KIND, BatchJob, open_job
from ivan_core.experiments.batches.kept_answers import keep_run_answers
from ivan_core.experiments.batches.results import read_summary, spent_at_once
from ivan_core.experiments.batches.watch import Watch, watch_of
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import PartKey, Spent, Stage
from ivan_core.models import labelers
from ivan_core.runs.locks import FileLock
from ivan_core.settings import data_dir

_ENDED = (Stage.DOWNLOADED, Stage.VALIDATED, Stage.ABANDONED)
_PATIENCE = 2.0


def job(run_id: str) -> BatchJob:
    """A run of batches; raises BadInput if there is none."""
    return open_job(run_id)


def start(spec: TaxonomySpec, again: bool = False, ask_all: bool | None = None) -> tuple[str, bool]:
    """Prepare requests and their estimate in a worker, or find the run that did so already.

    Nothing is sent before `confirm`. A run that was confirmed for the same spec, account and data
    is found instead of a new one, unless it is said that the texts shall be labelled `again`: then
    all are asked for, and with `ask_all` off only those that have no labels of this account.

    Returns the run's id and whether it is new.

    Raises:
        BadInput: the model has a name that no model has.
        NotAllowed: the visitor may not start runs or name this server.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.START)
    access.check_address(spec.base_url)
    labelers.check_provided(spec.model)
    spec = spec.model_copy(update={"dataset": located(spec.dataset)})
    sent = None if again else sent_run(spec)
    if sent is not None:
        return sent, False
    run_id, new = runs.registry().add(KIND, spec.model_dump_json(), spec.fingerprint)
    if new:
        if again if ask_all is None else ask_all:
            job(run_id).ask_all(1, True)
        runs.spawn(run_id)
    return run_id, new


def sends(run: Run) -> bool:
    """Whether a run is one of batches, which a provider answers."""
    return run.kind == KIND


def choose_all(run_id: str, every: bool) -> None:
    """Make the first estimate of a run anew where it waits and was made the other way.

    Raises:
        NotAllowed: the visitor may not decide on a cost.
    """
    mine = job(run_id)
    shown = mine.estimate()
    if shown is None or shown.reason != "first" or not awaits_yes(run_id):
        return
    if mine.asks_all(shown.attempt) is not every:
        ask_all(run_id, every)


def sent_run(spec: TaxonomySpec) -> str | None:
    """The run that was confirmed for a spec by this account, on the same data, if there is one."""
    try:
        account = account_for(spec.base_url).fingerprint
    except BadInput:
        raise
    except BackendUnavailable:  # without a key nothing can have been sent
        return None
    dataset = datasets.find(spec.dataset)
    if dataset is None:  # never read, or changed since: the plan's hash will tell
        return None
    for run in runs.every(KIND):
        if run.spec != spec.model_dump_json():
            continue
        known = job(run.id)
        first = next(iter(known.estimates()), None)
        if first is None or not _is_of(known, first, account):
            continue
        with known.at_work() as context:
            begun = context.parts.rows(BEGUN)[0]
        if begun["dataset"] == dataset.fingerprint:
            return run.id
    return None


def _is_of(known: BatchJob, first: Estimate, account: str) -> bool:
    """Whether a run was sent for an account, or had nothing to send since all was labelled."""
    if not first.requests:
        return known.ledger.account_of(known.run_id, first.attempt) == account
    return known.ledger.confirmed_run(first.plan_hash, account) == known.run_id


def is_sent(run_id: str) -> bool:
    """Whether somebody confirmed a run: then it sends, or did."""
    return bool(job(run_id).confirmed())


def awaits_yes(run_id: str) -> bool:
    """Whether a run's newest estimate waits for a yes."""
    mine = job(run_id)
    shown = mine.estimate()
    waits = mine.registry.get(run_id).state is RunState.AWAITING_CONFIRMATION
    return waits and shown is not None and shown.attempt not in mine.confirmed()


def estimate(run_id: str) -> Estimate | None:
    """The estimate of a run's newest attempt; None while it is still being made."""
    return job(run_id).estimate()


def estimate_again(run_id: str, mode: Mode = "batch") -> int:
    """Have an estimate made for the texts without usable labels, and for those only.

    Returns the number of the attempt; its estimate is confirmed like the first.

    Raises:
        BadInput: nothing is left to ask again, a batch is at work, or two rounds were made.
        NotAllowed: the visitor may not decide on a cost.
    """
    access.require(access.Action.SPEND)
    mine = job(run_id)
    summary = read_summary(mine)
    if summary is None:
        raise BadInput(f"Run {run_id} has no results yet.", "Wait for its batches to end.")
    if not mine.confirmed():
        raise BadInput(
            f"Run {run_id} was imported: nothing of it was asked for from here.",
            "Start a labelling of the same pairs; answers of your account are not paid again.",
        )
    if not summary["unfinished"]:
        raise BadInput("Every text that can be asked again has its labels already.")
    if undelivered := mine.undelivered():
        first = undelivered[0]
        raise BadInput(
            f"Part {first.key.part}: {first.problem or 'its answers are not here yet.'} What was "
            "paid for is not asked for again meanwhile.",
            "Look again, or close the part as it is.",
        )
    if any(state.stage not in (*_ENDED, Stage.IN_DOUBT) for state in mine.parts()):
        raise BadInput(
            f"Batches of run {run_id} have not ended, or were not sent.",
            "Follow the run until they have, or cancel them.",
        )
    confirmed = mine.confirmed()
    rounds = [e for e in mine.estimates() if e.reason == "repair" and e.attempt in confirmed]
    if len(rounds) >= MOST_REPAIRS:
        raise BadInput(
            f"The texts were asked for again {MOST_REPAIRS} times already.",
            "What is left is listed with its raw reply; take another model for it.",
        )
    attempt = mine.ledger.next_attempt(run_id)
    with FileLock(mine.registry.lock_path(run_id)) as lock:
        if not lock.acquire(timeout=2):
            raise BadInput(f"A worker is at run {run_id}.", "Wait until it has ended.")
        estimate_path(mine.folder, attempt).unlink(missing_ok=True)
        mine.ask_again(attempt, mode)
        mine.open_again(RunState.AWAITING_CONFIRMATION)
    if mine.registry.go_on(run_id):
        runs.spawn(run_id)
    return attempt


def cancel_batches(run_id: str) -> None:
    """Cancel a run's batches at the provider; what they finished is paid, collected and kept.

    Raises:
        BadInput: there is nothing to cancel.
        NotAllowed: the visitor may not cancel runs.
    """
    access.require(access.Action.CANCEL)
    mine = job(run_id)
    if not mine.confirmed():
        runs.cancel(run_id)
        return
    if not any(state.stage not in _ENDED for state in mine.parts()):
        if mine.registry.get(run_id).state.live:  # it labels the rest at once
            runs.cancel(run_id)
            return
        raise BadInput(f"No batch of run {run_id} is at work: there is nothing to cancel.")
    mine.ask_to_cancel()
    # At once: a worker that is uploading a file finds it given up, and makes no batch of it.
    mine.ledger.abandon_unsent(run_id)
    workers.end_if_hung(mine.registry, mine.registry.get(run_id))  # or nobody cancels them
    follow(run_id)


def follow(run_id: str) -> bool:
    """Start the worker of a run that nobody follows; whether there was anything to start.

    Everybody may, where nothing stopped it but a worker that is gone: all that it sends was
    confirmed before.

    Raises:
        NotAllowed: the run failed or somebody cancelled it, and the visitor may not resume runs.
    """
    mine = job(run_id)
    state = mine.registry.get(run_id).state
    if state in (RunState.CANCELLED, RunState.FAILED):
        access.require(access.Action.RESUME)
    started = False
    if state.resumable and mine.confirmed():
        started = mine.registry.requeue(run_id)
    elif state is RunState.AWAITING_CONFIRMATION and (mine.cancelled or not awaits_yes(run_id)):
        # Confirmed, but whoever said so was stopped before a worker was started; or cancelled.
        started = mine.registry.go_on(run_id)
    if started:
        runs.spawn(run_id)
    return started


def part_with(run_id: str) -> None:
    """Keep what was paid for of a run that is to be deleted.

    Raises:
        BadInput: a batch of it is at the provider, or may be.
        StorageProblem: the data folder cannot be written.
    """
    if Ledger(data_dir()).has_live_batch(run_id):
        raise BadInput(
            f"A batch of run {run_id} is at the provider, or may be, and will be charged.",
            "Cancel its batches or collect them first.",
        )
    keep_run_answers(runs.registry(), run_id)


def parts(run_id: str) -> list[dict[str, Any]]:
    """Every part of a run: its stage in the ledger, beside it what its worker counted last."""
    mine = job(run_id)
    told = mine.told()
    return [
        {
            **told.get(state.key, {}),
            "part": state.key.part,
            "attempt": state.key.attempt,
            "state": str(state.stage),
            "requests": state.part.requests,
            "batch": state.batch_id,
            "problem": state.problem,
            "note": state.note,
            "input_tokens": state.input_tokens,
            "output_tokens": state.output_tokens,
            "usd": state.usd,
        }
        for state in mine.parts()
    ]


def watch(run_id: str) -> Watch:
    """When the batches of a run were sent, looked at last, and are looked at next."""
    return watch_of(job(run_id))


def counts(run_id: str) -> dict[str, Any] | None:
    """The reconciliation of a run as it was written last; None before there are results."""
    return read_summary(job(run_id))


def spent(run_id: str) -> Spent:
    """What a run cost so far, batches and texts labelled at once together."""
    mine = job(run_id)
    found = mine.ledger.spent(run_id)
    return Spent(found.usd + spent_at_once(mine), found.confirmed_usd, found.parts_open)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A part that lacks answers which the provider counts as finished.

    `usd` is what asking again for so many texts usually costs; None where that is not known.
    """

    key: PartKey
    problem: str
    lacking: int
    usd: float | None


def undelivered(run_id: str) -> list[Undelivered]:
    """The parts of a run whose answers did not come, as of the last look."""
    mine = job(run_id)
    told, found = mine.told(), []
    for state in mine.undelivered():
        lacking = told.get(state.key, {}).get("lacking", 0)
        estimate = next((e for e in mine.estimates() if e.attempt == state.key.attempt), None)
        usd = None
        if estimate is not None and estimate.dollars is not None and estimate.requests:
            usd = estimate.dollars.typical * lacking / estimate.requests
        found.append(Undelivered(state.key, state.problem, lacking, usd))
    return found


def close_parts(run_id: str, by: str) -> int:
    """Give up what the provider does not deliver; returns how many parts were closed.

    What is here is kept. The texts that lack answers count as missing: they can be asked for again,
    and are paid again then.

    Raises:
        BadInput: every answer is here, or a worker is at the run.
        NotAllowed: the visitor may not decide on a cost.
    """
    access.require(access.Action.SPEND)
    mine = job(run_id)
    with FileLock(mine.registry.lock_path(run_id)) as lock:
        if not lock.acquire(timeout=_PATIENCE):
            raise BadInput(f"A worker is at run {run_id}: it looks again.", "Wait until it ended.")
        found = undelivered(run_id)
        if not found:
            raise BadInput(f"No part of run {run_id} lacks an answer that the provider has.")
        for one in found:
            texts = "answer" if one.lacking == 1 else "answers"
            lost = f", without {one.lacking:,} {texts} that were paid for" if one.lacking else ""
            mine.ledger.close(one.key, f"{CLOSED} by {by}{lost}.")
    return len(found)
