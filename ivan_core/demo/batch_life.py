"""The life of a batch: checked, run line by line, ended; each in a thread of its own."""

from __future__ import annotations

import hashlib
import threading
import time

from ivan_core.demo import fault_names as names
from ivan_core.demo.answers import AnswerText
from ivan_core.demo.batch_check import check
from ivan_core.demo.batch_work import BatchWork
from ivan_core.demo.faults import Faults, Setting
from ivan_core.demo.result_files import BATCHES, plan_damage
from ivan_core.demo.state import DemoState, StoredBatch

_PATIENCE_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
"""What a retrieve waits at the most for a batch that ends at once: a busy machine is slow."""
_CHECKED, _RUN = 0.1, 0.9
"""Shares of a batch's time after which it is checked, and after which its lines are run."""
_FULL = "The account's limit of enqueued tokens is reached."


class BatchLife:
    """Moves batches from validating to their end, over `seconds`.

    With 0 seconds a batch starts at the first retrieve, which waits for its end.
    """

    def __init__(
        self, state: DemoState, faults: Faults, answer: AnswerText, seconds: float
    ) -> None:
        self._state = state
        self._faults = faults
        self._answer = answer
        self._seconds = seconds
        self._threads: dict[str, threading.Thread] = {}
        self._halts: dict[str, threading.Event] = {}
        self._stopped = False

    def created(self, batch: StoredBatch) -> None:
        """A batch is there: with a length of its own it starts right away."""
        lag = self._take(names.LAGGING_LIST)
        if lag is not None:
            batch.hidden_lists = int(lag.amount)
        if self._seconds > 0:
            self._start(batch)

    def retrieved(self, batch: StoredBatch) -> None:
        """Somebody looks at a batch: one without a length of its own ends now."""
        if self._seconds == 0 and not batch.ended:
            self._start(batch).join(_LONGEST_SECONDS)

    def cancel(self, batch: StoredBatch) -> None:
        """Finish no further line of the batch."""
        batch.move("cancelling")
        self._halt(batch).set()
        self._state.save()

    def go_on(self) -> None:
        """Start the batches that an earlier server left unfinished."""
        for batch in list(self._state.batches.values()):
            if not batch.ended and self._seconds > 0:
                self._start(batch)

    def stop(self) -> None:
        """Leave all batches where they are."""
        with self._state.lock:
            self._stopped = True
            for halt in self._halts.values():
                halt.set()
            running = list(self._threads.values())
        for thread in running:
            thread.join(_PATIENCE_SECONDS)

    def _start(self, batch: StoredBatch) -> threading.Thread:
        with self._state.lock:
            if batch.id not in self._threads:
                thread = threading.Thread(target=self._live, args=(batch,), daemon=True)
                self._threads[batch.id] = thread
                self._halt(batch)
                thread.start()
            return self._threads[batch.id]

    def _live(self, batch: StoredBatch) -> None:
        content = self._state.files[batch.input_file_id].content
        checked = check(content, batch.endpoint)
        problems = list(checked.problems)
        if self._take(names.VALIDATION_FAILURE):
            code = "token_limit_exceeded"
            problems = [{"code": code, "line": None, "message": _FULL, "param": None}]
        start = time.monotonic()
        self._pause(batch, start, _CHECKED)
        if self._stopped:
            return
        if problems:
            with self._state.lock:
                batch.errors = problems
                batch.move("cancelled" if batch.status == "cancelling" else "failed")
                self._state.save()
            return
        damage = plan_damage(checked.lines, self._faults, hashlib.sha256(content).digest())
        work = BatchWork(self._state, batch, checked.lines, damage, self._answer)
        self._run(work, start)

    def _run(self, work: BatchWork, start: float) -> None:
        batch, number = work.batch, len(work.lines)
        most: float = number
        early = batch.status == "cancelling" and self._seconds == 0
        if early:
            # Without a length of its own a cancelled batch is taken to have come half way.
            most = number / 2
        expiry = self._take(names.EXPIRED)
        if expiry is not None:
            most = min(most, number * expiry.amount)
        work.begin()
        for place, line in enumerate(work.lines):
            if place >= most or self._stopped or (self._halt(batch).is_set() and not early):
                break
            work.run(line)
            self._pause(batch, start, _CHECKED + (_RUN - _CHECKED) * (place + 1) / number)
        if expiry is None:
            with self._state.lock:
                if batch.status == "in_progress" and not self._stopped:
                    batch.move("finalizing")
            self._pause(batch, start, 1.0)
        if self._stopped:
            return
        if expiry is not None and batch.status != "cancelling":
            work.expire()
        work.finish("completed" if expiry is None else "expired")

    def _pause(self, batch: StoredBatch, start: float, share: float) -> None:
        """Wait until this share of the batch's time is over, or it is halted."""
        left = start + share * self._seconds - time.monotonic()
        if left > 0:
            self._halt(batch).wait(left)

    def _halt(self, batch: StoredBatch) -> threading.Event:
        return self._halts.setdefault(batch.id, threading.Event())

    def _take(self, fault: str) -> Setting | None:
        return self._faults.take(fault, "POST", BATCHES)
