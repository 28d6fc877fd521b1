"""The ledger: one SQLite file that says what was confirmed and how far each sending is.

It lies outside the run folders, holds no key and no text, and is on disk before a call is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import BatchState
from ivan_core.ledger import tables
from ivan_core.ledger.records import (
    COMES_FROM,
    OPEN,
    UNSENT,
    Confirmation,
    Part,
    PartKey,
    PartState,
    Receipt,
    Spent,
    Stage,
)
from ivan_core.runs.locks import FileLock

_LONGEST_PROBLEM = 500
_DOUBT_LASTS = 48 * 3600.0
"""Seconds after which a batch that nobody found cannot be at work: a batch lives for 24 hours."""


class Ledger:
    """All that one data folder ever sent. Cheap to make; each call opens its own connection.

    Every method raises StorageProblem where the data folder cannot be written.
    """

    def __init__(self, data_dir: Path, now: Callable[[], float] = time.time) -> None:
        self.data_dir = data_dir
        self.now = now
        self._file = tables.LedgerFile(data_dir / "ledger.sqlite")

    def confirm(self, asked: Confirmation, parts: Sequence[Part], account: str) -> Receipt:
        """Keep a person's yes to a plan, for one account; of several at once exactly one is new.

        A plan that another run was confirmed for is not confirmed again: the receipt names that
        run. Parts of earlier attempts that were never sent give way to those of the same number.

        Raises:
            PlanChanged: another plan was confirmed as this attempt.
            BadInput: the same requests are at the provider, or may be, and the confirmation does
                not say that they may be charged twice; or the attempt is another account's.
        """
        with self._file.writing() as db:
            mine = "c.run=? AND c.attempt=?"
            standing = tables.confirmations(db, mine, (asked.run, asked.attempt))
            if standing:
                tables.check(db, asked.run, asked.attempt, account, asked.plan_hash)
            elif not asked.may_charge_twice:
                elsewhere = f"run!=? AND {tables.THIS_PLAN}"
                plan = (asked.run, asked.plan_hash, account)
                standing = tables.confirmations(db, elsewhere, plan)
            if standing:
                return Receipt(standing[0], new=False)
            for part in () if asked.may_charge_twice else parts:
                tables.refuse_twice(db, part, account)
            tables.confirm(db, asked, account)
            for part in parts:
                of_number = (asked.run, part.key.part)
                tables.abandon(db, self.now(), "run=? AND part=?", of_number)
                tables.insert(db, part, Stage.PLANNED, self.now())
        return Receipt(asked, new=True)

    def check(self, key: PartKey, account: str, plan_hash: str | None = None) -> None:
        """Refuse to act for another account than the one confirmed, or on another plan.

        Raises:
            BadInput: the account is another one, or nothing was confirmed.
            PlanChanged: the plan is another one.
        """
        with self._file.reading() as db:
            tables.check(db, key.run, key.attempt, account, plan_hash)

    @contextmanager
    def sending(self, run: str) -> Iterator[bool]:
        """Be the only one who sends parts of a run; False while another is at it."""
        lock = FileLock(self.data_dir / "ledger.locks" / run)
        try:
            yield lock.acquire()
        finally:
            lock.release()

    def move(self, key: PartKey, stage: Stage, **facts: str | int | float | None) -> bool:
        """Take a part to its next stage, if that follows on the one it is in now.

        Of two that try at the same moment one is told no. `facts` are columns of the part; a
        problem that is not among them is over.
        """
        return self._move(key, COMES_FROM[stage], stage, facts)

    def take_back(self, key: PartKey, problem: str) -> bool:
        """The provider refused to create the batch: the part is where it was before that call.

        Only who made the call may say so. It is no stage that anybody can move to: another who
        has just uploaded the same part would end the call that is under way.
        """
        return self._move(key, (Stage.CREATING,), Stage.UPLOADED, {"problem": problem})

    def open_again(self, key: PartKey, problem: str) -> bool:
        """What was collected of a part is less than the provider has: it is to be fetched again."""
        return self._move(
            key, (Stage.DOWNLOADED, Stage.VALIDATED), Stage.TERMINAL, {"problem": problem}
        )

    def close(self, key: PartKey, note: str) -> bool:
        """A person gives up what the provider does not deliver of an ended batch."""
        return self._move(key, (Stage.TERMINAL,), Stage.DOWNLOADED, {"note": note})

    def _move(
        self,
        key: PartKey,
        before: tuple[Stage, ...],
        stage: Stage,
        facts: dict[str, str | int | float | None],
    ) -> bool:
        facts["problem"] = str(facts.get("problem") or "")[:_LONGEST_PROBLEM]
        names = "".join(f", {name}=?" for name in facts)
        with self._file.writing() as db:
            changed = db.execute(
                f"UPDATE parts SET stage=?, changed=?{names} WHERE {tables.THIS_PART} "
                f"AND stage IN ({', '.join('?' * len(before))})",
                (stage, self.now(), *facts.values(), key.run, key.part, key.attempt, *before),
            )
        return changed.rowcount == 1

    def note_problem(self, key: PartKey, problem: str) -> None:
        """Say what stands in the way of a part that stays where it is."""
        with self._file.writing() as db:
            db.execute(
                f"UPDATE parts SET problem=? WHERE {tables.THIS_PART}",
                (problem[:_LONGEST_PROBLEM], key.run, key.part, key.attempt),
            )

    def note(self, key: PartKey, note: str) -> None:
        """Keep what else is to be known of a part."""
        with self._file.writing() as db:
            db.execute(
                f"UPDATE parts SET note=? WHERE {tables.THIS_PART}",
                (note[:_LONGEST_PROBLEM], key.run, key.part, key.attempt),
            )

    def adopt(
        self, key: PartKey, batch_id: str, account: str, by: str, requests: int = 0
    ) -> PartState:
        """Take in a batch by its id: one made elsewhere, or the one that a doubt was about.

        A batch that the run has already stays as it is.

        Raises:
            BadInput: the part has another batch, or the account is another one.
        """
        asked = Confirmation(key.run, key.attempt, "", None, self.now(), by)
        with self._file.writing() as db:
            known = tables.parts(db, "run=? AND batch_id=?", (key.run, batch_id))
            if known:
                return known[0]
            tables.confirm(db, asked, account)
            tables.check(db, key.run, key.attempt, account, None)
            new = tables.insert(db, Part(key, "", requests, ""), Stage.CREATED, self.now())
            before = tables.part(db, key)
            if not new and before.stage is not Stage.IN_DOUBT:
                raise BadInput(
                    f"Part {key.part} of run {key.run} is {before.stage}: it takes no other batch.",
                    "Give the batch to a run of its own.",
                )
            db.execute(
                "UPDATE parts SET stage=?, changed=?, batch_id=?, problem='', note=? "
                f"WHERE {tables.THIS_PART}",
                (
                    Stage.CREATED,
                    self.now(),
                    batch_id,
                    "The id of the batch was typed in.",
                    key.run,
                    key.part,
                    key.attempt,
                ),
            )
            return tables.part(db, key)

    def abandon_unsent(self, run: str) -> int:
        """Give up all parts that were not sent, as when a run is cancelled; returns how many."""
        with self._file.writing() as db:
            return tables.abandon(db, self.now(), "run=?", (run,))

    def record_terminal(self, key: PartKey, batch: BatchState, usd: float | None = None) -> bool:
        """The batch has ended: how, with how many tokens, and what they cost."""
        return self.move(
            key,
            Stage.TERMINAL,
            status=batch.status,
            input_tokens=batch.input_tokens,
            output_tokens=batch.output_tokens,
            usd=usd,
            problem="; ".join(problem.message for problem in batch.problems),
        )

    def record_downloaded(self, key: PartKey) -> bool:
        """Its files are here, whole."""
        return self.move(key, Stage.DOWNLOADED)

    def record_validated(self, key: PartKey) -> bool:
        """Every line of its files was judged."""
        return self.move(key, Stage.VALIDATED)

    def part(self, key: PartKey) -> PartState:
        """One part, as it is now.

        Raises:
            BadInput: there is no such part.
        """
        with self._file.reading() as db:
            return tables.part(db, key)

    def path_of(self, part: Part) -> Path:
        """Where the part's file lies."""
        return self.data_dir / part.path

    def parts_of(self, run: str) -> list[PartState]:
        """All parts of a run, by attempt and number."""
        with self._file.reading() as db:
            return tables.parts(db, "run=?", (run,))

    def parts_with_batch(self, batch_id: str) -> list[PartState]:
        """Where a batch is known, in whichever runs."""
        with self._file.reading() as db:
            return tables.parts(db, "batch_id=?", (batch_id,))

    def attempts(self, run: str) -> list[Confirmation]:
        """The confirmations of a run, in the order given; each is one attempt."""
        with self._file.reading() as db:
            return tables.confirmations(db, "run=?", (run,))

    def account_of(self, run: str, attempt: int) -> str:
        """The account that an attempt was confirmed for; empty if nobody confirmed it."""
        with self._file.reading() as db:
            row = db.execute(
                "SELECT account FROM confirmations WHERE run=? AND attempt=?", (run, attempt)
            ).fetchone()
        return str(row[0]) if row else ""

    def next_attempt(self, run: str) -> int:
        """The number of the attempt that a new estimate is for. It belongs into the estimate."""
        return max((given.attempt for given in self.attempts(run)), default=0) + 1

    def confirmed_run(self, plan_hash: str, account: str) -> str | None:
        """The run that was confirmed for a plan already and not given up, if there is one."""
        with self._file.reading() as db:
            found = tables.confirmations(db, tables.THIS_PLAN, (plan_hash, account))
        return found[0].run if found else None

    def has_live_batch(self, run: str) -> bool:
        """Whether a batch of the run is at work, or may be: then the run must not be deleted."""
        return any(self._at_work(state) for state in self.parts_of(run))

    def _at_work(self, state: PartState) -> bool:
        if state.stage is Stage.CREATED:
            return True
        return state.stage in OPEN and self.now() - (state.sent or state.changed) < _DOUBT_LASTS

    def next_parts_to_send(self, run: str, token_limit: int | None = None) -> list[PartState]:
        """The parts of a run that may be sent now, in order.

        `token_limit` is what the account may have in the queue: batches at work count, those of
        other runs too. A part for which there is no room waits, and so do those after it; where
        the queue is empty the first part goes, however large.
        """
        with self._file.reading() as db:
            everything = tables.parts(db, tables.SAME_ACCOUNT, (run,))
        waiting = [s for s in everything if s.key.run == run and s.stage in UNSENT]
        if token_limit is None:
            return waiting
        at_work = [state.part.tokens for state in everything if self._at_work(state)]
        queued = sum(at_work)
        fitting: list[PartState] = []
        for state in waiting:
            queued += state.part.tokens
            if queued > token_limit and (at_work or fitting):
                break
            fitting.append(state)
        return fitting

    def spent(self, run: str) -> Spent:
        """What a run cost so far, what was confirmed for it, and how much is not known yet."""
        states = [s for s in self.parts_of(run) if s.stage not in (*UNSENT, Stage.ABANDONED)]
        costs = [state.usd for state in states if state.usd is not None]
        confirmed = [given.usd for given in self.attempts(run)]
        known = [usd for usd in confirmed if usd is not None]
        return Spent(
            usd=sum(costs),
            confirmed_usd=sum(known) if confirmed and len(known) == len(confirmed) else None,
            parts_open=len(states) - len(costs),
        )
