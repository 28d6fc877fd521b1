"""The life of a batch, in a thread of its own: checked, run line by line, ended with its files."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ivan_core.demo import fault_names as names
from ivan_core.demo.answers import AnswerText, completion, read_chat, reply_to
from ivan_core.demo.batch_files import (
    BATCHES,
    BatchLine,
    Damage,
    check,
    error_null,
    error_status,
    file_bytes,
    plan_damage,
    result_line,
)
from ivan_core.demo.faults import Faults, Setting
from ivan_core.demo.state import DemoState, StoredBatch

_EXPIRED = "This request could not be executed before the completion window expired."
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


@dataclass
class BatchWork:
    """Lines done and failed so far; the batch's counts and tokens follow them."""

    state: DemoState
    batch: StoredBatch
    lines: Sequence[BatchLine]
    damage: Damage
    answer: AnswerText
    done: list[dict[str, object]] = field(default_factory=list)
    errors: list[dict[str, object]] = field(default_factory=list)

    def begin(self) -> None:
        with self.state.lock:
            batch = self.batch
            batch.total, batch.completed, batch.failed = len(self.lines), 0, 0
            batch.input_tokens = batch.output_tokens = 0
            batch.model = str(self.lines[0].body["model"])
            if batch.status == "validating":
                batch.move("in_progress")

    def run(self, line: BatchLine) -> None:
        """Answer one line, or fail it where the switchboard says so."""
        setting = self.damage.lines.get(line.custom_id)
        fault = setting.name if setting else ""
        chat = read_chat(line.body)
        if chat is None or fault == names.ERROR_STATUS or names.NO_OUTPUT_FILE in self.damage.files:
            self._failed(error_status(line.custom_id))
        elif fault == names.ERROR_NULL:
            self._failed(error_null(line.custom_id, "server_error", "The line was not run."))
        else:
            try:
                reply = reply_to(chat, self.answer, setting)
            except Exception as error:
                # A test's own answer may raise: that fails its line, not the batch.
                said = f"{type(error).__name__}: {error}"
                self._failed(error_null(line.custom_id, "server_error", said))
                return
            row = result_line(line.custom_id, completion(chat, reply))
            with self.state.lock:
                self.done.append(row)
                self.batch.completed += 1
                self.batch.input_tokens += chat.billed_tokens
                self.batch.output_tokens += reply.tokens

    def expire(self) -> None:
        """Give every line that was not reached the error that the provider gives it."""
        for line in self.lines[len(self.done) + len(self.errors) :]:
            self._failed(error_null(line.custom_id, "batch_expired", _EXPIRED))

    def finish(self, status: str) -> None:
        """Write the result files and end the batch; a cancelled one ends as cancelled."""
        order = [line.custom_id for line in self.lines]
        done, errors = self.done, self.errors
        if names.ERRORS_IN_OUTPUT in self.damage.files:
            done = done + [{**row, "response": None, "error": "failed"} for row in errors]
            errors = []
        with self.state.lock:
            batch = self.batch
            batch.output_file_id = self._written("output", done, order)
            batch.error_file_id = self._written("error", errors, order)
            batch.move("cancelled" if batch.status == "cancelling" else status)
            self.state.save()

    def _failed(self, row: dict[str, object]) -> None:
        with self.state.lock:
            self.errors.append(row)
            self.batch.failed += 1

    def _written(
        self, name: str, rows: Sequence[dict[str, object]], order: Sequence[str]
    ) -> str | None:
        """The id of the new file; None, or an empty string if told so, where it has no lines."""
        if not rows:
            return "" if names.EMPTY_FILE_IDS in self.damage.files else None
        content = file_bytes(rows, self.damage, order, output=name == "output")
        filename = f"{self.batch.id}_{name}.jsonl"
        return self.state.add_file(self.batch.account, filename, "batch_output", content).id
