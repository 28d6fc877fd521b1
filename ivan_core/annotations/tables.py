"""The tables of what people say, in SQLite and in PostgreSQL alike, and what is stored in them.

Facts become rows and rows facts; names and notes are trimmed, bounded, and storable anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    RowMapping,
    Table,
    Text,
    false,
)

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label
from ivan_core.domain.reviews import LONGEST_NAME, LONGEST_NOTE, Opinion, Queue

metadata = MetaData()

layout = Table("layout", metadata, Column("number", Integer, nullable=False))
"""The layout's number, on a server. `migrations.py` says how these tables came to be."""


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _integer(name: str, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=str(default))


def _seconds(name: str) -> Column[float]:
    return Column(name, Double, nullable=False, server_default="0")


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean(create_constraint=False), nullable=False)


def _mark_columns() -> list[Column[Any]]:
    return [
        Column("dataset", Text, nullable=False),
        Column("row_id", Integer, nullable=False),
        Column("author", Text, nullable=False),
        _flag("starred"),
        _text("note"),
        _integer("version"),
        _seconds("saved"),
    ]


marks = Table(
    "marks", metadata, *_mark_columns(), PrimaryKeyConstraint("dataset", "row_id", "author")
)
history = Table(
    "history",
    metadata,
    *_mark_columns(),
    PrimaryKeyConstraint("dataset", "row_id", "author", "version"),
)
guesses = Table(
    "guesses",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _text("dataset"),
    _integer("row_id"),
    _text("name"),
    _text("choice"),
    _text("left"),
    _seconds("made"),
    Index("guesses_of", "dataset", "name", "row_id"),
)
queues = Table(
    "queues",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("token", Text, nullable=False, unique=True),
    _text("dataset"),
    _text("title"),
    _text("task"),
    _text("source"),
    _text("keys"),
    _text("prefill"),
    _text("assigned"),
    _integer("opinions", 2),
    _integer("seed"),
    _integer("companion"),
    _seconds("made"),
    _text("made_by"),
    _flag("closed"),
    Column("tells", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Index("queues_of", "dataset", "task"),
)
items = Table(
    "items",
    metadata,
    _integer("queue"),
    _integer("position"),
    _integer("row_id"),
    _text("side"),
    Column("listed", Boolean(create_constraint=False), nullable=False, server_default=false()),
    PrimaryKeyConstraint("queue", "row_id", "side"),
    Index("items_in_order", "queue", "position", unique=True),
)
opinions = Table(
    "opinions",
    metadata,
    _integer("queue"),
    _integer("row_id"),
    _text("side"),
    _text("reviewer"),
    _text("answers"),
    _text("note"),
    _flag("skipped"),
    _text("left"),
    _flag("blind"),
    _text("prefill"),
    _seconds("seconds"),
    _flag("verified"),
    _integer("version"),
    _seconds("saved"),
    PrimaryKeyConstraint("queue", "row_id", "side", "reviewer"),
    Index("opinions_of", "reviewer", "queue"),
)
changes = Table(
    "changes",
    metadata,
    _integer("queue"),
    _integer("row_id"),
    _text("side"),
    _text("reviewer"),
    _integer("version"),
    _text("before"),
    _text("after"),
    _text("by"),
    _text("reason"),
    _seconds("made"),
    PrimaryKeyConstraint("queue", "row_id", "side", "reviewer", "version"),
)
"""The history of opinions: it only grows."""
decisions = Table(
    "decisions",
    metadata,
    _integer("queue"),
    _integer("row_id"),
    _text("side"),
    _text("key"),
    _text("answer"),
    _text("by"),
    _text("reason"),
    _integer("version"),
    _seconds("made"),
    PrimaryKeyConstraint("queue", "row_id", "side", "key", "version"),
)
"""Every decision ever made; the highest version of a question is the one in force."""


def names(table: Table) -> list[str]:
    """The names of a table's columns, which are those of the facts that it keeps."""
    return [column.name for column in table.c]


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


def name_of(text: str) -> str:
    """A name with its spaces tidied.

    Raises:
        BadInput: there is none, or it is too long.
    """
    name = storable(" ".join(text.split()))
    if not name:
        raise BadInput("There is no name.", "Type your name first; it is not checked.")
    if len(name) > LONGEST_NAME:
        raise BadInput(f"The name has more than {LONGEST_NAME} characters.", "Use a shorter one.")
    return name


def note_of(text: str) -> str:
    """A note without the space around it.

    Raises:
        BadInput: it is too long.
    """
    note = storable(text.strip())
    if len(note) > LONGEST_NOTE:
        raise BadInput(
            f"The note has {len(note):,} characters.", f"It may have {LONGEST_NOTE:,}: shorten it."
        )
    return note


def storable(text: str) -> str:
    """Half a surrogate pair is no text and a null byte ends one: neither can be stored."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
