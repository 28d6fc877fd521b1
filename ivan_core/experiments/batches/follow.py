"""Sending the confirmed parts of a run and following its batches until all have ended."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ivan_core.backends.openai.client import Redirected
from ivan_core.backends.openai.errors import NoCredit, NotAtProvider, ProviderBusy, RequestRefused
from ivan_core.backends.prices import Price
from ivan_core.domain.errors import BackendUnavailable, IvanError
from ivan_core.domain.labels import BatchProvider, BatchState
from ivan_core.experiments.batches.collect import download, unanswered
from ivan_core.experiments.batches.estimates import prices_of
from ivan_core.experiments.batches.job import BatchJob, is_closed
from ivan_core.experiments.batches.requests import asked_texts
from ivan_core.experiments.batches.watch import LOOKED, NEXT_LOOK
from ivan_core.ledger.records import UNSENT, PartKey, PartState, PlanChanged, Stage
from ivan_core.ledger.sending import send_part, settle, too_many, twins
from ivan_core.runs.context import RunContext

_OVER = (Stage.DOWNLOADED, Stage.VALIDATED, Stage.ABANDONED)
Sleep = Callable[[float], None]
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
LOOKS = 6
"""How often one worker looks for answers that the provider tells of and does not deliver."""
_RARELY = 16
"""Rounds between two looks after that, while other parts are at work."""
_LOOKS_AGAIN = "{}; IVAN looks again."
_LONGEST_ASKED = 900.0
_FINAL = (NoCredit, NotAtProvider, RequestRefused, Redirected, PlanChanged)
"""What trying again does not change."""


@dataclass
class Follower:
    """Takes every part of a run as far as it gets; may be stopped and made anew at any moment."""

    job: BatchJob
    context: RunContext
    provider: BatchProvider
    sleep: Sleep
    clock: Callable[[], float] = time.time
    notes: list[str] = field(default_factory=list)
    _seen: dict[PartKey, BatchState] = field(default_factory=dict)
    _told: dict[PartKey, dict[str, Any]] = field(default_factory=dict)
    _stuck: dict[PartKey, IvanError] = field(default_factory=dict)
    _away: BackendUnavailable | None = None
    _cancel_asked: set[PartKey] = field(default_factory=set)
    _looks: Counter[PartKey] = field(default_factory=Counter)
    _lacking: dict[PartKey, int] = field(default_factory=dict)
    _moved: bool = False
    _rounds: int = 0
    _looked: float | None = None

    def __post_init__(self) -> None:
        # What an earlier worker counted is shown until this one has looked.
        self._told = self.job.told()

    def follow(self) -> IvanError | None:
        """Send, poll and fetch until no batch is at work and nothing waits to be sent.

        Returns what is in the way of the parts that are left, if there are any: the provider
        refused them for good, or a file is not the confirmed one.

        Raises:
            BadInput: the account is not the one of the confirmation.
        """
        pause = FIRST_PAUSE
        while True:
            self.once()
            if not self._waiting():
                break
            pause = FIRST_PAUSE if self._moved else min(2 * pause, LONGEST_PAUSE)
            rest = max(pause, self._asked_pause())
            self._tell(self.clock() + rest)
            self._rest(rest)
            self._tell()
        return next(iter(self._stuck.values()), None)

    @property
    def problem(self) -> IvanError | None:
        """What stands in the way of a part, or of all, as of the last round."""
        return next(iter(self._stuck.values()), self._away)

    @property
    def fetched(self) -> bool:
        """Whether the files of any part were looked at."""
        return bool(self._lacking)

    def once(self, send: bool = True) -> None:
        """One round over all parts. With `send` off, only what was sent is looked at."""
        self._away, self._moved = None, False
        self._rounds += 1
        cancelled = self.job.cancelled
        if cancelled:
            self.job.ledger.abandon_unsent(self.job.run_id)
        self._check_account()
        if send or cancelled:
            self._settle_all()
        if send and not cancelled:
            self._send_all()
        for state in self.job.parts():
            if state.stage is Stage.CREATED and cancelled:
                self._try(state.key, self._cancel)
            patient = self._looks[state.key] < LOOKS or self._rounds % _RARELY == 0
            if state.stage is Stage.CREATED or (state.stage is Stage.TERMINAL and patient):
                self._try(state.key, self._look)
        self._looked = self.clock()
        self._tell()

    def _check_account(self) -> None:
        """Refuse to ask one account about what another one sent."""
        for attempt in {s.key.attempt for s in self.job.parts() if s.stage not in _OVER}:
            key = PartKey(self.job.run_id, 1, attempt)
            self.job.ledger.check(key, self.provider.account)

    def _settle_all(self) -> None:
        """Look for the batches of which nobody knows whether they were made."""
        for state in self.job.parts():
            if state.stage is Stage.CREATING:
                self._try(state.key, self._send)
            elif state.stage is Stage.IN_DOUBT:
                self._try(state.key, self._settle)

    def _send_all(self) -> None:
        limit = self.job.spec.queue_tokens
        for state in self.job.ledger.next_parts_to_send(self.job.run_id, limit):
            if state.key in self._stuck or self._away is not None:
                break
            self._try(state.key, self._send)

    def _send(self, key: PartKey) -> None:
        self.context.doing(f"Sending part {key.part}")
        plans = {one.attempt: one.plan_hash for one in self.job.estimates()}
        if key.attempt not in plans:
            raise PlanChanged(
                f"The estimate that was confirmed as attempt {key.attempt} is gone.",
                "Nothing was sent. Label the texts once more, with an estimate of its own.",
            )
        before = self.job.ledger.part(key).stage
        after = send_part(self.job.ledger, self.provider, key, plans[key.attempt], self._settling)
        self._moved |= after.stage is not before

    def _settle(self, key: PartKey) -> None:
        found = settle(self.job.ledger, self.provider, key, self._settling)
        self._moved |= found.stage is not Stage.IN_DOUBT

    def _settling(self, seconds: float) -> None:
        self.context.doing("An answer was lost: looking for the batch at the provider")
        self.sleep(seconds)

    def _cancel(self, key: PartKey) -> None:
        if key in self._cancel_asked:
            return
        with suppress(RequestRefused):  # it has ended meanwhile, which the next look tells
            self.provider.cancel(self.job.ledger.part(key).batch_id)
        self._cancel_asked.add(key)
        self._moved = True

    def _look(self, key: PartKey) -> None:
        state = self.job.ledger.part(key)
        batch = self.provider.poll(state.batch_id)
        before = self._seen.get(key)
        self._seen[key] = batch
        self._moved |= before is None or before.status != batch.status
        if before is None or batch.ended:
            self._look_for_twins(state)
        if not batch.ended:
            # It had ended before: a provider that says so and so is not asked without end.
            self._looks[key] += state.stage is Stage.TERMINAL
            return
        self.job.ledger.record_terminal(key, batch, self._cost(key, batch))
        self.context.doing(f"Fetching the results of part {key.part}")
        lacks = self._fetch(key, batch)
        if lacks:
            self.job.ledger.note_problem(key, _LOOKS_AGAIN.format(lacks))
        else:
            self.job.ledger.record_downloaded(key)
            self._moved = True

    def _look_for_twins(self, state: PartState) -> None:
        """Name batches of the part that the provider made beside the one that is followed."""
        with suppress(BackendUnavailable):  # the list alone is away: it is read again later
            ids = twins(self.provider, state)
            told = f"Part {state.key.part}: {too_many(ids)}" if ids else ""
            if told and told not in self.notes:
                self.notes.append(told)
                self.job.ledger.note(state.key, too_many(ids))

    def _fetch(self, key: PartKey, batch: BatchState) -> str:
        """Fetch the files of an ended batch; what the provider has and did not deliver."""
        tokens = self.job.spec.max_completion_tokens
        found = download(
            self.job.folder, key, self._asked(key), batch, self.provider, self.sleep, tokens
        )
        ended = [] if batch.status == "completed" else [_ended(key, batch)]
        self.notes += [note for note in (*ended, *found.notes) if note not in self.notes]
        self._lacking[key] = found.lacking
        self._looks[key] += bool(found.problem)
        return found.problem

    def _asked(self, key: PartKey) -> list[str]:
        return [one.custom_id for one in asked_texts(self.context, key.attempt, key.part)]

    def once_more(self) -> None:
        """Look again at parts that were collected and lack answers: a look costs nothing.

        Raises:
            BackendUnavailable: the provider is away.
            BadInput: the account is another one.
        """
        for state in lacking_parts(self.job, self.context):
            if state.key in self._seen:
                continue
            self.job.ledger.check(state.key, self.provider.account)
            try:
                batch = self.provider.poll(state.batch_id)
            except NotAtProvider:  # an old batch: nothing more will come
                continue
            self._seen[state.key] = batch
            asked = self._asked(state.key)
            before = unanswered(self.job.folder, state.key, asked)
            lacks = self._fetch(state.key, batch) if batch.ended else ""
            if is_closed(state):
                # What a person gave up stays given up until it is here.
                if not lacks and unanswered(self.job.folder, state.key, asked) < before:
                    self.job.ledger.move(state.key, Stage.DOWNLOADED, note="The rest came later.")
            elif lacks:
                self.job.ledger.open_again(state.key, _LOOKS_AGAIN.format(lacks))
        self._tell()

    def _cost(self, key: PartKey, batch: BatchState) -> float | None:
        """What a batch cost by its own tokens; None where they or the price are not known."""
        if batch.status == "failed":
            return 0.0
        prices = next((e.prices for e in self.job.estimates() if e.attempt == key.attempt), None)
        if prices is None:  # a batch from elsewhere
            listed = prices_of(self.job.spec, self.job.folder)
            prices = listed.facts if listed else None
        if prices is None or batch.input_tokens is None or batch.output_tokens is None:
            return None
        rates = Price(prices.batch.input_usd, prices.batch.output_usd, prices.source)
        return rates.used(batch.input_tokens, batch.output_tokens)

    def _try(self, key: PartKey, step: Callable[[PartKey], None]) -> None:
        """A step that may fail: a refusal is kept for the end, silence is waited out."""
        try:
            step(key)
            self._stuck.pop(key, None)
        except _FINAL as error:
            self._stuck[key] = error
        except BackendUnavailable as error:
            self._away = error

    def _waiting(self) -> list[PartState]:
        """The parts that a later round may take on."""
        return [
            state
            for state in self.job.parts()
            if state.stage in (*UNSENT, Stage.CREATING, Stage.CREATED, Stage.TERMINAL)
            and not self._hopeless(state)
        ]

    def _hopeless(self, state: PartState) -> bool:
        """Whether the provider refused this part, or one that had to be sent before it."""
        if state.key in self._stuck or self._looks[state.key] >= LOOKS:
            return True
        return state.stage in UNSENT and any(
            self.job.ledger.part(key).stage in UNSENT for key in self._stuck
        )

    def _asked_pause(self) -> float:
        asked = self._away.retry_after if isinstance(self._away, ProviderBusy) else None
        return min(asked or 0.0, _LONGEST_ASKED)

    def _rest(self, seconds: float) -> None:
        """Wait, but not longer than a second after somebody asked to cancel."""
        cancelled = self.job.cancelled
        for step in range(math.ceil(seconds)):
            self.sleep(min(1.0, seconds - step))
            if self.job.cancelled is not cancelled:
                return

    def _tell(self, next_look: float | None = None) -> None:
        states = self.job.parts()
        shown = [self._shown(state) for state in states]
        self.context.tell({"parts": shown, LOOKED: self._looked, NEXT_LOOK: next_look})
        told = sum(one["completed"] + one["failed"] for one in shown)
        self.context.plan(total=sum(state.part.requests for state in states), done=told)
        self.context.doing(self._sentence(states))

    def _sentence(self, states: list[PartState]) -> str:
        if self._away is not None:
            return f"{self._away.message} {self._away.hint}".strip()
        at_work = sum(state.stage is Stage.CREATED for state in states)
        to_send = sum(state.stage in UNSENT for state in states)
        only = len(states) == 1
        lacks = [state for state in states if state.stage is Stage.TERMINAL and state.problem]
        if lacks and not at_work and not to_send:
            return f"Part {lacks[0].key.part}: {lacks[0].problem}"
        told = (
            "Waiting for the batch" if only else f"Waiting for {at_work} of {len(states)} batches"
        )
        if self.job.cancelled:
            return f"{told} to be cancelled"
        return f"{told}; {to_send} wait for room in the queue" if to_send else told

    def _shown(self, state: PartState) -> dict[str, Any]:
        batch = self._seen.get(state.key)
        before, stuck = self._told.get(state.key, {}), self._stuck.get(state.key)
        return {
            "part": state.key.part,
            "attempt": state.key.attempt,
            "state": str(state.stage),
            "status": batch.status if batch else state.status,
            "requests": state.part.requests,
            "total": batch.total if batch else before.get("total", 0),
            "completed": batch.completed if batch else before.get("completed", 0),
            "failed": batch.failed if batch else before.get("failed", 0),
            "lacking": self._lacking.get(state.key, before.get("lacking", 0)),
            "batch": state.batch_id,
            "problem": stuck.message if stuck else state.problem,
        }


def lacking_parts(job: BatchJob, context: RunContext) -> list[PartState]:
    """Parts that were collected although requests of theirs have no line that can be read."""
    return [
        state
        for state in job.parts()
        if state.stage in (Stage.DOWNLOADED, Stage.VALIDATED)
        and state.batch_id
        and unanswered(
            job.folder,
            state.key,
            [one.custom_id for one in asked_texts(context, state.key.attempt, state.key.part)],
        )
    ]


def _ended(key: PartKey, batch: BatchState) -> str:
    """How a batch ended that did not run to its end."""
    told = "; ".join(problem.message.rstrip(".") for problem in batch.problems[:3])
    if batch.status == "failed":
        return f"Part {key.part} was refused as a whole{': ' if told else ''}{told}. Nothing ran."
    word = "expired" if batch.status == "expired" else "was cancelled"
    return f"Part {key.part} {word}: {batch.completed:,} of {batch.total:,} requests were finished."
