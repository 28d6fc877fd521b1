"""What is taken of people: answers that a queue asks for, and names and notes that can be kept."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Row, and_, func, or_, select

from ivan_core.annotations.tables import as_queue, items, opinions, queues
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label
from ivan_core.domain.reviews import (
    BETTER,
    LONGEST_NAME,
    LONGEST_NOTE,
    NO_DIFFERENCE,
    Item,
    Opinion,
    Queue,
)

_BETTER = ("chosen", "rejected", NO_DIFFERENCE, None)
_LONGEST_ANSWER = 200


def check_taken(db: Connection, opinion: Opinion) -> Queue:
    """Refuse an opinion that its queue does not take; returns the queue.

    Raises:
        BadInput: the queue is closed or for somebody else, the item or a question is not in it,
            nothing is answered, or a typed name is that of a person who was verified by a login.
    """
    item = Item(opinion.queue, 0, opinion.row_id, opinion.side)
    queue = as_queue(asked_of(db, item))
    if queue.closed:
        raise BadInput(
            "This queue is closed: it takes no more answers.", "What was answered before is kept."
        )
    if queue.assigned and queue.assigned.casefold() != opinion.reviewer.casefold():
        raise BadInput(
            "This queue is for another person.", "Ask whoever sent the link for one of your own."
        )
    if not opinion.answers and not opinion.skipped:
        raise BadInput("Nothing is answered yet.", "Answer a question, or skip this one.")
    check_answers(queue.asked, opinion.answers)
    if not opinion.verified and _is_of_verified_person(db, opinion):
        raise BadInput(
            "This name belongs to a person who logged in.", "Log in, or choose another name."
        )
    return queue


def asked_of(db: Connection, item: Item) -> Row[tuple[object, ...]]:
    """The queue of an item, which stays as it is until the transaction ends.

    Raises:
        BadInput: there is no such queue, or no such item in it.
    """
    here = (items.c.queue == queues.c.id) & (items.c.row_id == item.row_id)
    query = (
        select(queues, items.c.position)
        .outerjoin(items, here & (items.c.side == item.side))
        .where(queues.c.id == item.queue)
        .with_for_update(read=True, of=queues)
    )
    found = db.execute(query).first()
    if found is None:
        raise BadInput(f"There is no queue {item.queue}.", "Choose one of the queues there are.")
    if found.position is None:
        which = f"row {item.row_id}" + ("" if item.side == "both" else f", {item.side}")
        raise BadInput(
            f"Queue {item.queue} does not ask about {which}.", "Judge the items that it shows."
        )
    return found


def check_answers(asked: tuple[str, ...], answers: Mapping[str, Label]) -> None:
    """Refuse answers to questions that are not asked, or that no database can keep.

    Raises:
        BadInput: a key is not asked for, or an answer is none of those it can have.
    """
    for key, answer in answers.items():
        if key not in asked:
            raise BadInput(
                f"This queue does not ask about {storable(key)[:60]}.", "Answer what it asks."
            )
        words = answer if isinstance(answer, tuple) else (answer,)
        plain = all(
            not isinstance(one, str) or (storable(one) == one and len(one) <= _LONGEST_ANSWER)
            for one in words
        )
        if not plain or (key == BETTER and answer not in _BETTER):
            raise BadInput(f"That is no answer to {key}.", "Choose one of those that are offered.")


def _is_of_verified_person(db: Connection, opinion: Opinion) -> bool:
    """Whether a verified person has this name, or writes it otherwise in this queue."""
    name = opinion.reviewer
    alike = and_(opinions.c.queue == opinion.queue, func.lower(opinions.c.reviewer) == name.lower())
    query = select(opinions.c.row_id).where(
        opinions.c.verified.is_(True), or_(opinions.c.reviewer == name, alike)
    )
    return db.execute(query.limit(1)).first() is not None


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
