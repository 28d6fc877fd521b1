"""The OpenAI Batch API as a provider of batches; every call is made once.

What it tells of a batch is checked field by field: an answer may hold anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, cast, get_args

from ivan_core.backends.openai.client import Account, make_client, timeouts
from ivan_core.backends.openai.errors import client_errors, lost_answer, provider_problem
from ivan_core.datasets.guarded_http import bounded, request_seconds
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import AnswerLost, BatchProblem, BatchState, BatchStatus
from ivan_core.labels.completions import counted, shortened, whole_text

MOST_PROBLEMS = 20
_LAST_MOMENT = 10**12
_MOST_MARKS, _LONGEST_MARK = 100, 1_000
_BATCH_ID = re.compile(r"[\w.:@+=-]{1,200}", re.ASCII)
_FILE_ID = re.compile(r"[\w.:@+=/-]{1,200}", re.ASCII)
ENDPOINT: Final = "/v1/chat/completions"
FILE_SECONDS = 600.0
"""How long the provider may be silent while a file of up to 200 MB goes to or fro."""
MOST_FILE = 2 * 2**30
"""Bytes of any file of results, unpacked."""
PAGE = 100
MOST_PAGES = 1_000
"""A list that goes on after so many batches goes on for ever."""
T = TypeVar("T")


class OpenAIBatches:
    """Batches of one account. Only `create` can cost money, and it tells a lost answer apart."""

    def __init__(
        self, account: Account, *, read_seconds: float = 60.0, file_seconds: float = FILE_SECONDS
    ) -> None:
        self._account = account
        self._client = make_client(account, read_seconds=read_seconds)
        self._file_timeout = timeouts(file_seconds)
        self._file_seconds = max(file_seconds, request_seconds())

    @property
    def account(self) -> str:
        return self._account.fingerprint

    def upload(self, path: Path) -> str:
        """Upload a request file; a lost answer is harmless, it is uploaded again."""
        with path.open("rb") as lines:
            upload = (path.name, lines, "application/jsonl")
            with bounded(self._file_seconds):
                sent = self._ask(
                    lambda: self._client.files.create(
                        file=upload, purpose="batch", timeout=self._file_timeout
                    )
                )
        return id_of_file(sent) or self._not_understood()

    def create(self, file_id: str, metadata: Mapping[str, str]) -> str:
        """Create a batch. AnswerLost wherever it may exist although no id came back."""
        try:
            batch = self._client.batches.create(
                completion_window="24h",
                endpoint=ENDPOINT,
                input_file_id=file_id,
                metadata=dict(metadata),
            )
        except Exception as error:  # whatever it is, the batch may exist
            lost = lost_answer(error, self._account)
            raise lost or provider_problem(error, self._account, f"file {file_id}") from None
        found = id_of_batch(batch)
        if not found:
            raise AnswerLost(
                f"{self._account.host} took the batch, but its answer names none.",
                "IVAN looks for the batch before it sends anything again.",
            )
        return found

    def batches(self) -> Iterator[BatchState]:
        """Newest first; the next page is asked for only when it is needed."""
        seen = {""}
        after = ""
        for _ in range(MOST_PAGES):
            page = self._page(after)
            if not isinstance(getattr(page, "data", None), list):
                self._not_understood()
            listed = [batch for batch in page.data if id_of_batch(batch)]
            yield from (listed_batch(batch) for batch in listed)
            after = listed[-1].id if listed else ""
            if after in seen or not getattr(page, "has_more", False):
                return
            seen.add(after)

    def poll(self, batch_id: str) -> BatchState:
        return self._one(batch_id, lambda: self._client.batches.retrieve(batch_id))

    def cancel(self, batch_id: str) -> BatchState:
        return self._one(batch_id, lambda: self._client.batches.cancel(batch_id))

    def collect(self, file_id: str, into: Path, most_bytes: int = MOST_FILE) -> None:
        """A result file, written as it comes; AnswerTooLong if it unpacks to more bytes."""
        content = self._client.files.with_streaming_response.content

        def fetch() -> None:
            with content(file_id, timeout=self._file_timeout) as answer, into.open("wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)

        with bounded(self._file_seconds, min(most_bytes, MOST_FILE)):
            self._ask(fetch, f"file {file_id}")

    def _one(self, batch_id: str, call: Callable[[], Any]) -> BatchState:
        if not is_batch_id(batch_id):
            raise BadInput(
                f"{batch_id[:100]!r} is no id of a batch.", "It looks like batch_abc123."
            )
        batch = self._ask(call, f"batch {batch_id}")
        try:
            return told_batch(batch, batch_id)
        except OddAnswer as odd:
            raise BackendUnavailable(
                f"{self._account.host} gives no usable answer about batch {batch_id}: {odd}.",
                "It will be asked again; nothing was lost.",
            ) from None

    def _page(self, after: str) -> Any:
        from openai import omit

        return self._ask(lambda: self._client.batches.list(limit=PAGE, after=after or omit))

    def _ask(self, call: Callable[[], T], what: str = "") -> T:
        """A call whose answer may be lost without harm."""
        try:
            return call()
        except client_errors() as error:
            raise provider_problem(error, self._account, what) from None

    def _not_understood(self) -> Any:
        raise BackendUnavailable(
            f"{self._account.host} does not answer like an API with batches.",
            "Check the base URL. On the command line, `ivan taxonomy run-file` uses other servers.",
        )


def is_batch_id(text: object) -> bool:
    """Whether it may be a batch's id: what can stand in an address, a database and a sentence."""
    return isinstance(text, str) and _BATCH_ID.fullmatch(text) is not None


def id_of_batch(answer: object) -> str:
    """The id that an answer names; empty where it names none."""
    found = getattr(answer, "id", None)
    return found if isinstance(found, str) and is_batch_id(found) else ""


def id_of_file(answer: object) -> str:
    """The id of an uploaded file; empty where the answer names none."""
    return _file(getattr(answer, "id", None)) or ""


class OddAnswer(Exception):
    """A field does not hold what it must; the message names it, in words that fit a sentence."""


def told_batch(answer: object, batch_id: str) -> BatchState:
    """What an answer tells of the batch that was asked for.

    What its end rests on must be in order; of the rest, what is odd counts as not told.

    Raises:
        OddAnswer: it is of another batch; state, files or counts are no such things.
    """
    if id_of_batch(answer) != batch_id:
        raise OddAnswer("it is none about that batch")
    if not isinstance(getattr(answer, "status", None), str):
        raise OddAnswer("it names no state")
    for name in ("output_file_id", "error_file_id"):
        file_id = getattr(answer, name, None)
        if file_id and _file(file_id) is None:
            raise OddAnswer(f"its {name} is no name of a file")
    counts = getattr(answer, "request_counts", None)
    for name in ("total", "completed", "failed"):
        told = getattr(counts, name, None)
        if counts is not None and told is not None and counted(told) is None:
            raise OddAnswer(f"its count of {name} requests is no such number")
    batch = listed_batch(answer)
    if batch.ended and isinstance(counts, (str, int, float, Sequence)):
        raise OddAnswer("its counts of requests are none")
    return batch


def listed_batch(answer: object) -> BatchState:
    """A batch of a list, with what is odd or missing counted as not told."""
    counts, usage = getattr(answer, "request_counts", None), getattr(answer, "usage", None)
    return BatchState(
        id=id_of_batch(answer),
        status=_status(getattr(answer, "status", None)),
        total=counted(getattr(counts, "total", None)) or 0,
        completed=counted(getattr(counts, "completed", None)) or 0,
        failed=counted(getattr(counts, "failed", None)) or 0,
        output_file=_file(getattr(answer, "output_file_id", None)) or "",
        error_file=_file(getattr(answer, "error_file_id", None)) or "",
        input_file=_file(getattr(answer, "input_file_id", None)) or "",
        problems=tuple(_problems(getattr(answer, "errors", None))),
        input_tokens=counted(getattr(usage, "input_tokens", None)),
        output_tokens=counted(getattr(usage, "output_tokens", None)),
        metadata=_marks(getattr(answer, "metadata", None)),
        created=_moment(getattr(answer, "created_at", None)),
    )


def _status(told: object) -> BatchStatus:
    """Words that are not known yet count as at work: the batch is asked for again."""
    known = isinstance(told, str) and told in get_args(BatchStatus)
    return cast(BatchStatus, told) if known else "in_progress"


def _file(told: object) -> str | None:
    return told if isinstance(told, str) and _FILE_ID.fullmatch(told) else None


def _moment(told: object) -> float | None:
    """Unix seconds."""
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return None
    return float(told) if math.isfinite(told) and 0 < told < _LAST_MOMENT else None


def _marks(told: object) -> dict[str, str]:
    if not isinstance(told, Mapping) or len(told) > _MOST_MARKS:
        return {}
    return {
        whole_text(name): whole_text(str(value)[:_LONGEST_MARK])
        for name, value in told.items()
        if isinstance(name, str) and isinstance(value, (str, int))
    }


def _problems(told: Any) -> Iterator[BatchProblem]:
    entries = getattr(told, "data", None)
    for entry in entries[:MOST_PROBLEMS] if isinstance(entries, list) else ():
        code, message = getattr(entry, "code", None), getattr(entry, "message", None)
        yield BatchProblem(
            shortened(code) if code else "",
            shortened(message) if message else "",
            counted(getattr(entry, "line", None)),
        )
