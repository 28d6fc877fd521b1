"""Saying yes or no to an estimate, the one place from which money is spent.

What is to be read before: the exact requests of a few rows, and why a yes would be refused. What is
to be read afterwards: what each attempt took.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from ivan_core.backends.openai.client import account_for, is_demo
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.estimates import Estimate
from ivan_core.domain.labels import TextKey
from ivan_core.domain.runs import RunState
from ivan_core.engine import access, handling as runs
from ivan_core.experiments.batches.answers import read_requests
from ivan_core.experiments.batches.estimates import (
    CAP,
    estimate_path,
    keep_estimate,
    keep_prices,
    over_cap,
    repriced,
)
from ivan_core.experiments.batches.job import KIND, BatchJob, open_job
from ivan_core.experiments.batches.kept_answers import labelled_meanwhile
from ivan_core.experiments.batches.results import read_summary
from ivan_core.ledger.answers import owner_of
from ivan_core.ledger.records import Confirmation, Part, PartKey, PlanChanged
from ivan_core.settings import setting

MOST_REPAIRS = 2
"""Rounds of repair after the first attempt: what two did not mend a third will not."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a confirmation led to: the run that sends, and a sentence if it is not a new sending."""

    run_id: str
    new: bool
    sentence: str = ""


def confirm(run_id: str, plan_hash: str, by: str, may_charge_twice: bool = False) -> Confirmed:
    """Say yes to the estimate with this hash: the only way in which money is spent.

    Saying it twice, or in two places at once, sends once.

    Raises:
        PlanChanged: the estimate, its files or its prices are not those that were shown.
        BadInput: the run waits for no confirmation, has no known price, or a cap forbids it.
        BackendUnavailable: there is no key.
        NotAllowed: the visitor may not decide on a cost.
        StorageProblem: the data folder cannot be written; nothing was sent.
    """
    access.require(access.Action.SPEND)
    mine = open_job(run_id)
    shown = mine.estimate()
    if shown is None or shown.plan_hash != plan_hash:
        raise PlanChanged(
            "This is not the estimate that is in force.", "Look at it again; nothing was sent."
        )
    account = account_for(mine.spec.base_url)
    reused = shown.reused if shown.reused and shown.reused.count else None
    demo = reused is not None and is_demo(account.base_url)
    if reused and reused.owner != owner_of(account.fingerprint, demo):
        raise PlanChanged(
            "The answers that would be reused belong to another account or server.",
            "Have the estimate made anew: nothing was sent.",
        )
    if shown.attempt not in mine.confirmed():
        _check(mine, shown, may_charge_twice)
    parts = [
        Part(
            PartKey(run_id, file.part, shown.attempt),
            file.sha256,
            file.requests,
            file.path,
            file.tokens,
        )
        for file in shown.files
    ]
    if demo:  # whoever answers the rest
        mine.mark_demo()
    usd = shown.dollars.bound if shown.dollars else None
    receipt = mine.ledger.confirm(
        Confirmation(run_id, shown.attempt, plan_hash, usd, time.time(), by, may_charge_twice),
        parts if shown.mode == "batch" else [],
        account.fingerprint,
    )
    other = receipt.confirmation.run
    if other != run_id:
        _refuse_deleted(mine, other)
        runs.registry().cancel(run_id)
        return Confirmed(
            other, False, f"Run {other} was confirmed for exactly this: nothing was sent again."
        )
    if mine.registry.go_on(run_id):
        runs.spawn(run_id)
    return Confirmed(run_id, receipt.new, "" if receipt.new else "This was confirmed already.")


def is_deleted(run_id: str) -> bool:
    """Whether a run that the ledger knows is not here any more."""
    try:
        return runs.get(run_id).kind != KIND
    except BadInput:
        return True


def _refuse_deleted(mine: BatchJob, other: str) -> None:
    """Refuse to pay again for what a deleted run paid for, unless that is said.

    Raises:
        BadInput: the other run is not here any more.
    """
    if is_deleted(other):
        ids = ",".join(state.batch_id for state in mine.ledger.parts_of(other) if state.batch_id)
        raise BadInput(
            f"Exactly this was sent before, by run {other}, which was deleted.",
            f"Its batches can be collected again for nothing: {ids}. Or confirm that it may be "
            "charged twice (--again).",
        )


def _check(mine: BatchJob, shown: Estimate, may_charge_twice: bool) -> None:
    """Refuse what must not be confirmed, or not like this."""
    state = mine.registry.get(mine.run_id).state
    if state is not RunState.AWAITING_CONFIRMATION:
        if shown.attempt in mine.confirmed():
            return  # somebody else said yes since that was looked up: the ledger settles it
        raise BadInput(f"Run {mine.run_id} is {state}: it waits for no confirmation.")
    now = repriced(mine.spec, mine.folder, shown)
    if now.plan_hash != shown.plan_hash:
        keep_estimate(mine.folder, now)
        raise PlanChanged(
            "The price table has changed since this estimate was made.",
            "It was made anew with today's prices: look at it again; nothing was sent.",
        )
    if shown.dollars is None:
        raise BadInput(
            f"No price is known for {shown.model}.",
            "Give the prices of a million input and output tokens: nothing is guessed.",
        )
    capped = over_cap(mine.spec.max_usd, shown.dollars)
    if capped:
        raise BadInput(
            capped,
            "Nothing was sent. Begin anew with fewer pairs, or with a higher cap (--max-usd).",
        )
    if shown.may_charge_twice and not may_charge_twice:
        raise BadInput(
            "Some of these requests may be at the provider already.",
            "Confirm that they may be charged twice, or cancel.",
        )
    mine.check_unchanged(shown)
    known = labelled_meanwhile(mine, shown)
    if known:
        renew(mine.run_id)
        told = "request has" if known == 1 else "requests have"
        raise PlanChanged(
            f"{known:,} of these {told} labels by now, which need not be paid again.",
            "The estimate was made anew without them: look at it again; nothing was sent.",
        )


def give_prices(run_id: str, input_usd: float, output_usd: float) -> Estimate:
    """Price an estimate whose model has no known price; the dollars are per million tokens.

    Raises:
        BadInput: a number is no price, or there is no estimate yet.
        NotAllowed: the visitor may not decide on a cost.
    """
    access.require(access.Action.SPEND)
    mine = open_job(run_id)
    shown = mine.estimate()
    if shown is None:
        raise BadInput(f"Run {run_id} has no estimate yet.")
    keep_prices(mine.folder, input_usd, output_usd)
    now = repriced(mine.spec, mine.folder, shown)
    keep_estimate(mine.folder, now)
    return now


def renew(run_id: str) -> None:
    """Have the estimate made anew, with its files, where it was not confirmed.

    Raises:
        BadInput: the run waits for no confirmation.
        NotAllowed: the visitor may not decide on a cost.
    """
    mine, shown = _waiting(run_id)
    if mine.registry.go_on(run_id):
        # If somebody said yes to it meanwhile, the worker needs it as it was confirmed.
        if shown.attempt not in mine.confirmed():
            estimate_path(mine.folder, shown.attempt).unlink(missing_ok=True)
        runs.spawn(run_id)


def ask_all(run_id: str, every: bool) -> None:
    """Have the estimate made anew: with all texts, or without those that have labels already.

    Raises:
        BadInput: the run waits for no confirmation.
        NotAllowed: the visitor may not decide on a cost.
    """
    mine, shown = _waiting(run_id)
    mine.ask_all(shown.attempt, every)
    renew(run_id)


def _waiting(run_id: str) -> tuple[BatchJob, Estimate]:
    access.require(access.Action.SPEND)
    mine = open_job(run_id)
    shown = mine.estimate()
    if shown is None or shown.attempt in mine.confirmed():
        raise BadInput(f"Run {run_id} has no estimate that waits for a confirmation.")
    return mine, shown


def decline(run_id: str) -> None:
    """Say no to an estimate: a run with results keeps them, one without is cancelled.

    Raises:
        BadInput: the run waits for no confirmation.
        NotAllowed: the visitor may not decide on a cost.
    """
    access.require(access.Action.SPEND)
    mine = open_job(run_id)
    shown = mine.estimate()
    if mine.registry.get(run_id).state is not RunState.AWAITING_CONFIRMATION:
        raise BadInput(f"Run {run_id} waits for no confirmation.")
    if read_summary(mine) is None:
        mine.registry.cancel(run_id)
        return
    if shown is not None and shown.attempt not in mine.confirmed():
        estimate_path(mine.folder, shown.attempt).unlink(missing_ok=True)
        mine.ask_no_more()
    mine.registry.finish(run_id, RunState.DONE)


@dataclass(frozen=True, slots=True)
class Example:
    """One request as it stands in the file: what the model reads, and the whole body as JSON."""

    key: TextKey
    system: str
    user: str
    body: str


def examples(run_id: str, rows: int = 3) -> list[Example]:
    """Both requests of the first few rows of the estimate that is in force.

    Raises:
        BadInput: there is no estimate, or its first file is gone.
    """
    job = open_job(run_id)
    shown = job.estimate()
    if shown is None or not shown.files:
        raise BadInput(f"Run {run_id} has prepared no requests yet.", "Wait until it has.")
    path = job.data_dir / shown.files[0].path
    if not path.is_file():
        raise BadInput(f"The request file {path.name} is gone.", "Have the estimate made anew.")
    found: list[Example] = []
    for one in islice(read_requests([path]), 2 * rows):
        key = TextKey.from_custom_id(one.custom_id)
        said = {str(part["role"]): str(part["content"]) for part in _messages(one.body)}
        if key is not None:
            body = json.dumps(one.body, indent=1, ensure_ascii=False)
            found.append(Example(key, said.get("system", ""), said.get("user", ""), body))
    return found


def _messages(body: object) -> list[dict[str, object]]:
    messages = body.get("messages") if isinstance(body, dict) else None
    return messages if isinstance(messages, list) else []


_Number = TypeVar("_Number", int, float)


def cap(run_id: str) -> float | None:
    """The most that the run may cost, in dollars; None where nobody set a cap.

    Raises:
        BadInput: the setting is no number.
    """
    asked, text = open_job(run_id).spec.max_usd, setting(CAP).strip()
    over_cap(asked, None)
    return min([*([float(text)] if text else []), *([asked] if asked else [])], default=None)


def refusal(run_id: str, estimate: Estimate) -> str:
    """Why an estimate cannot be accepted as it is; empty if it can."""
    if estimate.dollars is None:
        return "Without a price nothing is sent."
    return over_cap(open_job(run_id).spec.max_usd, estimate.dollars)


def files_changed(run_id: str) -> bool:
    """Whether the request files of a run are not those that were confirmed: it cannot go on."""
    job = open_job(run_id)
    estimate = job.estimate()
    try:
        if estimate is not None:
            job.check_unchanged(estimate)
    except PlanChanged:
        return True
    return False


def confirmed_as(run_id: str, estimate: Estimate) -> str:
    """The other run that has a yes to exactly these requests, for the same account; or nothing."""
    job = open_job(run_id)
    try:
        account = account_for(job.spec.base_url).fingerprint
    except BackendUnavailable:
        return ""
    found = job.ledger.confirmed_run(estimate.plan_hash, account)
    return found if found and found != run_id else ""


@dataclass(frozen=True, slots=True)
class Took:
    """What an attempt really took; None where it is not known yet."""

    input_tokens: int | None
    output_tokens: int | None
    usd: float | None


def attempts(run_id: str) -> list[tuple[Estimate, Took]]:
    """Every confirmed attempt: its estimate beside what it took."""
    job = open_job(run_id)
    confirmed, parts = job.confirmed(), job.parts()
    found = []
    for estimate in job.estimates():
        if estimate.attempt not in confirmed:
            continue
        if estimate.mode == "now":
            found.append((estimate, _used_now(run_id, estimate.attempt)))
            continue
        own = [state for state in parts if state.key.attempt == estimate.attempt]
        tokens_in = _sum([state.input_tokens for state in own])
        tokens_out = _sum([state.output_tokens for state in own])
        found.append((estimate, Took(tokens_in, tokens_out, _sum([state.usd for state in own]))))
    return found


def _used_now(run_id: str, attempt: int) -> Took:
    """What a round at once took, as the manifest tells it."""
    for one in (runs.manifest(run_id) or {}).get("attempts", []):
        if one["attempt"] == attempt:
            return Took(one["input_tokens"], one["output_tokens"], one["usd"])
    return Took(None, None, None)


def _sum(numbers: Sequence[_Number | None]) -> _Number | None:
    """The sum of what is known; None if nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known[1:], known[0]) if known else None


def rounds_left(run_id: str) -> int:
    """How many more rounds of asking again there may be."""
    made = [one for one, _ in attempts(run_id) if one.reason == "repair"]
    return max(MOST_REPAIRS - len(made), 0)
