"""Attempts of a run of batches: what may be accepted, what each took, how many are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ivan_core.backends.openai.client import account_for
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.estimates import Estimate
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.batches.estimates import CAP, over_cap
from ivan_core.ledger.records import PlanChanged
from ivan_core.settings import setting

_Number = TypeVar("_Number", int, float)


def cap(run_id: str) -> float | None:
    """The most that the run may cost, in dollars; None where nobody set a cap.

    Raises:
        BadInput: the setting is no number.
    """
    asked, text = taxonomy.job(run_id).spec.max_usd, setting(CAP).strip()
    over_cap(asked, None)
    return min([*([float(text)] if text else []), *([asked] if asked else [])], default=None)


def refusal(run_id: str, estimate: Estimate) -> str:
    """Why an estimate cannot be accepted as it is; empty if it can."""
    if estimate.dollars is None:
        return "Without a price nothing is sent."
    return over_cap(taxonomy.job(run_id).spec.max_usd, estimate.dollars)


def files_changed(run_id: str) -> bool:
    """Whether the request files of a run are not those that were confirmed: it cannot go on."""
    job = taxonomy.job(run_id)
    estimate = job.estimate()
    try:
        if estimate is not None:
            job.check_unchanged(estimate)
    except PlanChanged:
        return True
    return False


def confirmed_as(run_id: str, estimate: Estimate) -> str:
    """The other run that has a yes to exactly these requests, for the same account; or nothing."""
    job = taxonomy.job(run_id)
    try:
        account = account_for(job.spec.base_url).fingerprint
    except BackendUnavailable:
        return ""
    found = job.ledger.confirmed_run(estimate.plan_hash, account)
    return found if found and found != run_id else ""


@dataclass(frozen=True, slots=True)
class Used:
    """What an attempt really took; None where it is not known yet."""

    input_tokens: int | None
    output_tokens: int | None
    usd: float | None


def attempts(run_id: str) -> list[tuple[Estimate, Used]]:
    """Every confirmed attempt: its estimate beside what it took."""
    job = taxonomy.job(run_id)
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
        found.append((estimate, Used(tokens_in, tokens_out, _sum([state.usd for state in own]))))
    return found


def _used_now(run_id: str, attempt: int) -> Used:
    """What a round at once took, as the manifest tells it."""
    for one in (runs.manifest(run_id) or {}).get("attempts", []):
        if one["attempt"] == attempt:
            return Used(one["input_tokens"], one["output_tokens"], one["usd"])
    return Used(None, None, None)


def _sum(numbers: Sequence[_Number | None]) -> _Number | None:
    """The sum of what is known; None if nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known[1:], known[0]) if known else None


def rounds_left(run_id: str) -> int:
    """How many more rounds of asking again there may be."""
    made = [one for one, _ in attempts(run_id) if one.reason == "repair"]
    return max(taxonomy.MOST_REPAIRS - len(made), 0)
