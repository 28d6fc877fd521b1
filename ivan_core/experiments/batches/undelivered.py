"""Parts that ended and whose answers do not come: what they lack, and closing them as they are."""

from __future__ import annotations

from dataclasses import dataclass

from ivan_core.domain.errors import BadInput
from ivan_core.engine import access, handling as runs
from ivan_core.experiments.batches.job import CLOSED, open_job
from ivan_core.ledger.records import PartKey
from ivan_core.runs.locks import FileLock

_PATIENCE = 2.0


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
    job = open_job(runs.registry(), run_id)
    told, found = job.told(), []
    for state in job.undelivered():
        lacking = told.get(state.key, {}).get("lacking", 0)
        estimate = next((e for e in job.estimates() if e.attempt == state.key.attempt), None)
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
    job = open_job(runs.registry(), run_id)
    with FileLock(job.registry.lock_path(run_id)) as lock:
        if not lock.acquire(timeout=_PATIENCE):
            raise BadInput(f"A worker is at run {run_id}: it looks again.", "Wait until it ended.")
        found = undelivered(run_id)
        if not found:
            raise BadInput(f"No part of run {run_id} lacks an answer that the provider has.")
        for one in found:
            texts = "answer" if one.lacking == 1 else "answers"
            lost = f", without {one.lacking:,} {texts} that were paid for" if one.lacking else ""
            job.ledger.close(one.key, f"{CLOSED} by {by}{lost}.")
    return len(found)
