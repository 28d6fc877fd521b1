"""Opinions, one a person and item with every version that ever was, and decisions beside them.

A queue takes answers to its questions, on its items, by who is asked, while it is open.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, and_, case, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from ivan_core.annotations.database import ReviewDatabase, upsert
from ivan_core.annotations.tables import (
    answer_text,
    answers_text,
    as_opinion,
    as_queue,
    changes,
    decisions,
    items,
    name_of,
    names,
    note_of,
    opinion_row,
    opinions,
    queues,
    read_answer,
    read_answers,
    storable,
)
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import Label
from ivan_core.domain.reviews import (
    BETTER,
    NO_DIFFERENCE,
    Change,
    Decision,
    DecisionConflict,
    Item,
    Opinion,
    OpinionConflict,
    Queue,
)

_BETTER = ("chosen", "rejected", NO_DIFFERENCE, None)
_LONGEST_ANSWER = 200
_KEY = ("queue", "row_id", "side", "reviewer")


class Opinions:
    """What people said of the items of queues. Cheap to make.

    Methods raise StorageProblem or BackendUnavailable where the database cannot be used.
    """

    def __init__(self, data_dir: Path) -> None:
        self._database = ReviewDatabase(data_dir)

    def of(self, item: Item, reviewer: str) -> Opinion:
        """A person's opinion of an item; an empty one if there is none yet."""
        with self._database.reading() as db:
            return _current(db, item.queue, item.row_id, item.side, name_of(reviewer))

    def save(self, opinion: Opinion, by: str = "", reason: str = "") -> Opinion:
        """Save an opinion that was read as `opinion.version`; returns it as it stands now.

        Each save that changes something adds a line to the history: the old answer, the new one,
        who, when and why. `by` is who writes where that is not the reviewer (an import). Saving the
        same answer again, as after a lost connection, changes nothing.

        Raises:
            OpinionConflict: it was saved meanwhile; nothing is changed.
            BadInput: there is no name, the note or reason is too long, nothing is answered, or the
                queue does not take this: it is closed or for somebody else, or asks something else.
        """
        return self.save_all([opinion], by, reason)[0]

    def save_all(self, found: Sequence[Opinion], by: str = "", reason: str = "") -> list[Opinion]:
        """Save several opinions, all of them or none. Raises as `save`."""
        with self._database.writing() as db:
            return [write_opinion(db, one, by, reason) for one in found]

    def all(self, queue: int, reviewer: str | None = None) -> list[Opinion]:
        """The opinions on a queue's items, skipped ones included, by row, side and person."""
        query = select(opinions).where(opinions.c.queue == queue)
        if reviewer is not None:
            query = query.where(opinions.c.reviewer == name_of(reviewer))
        order = (opinions.c.row_id, opinions.c.side, opinions.c.reviewer)
        return [as_opinion(row) for row in self._database.rows(query.order_by(*order))]

    def on_row(self, queues: Sequence[int], row_id: int) -> list[Opinion]:
        """The opinions on one row in any of these queues, by queue, side and person."""
        query = select(opinions).where(opinions.c.queue.in_(queues), opinions.c.row_id == row_id)
        order = (opinions.c.queue, opinions.c.side, opinions.c.reviewer)
        return [as_opinion(row) for row in self._database.rows(query.order_by(*order))]

    def stamp(self, queues: Sequence[int]) -> tuple[int, int, float]:
        """What changes with every save in these queues: opinions, versions, the latest time."""
        query = select(
            func.count(),
            func.coalesce(func.sum(opinions.c.version), 0),
            func.coalesce(func.max(opinions.c.saved), 0.0),
        ).where(opinions.c.queue.in_(queues))
        with self._database.reading() as db:
            count, versions, latest = db.execute(query).one()
        return int(count), int(versions), float(latest)

    def first(self, queue: int) -> dict[tuple[int, str, str], tuple[float, Mapping[str, Label]]]:
        """When each item was first answered by each person, and how, skipping apart."""
        query = select(changes).where(changes.c.queue == queue).order_by(changes.c.version.desc())
        found: dict[tuple[int, str, str], tuple[float, Mapping[str, Label]]] = {}
        for row in self._database.rows(query):
            said = json.loads(row["after"])
            if not said.get("skipped"):
                answers = read_answers(json.dumps(said["answers"]))
                found[row["row_id"], row["side"], row["reviewer"]] = (row["made"], answers)
        return found

    def reviewers(self) -> list[tuple[int, str, int, bool]]:
        """Who has judged in each queue: its number, the name, on how many items, and whether the
        name was verified."""
        seen = func.max(case((opinions.c.verified.is_(True), 1), else_=0))
        query = (
            select(opinions.c.queue, opinions.c.reviewer, func.count(), seen)
            .group_by(opinions.c.queue, opinions.c.reviewer)
            .order_by(opinions.c.queue, opinions.c.reviewer)
        )
        with self._database.reading() as db:
            return [
                (queue, name, count, bool(seen)) for queue, name, count, seen in db.execute(query)
            ]

    def history(self, item: Item, reviewer: str | None = None) -> list[Change]:
        """Every change of an item's opinions, oldest first."""
        query = select(changes).where(
            changes.c.queue == item.queue,
            changes.c.row_id == item.row_id,
            changes.c.side == item.side,
        )
        if reviewer is not None:
            query = query.where(changes.c.reviewer == name_of(reviewer))
        order = (changes.c.made, changes.c.reviewer, changes.c.version)
        return [Change(**row) for row in self._database.rows(query.order_by(*order))]

    def changes(self, queue: int, reviewer: str) -> list[Change]:
        """Every change of a person's opinions on a queue's items, oldest first."""
        query = select(changes).where(
            changes.c.queue == queue, changes.c.reviewer == name_of(reviewer)
        )
        order = (changes.c.made, changes.c.row_id, changes.c.side, changes.c.version)
        return [Change(**row) for row in self._database.rows(query.order_by(*order))]


def write_opinion(db: Connection, opinion: Opinion, by: str = "", reason: str = "") -> Opinion:
    """Save an opinion inside a transaction, with its line of history. Raises as `Opinions.save`."""
    asked = replace(opinion, reviewer=name_of(opinion.reviewer), note=note_of(opinion.note))
    by, reason = name_of(by) if by else asked.reviewer, note_of(reason)
    here = (asked.queue, asked.row_id, asked.side, asked.reviewer)
    if prefill := _check_taken(db, asked).prefill:
        asked = replace(asked, blind=False, prefill=prefill)
    current = _current(db, *here)
    if _stands(current, asked):
        return current
    if current.version != asked.version:
        raise OpinionConflict(current)
    saved = replace(asked, version=asked.version + 1, saved=time.time())
    if not upsert(db, opinions, opinion_row(saved), _KEY, asked.version):
        raise OpinionConflict(_current(db, *here))
    line = Change(
        *here,
        saved.version,
        _said(current) if current.version else "",
        _said(saved),
        by,
        reason,
        saved.saved,
    )
    db.execute(insert(changes).values({name: getattr(line, name) for name in names(changes)}))
    return saved


def _stands(current: Opinion, asked: Opinion) -> bool:
    """Whether what is asked for was saved already, perhaps by the same call a moment ago."""
    return (
        0 < current.version >= asked.version
        and _said(current) == _said(asked)
        and current.verified >= asked.verified
    )


def _said(opinion: Opinion) -> str:
    """What the history keeps of an opinion."""
    said: dict[str, Any] = {"answers": json.loads(answers_text(opinion.answers))}
    if opinion.note:
        said["note"] = opinion.note
    if opinion.skipped:
        said["skipped"] = True
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def _current(db: Connection, queue: int, row_id: int, side: Any, reviewer: str) -> Opinion:
    query = select(opinions).where(
        opinions.c.queue == queue,
        opinions.c.row_id == row_id,
        opinions.c.side == side,
        opinions.c.reviewer == reviewer,
    )
    found = db.execute(query).mappings().first()
    return as_opinion(found) if found else Opinion(queue, row_id, side, reviewer)


class Decisions:
    """How differences were settled. Cheap to make; every decision ever made is kept."""

    def __init__(self, data_dir: Path) -> None:
        self._database = ReviewDatabase(data_dir)

    def settle(self, decision: Decision) -> Decision:
        """Settle a question that was read as `decision.version`; returns the decision in force.

        Raises:
            DecisionConflict: it was settled by somebody else meanwhile; nothing is changed.
            BadInput: there is no name, no such item or question, or the reason is too long.
        """
        asked = replace(decision, by=name_of(decision.by), reason=note_of(decision.reason))
        item = Item(asked.queue, 0, asked.row_id, asked.side)
        try:
            with self._database.writing() as db:
                _check_answers(as_queue(_asked_of(db, item)).asked, {asked.key: asked.answer})
                current = _in_force(db, asked)
                if current.version and _settled(current) == _settled(asked):
                    return current
                if current.version != asked.version:
                    raise DecisionConflict(current)
                made = replace(asked, version=asked.version + 1, made=time.time())
                values = {name: getattr(made, name) for name in names(decisions)}
                values["answer"] = answer_text(made.answer)
                db.execute(insert(decisions).values(**values))
        except IntegrityError as error:
            with self._database.reading() as db:
                raise DecisionConflict(_in_force(db, asked)) from error
        return made

    def of(self, item: Item) -> dict[str, Decision]:
        """The decisions in force on an item, by key."""
        return {
            one.key: one
            for one in self.all(item.queue)
            if (one.row_id, one.side) == (item.row_id, item.side)
        }

    def all(self, queue: int, every_version: bool = False) -> list[Decision]:
        """The decisions on a queue's items: those in force, or all that were ever made."""
        query = (
            select(decisions)
            .where(decisions.c.queue == queue)
            .order_by(decisions.c.row_id, decisions.c.side, decisions.c.key, decisions.c.version)
        )
        found = [_as_decision(row) for row in self._database.rows(query)]
        if every_version:
            return found
        return list({(one.row_id, one.side, one.key): one for one in found}.values())


def _settled(decision: Decision) -> tuple[object, ...]:
    return (answer_text(decision.answer), decision.by, decision.reason)


def _in_force(db: Connection, asked: Decision) -> Decision:
    """The decision in force on a question; one with version 0 if there is none."""
    query = select(decisions).where(
        decisions.c.queue == asked.queue,
        decisions.c.row_id == asked.row_id,
        decisions.c.side == asked.side,
        decisions.c.key == asked.key,
    )
    found = db.execute(query.order_by(decisions.c.version.desc()).limit(1)).mappings().first()
    if found is None:
        return Decision(asked.queue, asked.row_id, asked.side, asked.key, None, "")
    return _as_decision(found)


def _as_decision(row: RowMapping) -> Decision:
    return Decision(**{**row, "answer": read_answer(row["answer"])})


def _check_taken(db: Connection, opinion: Opinion) -> Queue:
    """Refuse an opinion that its queue does not take; returns the queue.

    Raises:
        BadInput: the queue is closed or for somebody else, the item or a question is not in it,
            nothing is answered, or a typed name is that of a person who was verified by a login.
    """
    item = Item(opinion.queue, 0, opinion.row_id, opinion.side)
    queue = as_queue(_asked_of(db, item))
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
    _check_answers(queue.asked, opinion.answers)
    if not opinion.verified and _is_of_verified_person(db, opinion):
        raise BadInput(
            "This name belongs to a person who logged in.", "Log in, or choose another name."
        )
    return queue


def _asked_of(db: Connection, item: Item) -> Row[tuple[object, ...]]:
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
        which = f"pair {item.row_id}" + ("" if item.side == "both" else f", {item.side}")
        raise BadInput(
            f"Queue {item.queue} does not ask about {which}.", "Judge the items that it shows."
        )
    return found


def _check_answers(asked: tuple[str, ...], answers: Mapping[str, Label]) -> None:
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
