"""Facts as rows of tables, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, RowMapping

from ivan_core.annotations.tables import names, opinions, queues
from ivan_core.domain.labels import Label
from ivan_core.domain.reviews import Opinion, Queue


def answer_text(answer: Label) -> str:
    """One answer as it is stored: JSON; a list keeps its order."""
    plain = list(answer) if isinstance(answer, tuple) else answer
    return json.dumps(plain, ensure_ascii=False)


def read_answer(text: str) -> Label:
    """An answer as `answer_text` wrote it."""
    stored = json.loads(text or "null")
    return tuple(stored) if isinstance(stored, list) else stored


def answers_text(answers: Mapping[str, Label]) -> str:
    """Answers as they are stored: JSON, sorted by key."""
    plain = {key: list(one) if isinstance(one, tuple) else one for key, one in answers.items()}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def read_answers(text: str) -> dict[str, Label]:
    """Answers as `answers_text` wrote them."""
    stored = json.loads(text or "{}")
    return {key: tuple(one) if isinstance(one, list) else one for key, one in stored.items()}


def opinion_row(opinion: Opinion) -> dict[str, Any]:
    row = {name: getattr(opinion, name) for name in names(opinions)}
    return row | {"answers": answers_text(opinion.answers)}


def as_opinion(row: RowMapping) -> Opinion:
    return Opinion(**{**row, "answers": read_answers(row["answers"])})


def queue_row(queue: Queue) -> dict[str, Any]:
    """A queue's row without its number, which the database gives."""
    row = {name: getattr(queue, name) for name in names(queues) if name != "id"}
    return row | {"keys": json.dumps(queue.keys)}


def as_queue(row: Row[Any] | RowMapping) -> Queue:
    """A queue of its columns; others beside them are left out."""
    found = row._mapping if isinstance(row, Row) else row
    own = {name: found[name] for name in names(queues)}
    return Queue(**{**own, "keys": tuple(json.loads(own["keys"] or "[]"))})
