"""What a provider tells of a batch, each field checked: an answer may hold anything."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast, get_args

from ivan_core.domain.labels import BatchProblem, BatchState, BatchStatus
from ivan_core.labels.completions import shortened, whole_text

MOST_PROBLEMS = 20
_MOST_COUNTED = 10**12
"""Requests and tokens; a batch holds 50,000 requests. What is kept has to fit into a database."""
_MOST_MARKS, _LONGEST_MARK = 100, 1_000
_BATCH_ID = re.compile(r"[\w.:@+=-]{1,200}", re.ASCII)
_FILE_ID = re.compile(r"[\w.:@+=/-]{1,200}", re.ASCII)


class OddAnswer(Exception):
    """A field does not hold what it must; the message names it, in words that fit a sentence."""


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
        if counts is not None and told is not None and _count(told) is None:
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
        total=_count(getattr(counts, "total", None)) or 0,
        completed=_count(getattr(counts, "completed", None)) or 0,
        failed=_count(getattr(counts, "failed", None)) or 0,
        output_file=_file(getattr(answer, "output_file_id", None)) or "",
        error_file=_file(getattr(answer, "error_file_id", None)) or "",
        input_file=_file(getattr(answer, "input_file_id", None)) or "",
        problems=tuple(_problems(getattr(answer, "errors", None))),
        input_tokens=_count(getattr(usage, "input_tokens", None)),
        output_tokens=_count(getattr(usage, "output_tokens", None)),
        metadata=_marks(getattr(answer, "metadata", None)),
        created=_moment(getattr(answer, "created_at", None)),
    )


def _status(told: object) -> BatchStatus:
    """Words that are not known yet count as at work: the batch is asked for again."""
    known = isinstance(told, str) and told in get_args(BatchStatus)
    return cast(BatchStatus, told) if known else "in_progress"


def _file(told: object) -> str | None:
    return told if isinstance(told, str) and _FILE_ID.fullmatch(told) else None


def _count(told: object) -> int | None:
    if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < _MOST_COUNTED:
        return told
    return None


def _moment(told: object) -> float | None:
    """Unix seconds."""
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return None
    return float(told) if math.isfinite(told) and 0 < told < _MOST_COUNTED else None


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
            _count(getattr(entry, "line", None)),
        )
