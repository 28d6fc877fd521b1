"""Sends one confirmed part, so that no confirmation ever makes two batches.

Each stage is in the ledger before its call is made. After `creating` only an answer, or the batch
found in the provider's list, leads on: never a second call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import chain, repeat

import ivan_core
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.labels import AnswerLost, BatchProvider, BatchState
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import UNSENT, Part, PartKey, PartState, PlanChanged, Stage
from ivan_core.runs.storage import file_sha256

PATIENCE = 600.0
"""Seconds for which a batch that may have been created is looked for."""
_PAUSES = (2.0, 4.0, 8.0, 16.0, 30.0)
_LONGEST_PAUSE = 60.0
_CLOCKS_DIFFER = 24 * 3600.0
"""Seconds by which the provider's clock may be behind ours at the most; older batches are none."""
_CALLED_OFF = ("failed", "cancelling", "cancelled")
_MOST_NAMED = 5
_NOT_FOUND = "The provider may have created the batch, but it is not in its list."


def send_part(
    ledger: Ledger,
    provider: BatchProvider,
    key: PartKey,
    plan_hash: str,
    sleep: Callable[[float], None] = time.sleep,
) -> PartState:
    """Send a part if it was not sent before, and return how far it is.

    May be called again at any time, by any process. `in doubt` at the end means: ten minutes of
    looking found no batch, and only a new confirmation that says so may send these rows again.
    While another process sends parts of the run, what it has written so far is returned.

    Raises:
        BadInput: nothing was confirmed, or for another account.
        PlanChanged: the plan or the file is not the one that was confirmed; nothing was sent.
        BackendUnavailable: the provider refused or is away. No batch was created: call again.
    """
    ledger.check(key, provider.account, plan_hash)
    with ledger.sending(key.run) as mine:
        if mine:
            state = ledger.part(key)
            if state.stage is Stage.CREATING:
                # Its sender is gone, for the lock was free: nobody will hear the answer.
                ledger.move(key, Stage.IN_DOUBT, problem="IVAN was stopped while it was sent.")
            elif state.stage in UNSENT:
                _send(ledger, provider, state.part)
    return settle(ledger, provider, key, sleep)


def _send(ledger: Ledger, provider: BatchProvider, part: Part) -> None:
    key, path = part.key, ledger.path_of(part)
    _same_bytes(ledger, part)
    if not ledger.move(key, Stage.UPLOADING):
        return
    try:
        file_id = provider.upload(path)
    except BackendUnavailable as error:
        ledger.move(key, Stage.PLANNED, problem=error.message)
        raise
    _same_bytes(ledger, part)
    marks = {**part.marks, "ivan": ivan_core.__version__}
    if not ledger.move(key, Stage.UPLOADED, file_id=file_id):
        return
    if not ledger.move(key, Stage.CREATING, sent=ledger.now()):
        return
    try:
        batch_id = provider.create(file_id, marks)
    except AnswerLost as error:
        ledger.move(key, Stage.IN_DOUBT, problem=error.message)
    except BackendUnavailable as error:
        ledger.take_back(key, error.message)
        raise
    else:
        if batch_id:
            ledger.move(key, Stage.CREATED, batch_id=batch_id)
        else:
            ledger.move(key, Stage.IN_DOUBT, problem="The provider answered without an id.")


def _same_bytes(ledger: Ledger, part: Part) -> None:
    path = ledger.path_of(part)
    try:
        unchanged = file_sha256(path) == part.sha256
    except OSError as error:
        raise PlanChanged(
            f"The file of part {part.key.part}, {path.name}, cannot be read any more.",
            "Make the files again and look at the estimate again; nothing was sent.",
        ) from error
    if not unchanged:
        raise PlanChanged(
            f"The file of part {part.key.part}, {path.name}, has changed since it was confirmed.",
            "Look at the estimate again; nothing was sent.",
        )


def settle(
    ledger: Ledger,
    provider: BatchProvider,
    key: PartKey,
    sleep: Callable[[float], None] = time.sleep,
) -> PartState:
    """Look for the batch of a part in doubt, until ten minutes after the doubt arose.

    Called later than that it looks once. A part that is not in doubt stays as it is.

    Raises:
        BadInput: the part was confirmed for another account.
    """
    ledger.check(key, provider.account)
    state = ledger.part(key)
    if state.stage is not Stage.IN_DOUBT:
        return state
    left = min(PATIENCE, state.changed + PATIENCE - ledger.now())
    said = state.problem
    for pause in chain(_PAUSES, repeat(_LONGEST_PAUSE)):
        try:
            found = _matching(provider, state)
            problem = _NOT_FOUND
        except BackendUnavailable as error:
            found, problem = [], f"The provider's list cannot be read: {error.message}"
        if found:
            ledger.move(key, Stage.CREATED, batch_id=found[0].id, note=_found_note(found))
            break
        if problem != said:
            ledger.note_problem(key, problem)
            said = problem
        if left <= 0:
            break
        sleep(min(pause, left))
        left -= pause
    return ledger.part(key)


def _matching(provider: BatchProvider, state: PartState) -> list[BatchState]:
    """The batches that carry all marks of the part, the first created first."""
    marks, found = state.part.marks, []
    oldest = (state.sent or state.changed) - _CLOCKS_DIFFER
    for batch in provider.batches():
        if batch.created is not None and batch.created < oldest:
            break
        if all(batch.metadata.get(name) == value for name, value in marks.items()):
            found.append(batch)
    return found[::-1]


def twins(provider: BatchProvider, state: PartState) -> list[str]:
    """Ids of other batches at work or done that carry all marks of a part: each is one too many.

    A gateway that repeats a request makes them without anybody here knowing.

    Raises:
        BackendUnavailable: the provider's list cannot be read.
    """
    if not state.part.sha256:  # a batch from elsewhere carries no marks of ours
        return []
    found = _matching(provider, state)
    return [one.id for one in found if one.id != state.batch_id and one.status not in _CALLED_OFF]


def too_many(ids: Sequence[str]) -> str:
    """What to do about batches that are there twice."""
    one = len(ids) == 1
    listed = ", ".join(ids[:_MOST_NAMED]) + (" and more" if len(ids) > _MOST_NAMED else "")
    return (
        f"The provider has {'another batch' if one else f'{len(ids):,} other batches'} of this "
        f"part, which may be charged too: {listed}. Cancel {'it' if one else 'them'} on the "
        f"provider's page of batches, or with a POST to /batches/{ids[0]}/cancel."
    )


def _found_note(found: list[BatchState]) -> str:
    if len(found) == 1:
        return "The answer was lost; the batch was found in the provider's list."
    return "The answer was lost; the first batch found in the provider's list was taken. " + (
        too_many([batch.id for batch in found[1:]])
    )
