"""Answers to prepared requests, asked one by one, kept line by line as batches return them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ivan_core.domain.labels import DEMO_FINGERPRINT
from ivan_core.domain.models import ModelReply
from ivan_core.labels.completions import reply_of
from ivan_core.runs.storage import append_line, storage_errors

Send = Callable[[Mapping[str, object]], ModelReply]
"""Asks for one reply; raises BackendUnavailable where the server is away."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a prepared file."""

    custom_id: str
    body: Mapping[str, object]


class AnswerFile:
    """A file of answers that grows line by line; each is on the disk before the next is asked for.

    A last line torn by a crash is cut off when the file is opened again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answered: set[str] = set()
        self.models: set[str] = set()
        self.input_tokens = self.output_tokens = 0
        self._end = 0
        self._read()

    def _read(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                record = _record(line)
                if not line.endswith(b"\n"):
                    break
                self._end += len(line)
                response = record.get("response")
                if isinstance(response, dict):
                    self.answered.add(str(record.get("custom_id")))
                    self._count(response)

    def _count(self, response: Mapping[str, Any]) -> None:
        with suppress(KeyError, TypeError):
            self.models.add(str(response["body"]["model"]))
        reply = reply_of(response.get("body"))
        self.input_tokens += reply.input_tokens or 0
        self.output_tokens += reply.output_tokens or 0

    def keep(self, custom_id: str, model: str, reply: ModelReply) -> None:
        """Append one answer; after this call it survives a power cut.

        Raises:
            StorageProblem: the disk is full or read-only; earlier answers are intact.
        """
        record = answer_record(custom_id, model, reply)
        data = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with storage_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self.path, self._end, data)
        self._end += len(data)
        if record["response"] is not None:
            self.answered.add(custom_id)
            self._count(record["response"])


def answer_record(custom_id: str, model: str, reply: ModelReply) -> dict[str, Any]:
    """A reply as a line of a batch's result file."""
    if reply.problem:
        error = {"code": "not_answered", "message": reply.problem}
        return {"custom_id": custom_id, "response": None, "error": error}
    message = {"role": "assistant", "content": reply.text, "refusal": reply.refusal or None}
    body: dict[str, Any] = {
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish or None}],
    }
    if reply.demo:
        body["system_fingerprint"] = DEMO_FINGERPRINT
    if reply.input_tokens is not None or reply.output_tokens is not None:
        body["usage"] = {
            "prompt_tokens": reply.input_tokens or 0,
            "completion_tokens": reply.output_tokens or 0,
        }
    response = {"status_code": 200, "body": body}
    return {"custom_id": custom_id, "response": response, "error": None}


def read_requests(paths: Sequence[Path]) -> Iterator[Asked]:
    """The requests of prepared files, which were checked before."""
    for path in paths:
        with path.open("rb") as file:
            for line in file:
                record = json.loads(line)
                yield Asked(record["custom_id"], record["body"])


def answer_all(
    requests: Iterable[Asked],
    answers: AnswerFile,
    send: Send,
    concurrency: int = 1,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Ask for what is not answered yet; returns how many were answered.

    When the server goes away, or somebody stops it, answers on their way are still kept first: they
    are paid for.

    Raises:
        BackendUnavailable: the server is away; call again to go on.
    """
    left = (one for one in requests if one.custom_id not in answers.answered)
    before = len(answers.answered)
    waiting: dict[Future[ModelReply], Asked] = {}
    problem: BaseException | None = None

    def keep(
        futures: Iterable[Future[ModelReply]], tell: Callable[[int], None] | None = None
    ) -> None:
        nonlocal problem
        for future in futures:
            problem = problem or future.exception()
            if future.exception() is None and waiting[future].custom_id not in answers.answered:
                one = waiting[future]
                answers.keep(one.custom_id, str(one.body.get("model")), future.result())
            del waiting[future]
            if tell is not None:
                tell(len(answers.answered))

    with ThreadPoolExecutor(concurrency) as pool:
        try:
            while True:
                if problem is None:
                    for one in islice(left, concurrency - len(waiting)):
                        waiting[pool.submit(send, one.body)] = one
                if not waiting:
                    break
                keep(wait(waiting, return_when=FIRST_COMPLETED).done, progress)
        except BaseException:
            keep(wait(waiting).done)
            raise
    if problem is not None:
        raise problem
    return len(answers.answered) - before


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
