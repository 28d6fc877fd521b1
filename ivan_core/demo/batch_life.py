"""The life of a batch: checked, run line by line, written to its files; in a thread of its own."""

from __future__ import annotations

import hashlib
import threading
import time

from ivan_core.demo import fault_names as names
from ivan_core.demo.answers import AnswerText
from ivan_core.demo.batch_check import BatchLine, check
from ivan_core.demo.completions import completion, read_chat, reply_to
from ivan_core.demo.faults import Faults
from ivan_core.demo.result_files import (
    Damage,
    error_null,
    error_status,
    file_bytes,
    plan_damage,
    result_line,
)
from ivan_core.demo.state import DemoState, StoredBatch

_PATIENCE_SECONDS = 5.0
_EXPIRED = "This request could not be executed before the completion window expired."
_Row = dict[str, object]


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
        self._cancelled: dict[str, threading.Event] = {}
        self._stopped = False

    def created(self, batch: StoredBatch) -> None:
        """A batch is there: with a length of its own it starts right away."""
        lag = self._faults.take(names.LAGGING_LIST, "POST", "/v1/batches")
        if lag is not None:
            batch.hidden_lists = int(lag.amount)
        if self._seconds > 0:
            self._start(batch)

    def retrieved(self, batch: StoredBatch) -> None:
        """Somebody looks at a batch: one without a length of its own ends now."""
        if self._seconds > 0:
            return
        self._start(batch).join(_PATIENCE_SECONDS)

    def cancel(self, batch: StoredBatch) -> None:
        """Finish no further line of the batch."""
        with self._state.lock:
            if batch.ended:
                return
            batch.move("cancelling")
            self._event(batch).set()
            self._state.save()

    def go_on(self) -> None:
        """Start the batches that an earlier server left unfinished."""
        for batch in list(self._state.batches.values()):
            if not batch.ended and self._seconds > 0:
                self._start(batch)

    def stop(self) -> None:
        """Leave all batches where they are."""
        self._stopped = True
        for event in list(self._cancelled.values()):
            event.set()
        for thread in list(self._threads.values()):
            thread.join(_PATIENCE_SECONDS)

    def _event(self, batch: StoredBatch) -> threading.Event:
        return self._cancelled.setdefault(batch.id, threading.Event())

    def _start(self, batch: StoredBatch) -> threading.Thread:
        with self._state.lock:
            self._event(batch)
            if batch.id not in self._threads:
                thread = threading.Thread(target=self._run, args=(batch,), daemon=True)
                self._threads[batch.id] = thread
                thread.start()
            return self._threads[batch.id]

    def _run(self, batch: StoredBatch) -> None:
        if batch.ended:
            return
        content = self._state.files[batch.input_file_id].content
        checked = check(content, batch.endpoint)
        problems = list(checked.problems)
        if self._faults.take(names.VALIDATION_FAILURE, "POST", "/v1/batches"):
            said = "The account's limit of enqueued tokens is reached."
            problems = [
                {"code": "token_limit_exceeded", "line": None, "message": said, "param": None}
            ]
        start = time.monotonic()
        self._pause(batch, start, 0.1)
        if problems:
            self._fail(batch, problems)
            return
        seed = hashlib.sha256(content).digest()
        damage = plan_damage(checked.lines, self._faults, seed)
        self._work(batch, checked.lines, damage, start)

    def _pause(self, batch: StoredBatch, start: float, share: float) -> None:
        """Wait until this share of the batch's time is over, or it is cancelled."""
        left = start + share * self._seconds - time.monotonic()
        if left > 0:
            self._event(batch).wait(left)

    def _work(
        self, batch: StoredBatch, lines: tuple[BatchLine, ...], damage: Damage, start: float
    ) -> None:
        expiry = self._faults.take(names.EXPIRED, "POST", "/v1/batches")
        # A cancelled batch without a length of its own is taken to have come half way.
        most = len(lines) if self._seconds > 0 or batch.status != "cancelling" else 0.5 * len(lines)
        if expiry is not None:
            most = min(most, expiry.amount * len(lines))
        with self._state.lock:
            batch.total, batch.completed, batch.failed = len(lines), 0, 0
            batch.input_tokens = batch.output_tokens = 0
            batch.model = str(lines[0].body["model"])
            if batch.status == "validating":
                batch.move("in_progress")
        done: list[_Row] = []
        errors: list[_Row] = []
        for number, line in enumerate(lines):
            interrupted = self._seconds > 0 and self._event(batch).is_set()
            if number >= most or interrupted or self._stopped:
                break
            self._one(batch, line, damage, done, errors)
            self._pause(batch, start, 0.1 + 0.8 * (number + 1) / len(lines))
        if self._stopped:
            return
        if batch.status == "in_progress" and expiry is None:
            batch.move("finalizing")
            self._pause(batch, start, 1.0)
        if expiry is not None and batch.status != "cancelling":
            rest = lines[len(done) + len(errors) :]
            errors += [error_null(line.custom_id, "batch_expired", _EXPIRED) for line in rest]
        self._finish(batch, lines, damage, done, errors, expired=expiry is not None)

    def _one(
        self,
        batch: StoredBatch,
        line: BatchLine,
        damage: Damage,
        done: list[_Row],
        errors: list[_Row],
    ) -> None:
        setting = damage.lines.get(line.custom_id)
        fault = setting.name if setting else ""
        chat = read_chat(line.body)
        if chat is None or fault == names.ERROR_STATUS or names.NO_OUTPUT_FILE in damage.files:
            errors.append(error_status(line.custom_id))
        elif fault == names.ERROR_NULL:
            errors.append(error_null(line.custom_id, "server_error", "The line was not run."))
        else:
            spoiled = setting if fault in names.of_kind("reply") else None
            reply = reply_to(chat, self._answer, spoiled)
            body = completion(chat, reply)
            done.append(result_line(line.custom_id, body))
            with self._state.lock:
                batch.input_tokens += chat.prompt_tokens
                batch.output_tokens += reply.tokens
        with self._state.lock:
            batch.completed, batch.failed = len(done), len(errors)

    def _finish(
        self,
        batch: StoredBatch,
        lines: tuple[BatchLine, ...],
        damage: Damage,
        done: list[_Row],
        errors: list[_Row],
        expired: bool,
    ) -> None:
        order = [line.custom_id for line in lines]
        if names.ERRORS_IN_OUTPUT in damage.files:
            done = done + [{**row, "response": None, "error": "failed"} for row in errors]
            errors = []
        none = "" if names.EMPTY_FILE_IDS in damage.files else None
        with self._state.lock:
            batch.output_file_id = batch.error_file_id = none
            for name, rows in (("output", done), ("error", errors)):
                if not rows:
                    continue
                content = file_bytes(rows, damage, order, output=name == "output")
                stored = self._state.add_file(
                    batch.account, f"{batch.id}_{name}.jsonl", "batch_output", content
                )
                setattr(batch, f"{name}_file_id", stored.id)
            cancelled = batch.status == "cancelling"
            batch.move("cancelled" if cancelled else "expired" if expired else "completed")
            self._state.save()

    def _fail(self, batch: StoredBatch, problems: list[dict[str, object]]) -> None:
        with self._state.lock:
            batch.errors = problems
            batch.move("cancelled" if batch.status == "cancelling" else "failed")
            self._state.save()
