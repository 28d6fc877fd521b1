"""One run through a batch's lines, and the result files that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ivan_core.demo import fault_names as names
from ivan_core.demo.answers import AnswerText
from ivan_core.demo.batch_check import BatchLine
from ivan_core.demo.completions import completion, read_chat, reply_to
from ivan_core.demo.result_files import Damage, error_null, error_status, file_bytes, result_line
from ivan_core.demo.state import DemoState, StoredBatch

_EXPIRED = "This request could not be executed before the completion window expired."


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
