"""The OpenAI Batch API as a provider of batches; every call is made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast, get_args

from ivan_core.backends.openai_client import Account, make_client, timeouts
from ivan_core.backends.openai_errors import client_errors, lost_answer, provider_problem
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.labels import AnswerLost, BatchProblem, BatchState, BatchStatus

ENDPOINT: Final = "/v1/chat/completions"
FILE_SECONDS = 600.0
"""How long the provider may be silent while a file of up to 200 MB goes to or fro."""
PAGE = 100

T = TypeVar("T")


class OpenAIBatches:
    """Batches of one account. Only `create` can cost money, and it tells a lost answer apart."""

    def __init__(
        self, account: Account, *, read_seconds: float = 60.0, file_seconds: float = FILE_SECONDS
    ) -> None:
        self._account = account
        self._client = make_client(account, read_seconds=read_seconds)
        self._file_timeout = timeouts(file_seconds)

    @property
    def account(self) -> str:
        return self._account.fingerprint

    def upload(self, path: Path) -> str:
        """Upload a request file; a lost answer is harmless, it is uploaded again."""
        with path.open("rb") as lines:
            upload = (path.name, lines, "application/jsonl")
            sent = self._ask(
                lambda: self._client.files.create(
                    file=upload, purpose="batch", timeout=self._file_timeout
                )
            )
        return _id(sent) or self._not_understood()

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
        found = _id(batch)
        if not found:
            raise AnswerLost(
                f"{self._account.host} took the batch, but its answer names none.",
                "IVAN looks for the batch before it sends anything again.",
            )
        return found

    def batches(self) -> Iterator[BatchState]:
        """Newest first; the next page is asked for only when it is needed."""
        after = ""
        while True:
            page = self._page(after)
            if not isinstance(getattr(page, "data", None), list):
                self._not_understood()
            listed = [batch for batch in page.data if _id(batch)]
            yield from (batch_state(batch) for batch in listed)
            if not listed or not getattr(page, "has_more", False) or listed[-1].id == after:
                return
            after = listed[-1].id

    def poll(self, batch_id: str) -> BatchState:
        return self._one(batch_id, lambda: self._client.batches.retrieve(batch_id))

    def cancel(self, batch_id: str) -> BatchState:
        return self._one(batch_id, lambda: self._client.batches.cancel(batch_id))

    def collect(self, file_id: str) -> bytes:
        """A result file as a whole: a download in pieces would raise errors of its own."""
        files, patience = self._client.files, self._file_timeout
        return self._ask(
            lambda: files.content(file_id, timeout=patience).content, f"file {file_id}"
        )

    def _one(self, batch_id: str, call: Callable[[], Any]) -> BatchState:
        if not batch_id.strip() or "/" in batch_id:
            raise BadInput(f"{batch_id!r} is no id of a batch.", "It looks like batch_abc123.")
        batch = self._ask(call, f"batch {batch_id}")
        return batch_state(batch) if _id(batch) else self._not_understood()

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
            "Check the base URL; other servers can be used with `ivan taxonomy run-file`.",
        )


def batch_state(batch: Any) -> BatchState:
    """What the provider tells of a batch; parts that are missing or odd count as not told."""
    counts, usage = getattr(batch, "request_counts", None), getattr(batch, "usage", None)
    metadata, created = getattr(batch, "metadata", None), getattr(batch, "created_at", None)
    errors = getattr(getattr(batch, "errors", None), "data", None)
    return BatchState(
        id=str(batch.id),
        status=_status(getattr(batch, "status", "")),
        total=_count(counts, "total") or 0,
        completed=_count(counts, "completed") or 0,
        failed=_count(counts, "failed") or 0,
        output_file=getattr(batch, "output_file_id", None) or "",
        error_file=getattr(batch, "error_file_id", None) or "",
        input_file=getattr(batch, "input_file_id", None) or "",
        problems=tuple(_problem(entry) for entry in errors or ()),
        input_tokens=_count(usage, "input_tokens"),
        output_tokens=_count(usage, "output_tokens"),
        metadata={str(k): str(v) for k, v in (metadata or {}).items()},
        created=float(created) if created else None,
    )


def _problem(entry: Any) -> BatchProblem:
    line = getattr(entry, "line", None)
    return BatchProblem(
        str(getattr(entry, "code", "") or ""),
        str(getattr(entry, "message", "") or ""),
        line if isinstance(line, int) else None,
    )


def _status(status: object) -> BatchStatus:
    """Words that are not known yet count as at work: the batch is asked for again."""
    known = status in get_args(BatchStatus)
    return cast(BatchStatus, status) if known else "in_progress"


def _count(facts: object, name: str) -> int | None:
    value = getattr(facts, name, None)
    return value if isinstance(value, int) else None


def _id(answer: object) -> str:
    found = getattr(answer, "id", "")
    return found if isinstance(found, str) else ""
