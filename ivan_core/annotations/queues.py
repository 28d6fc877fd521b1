"""Queues: which items wait for opinions, and which comes next for a person."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from ivan_core.annotations.database import ReviewDatabase
from ivan_core.annotations.tables import (
    as_queue,
    items,
    name_of,
    opinions,
    queue_row,
    queues,
    read_answers,
    storable,
)
from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BLIND_FIRST, Item, ItemSide, Queue, Source, Task

Chosen = Sequence[tuple[int, ItemSide]]
"""Rows and sides, in the order in which they are shown."""


class Queues:
    """The queues of a database. Cheap to make."""

    def __init__(self, data_dir: Path) -> None:
        self._database = ReviewDatabase(data_dir)

    def make(
        self, queue: Queue, chosen: Chosen, first: Chosen = (), listed: Collection[int] = ()
    ) -> Queue:
        """Make a queue of these items; returns it with its number and token.

        For a queue that is not random, `first` are the items of its companion: the random, blind
        ones that each person begins with. Of `chosen`, the rows `listed` are of a list.

        Raises:
            BadInput: there is no item or one of another task, no question, or labels would be
                filled in in a random queue.
        """
        _check(queue, (*chosen, *first))
        if not chosen:
            raise BadInput("This queue would be empty.", "Choose another source or more pairs.")
        with self._database.writing() as db:
            companion = 0
            if not queue.random:
                own = replace(
                    queue, source="random", prefill="", title=f"{queue.title.strip()}: first items"
                )
                companion = _insert(db, own, first).id
            return _insert(db, replace(queue, companion=companion), chosen, listed)

    def all(self, dataset: str | None = None) -> list[Queue]:
        """The queues, newest first; of one dataset if it is named."""
        query = select(queues).order_by(queues.c.id.desc())
        if dataset is not None:
            query = query.where(queues.c.dataset == dataset)
        return [as_queue(row) for row in self._database.rows(query)]

    def get(self, queue_id: int) -> Queue:
        """A queue by its number. Raises BadInput if there is none."""
        return self._one(queues.c.id == queue_id, f"There is no queue {queue_id}.")

    def invited(self, token: str) -> Queue:
        """The queue of an invitation. Raises BadInput if there is none."""
        return self._one(queues.c.token == token, "This invitation is not known here.")

    def _one(self, condition: ColumnElement[bool], missing: str) -> Queue:
        found = self._database.rows(select(queues).where(condition))
        if not found:
            raise BadInput(missing, "Ask whoever sent the link for a new one.")
        return as_queue(found[0])

    def items(self, queue_id: int) -> list[Item]:
        """The items of a queue in their order."""
        query = select(items).where(items.c.queue == queue_id).order_by(items.c.position)
        return [Item(**row) for row in self._database.rows(query)]

    def close(self, queue_id: int, closed: bool = True) -> None:
        """Let a queue and its companion take no more opinions, or take them again.

        Raises:
            BadInput: there is no such queue.
        """
        queue = self.get(queue_id)
        both = queues.c.id.in_((queue.id, queue.companion))
        with self._database.writing() as db:
            db.execute(update(queues).where(both).values(closed=closed))

    def next_item(self, queue: Queue, reviewer: str) -> Item | None:
        """The next item for a person: what lacks opinions first, in order; None if all are done.

        Until somebody has judged `BLIND_FIRST` random items, a queue's companion gives them. An
        item of which some questions are answered comes before those that were not begun.
        """
        name = name_of(reviewer)
        with self._database.reading() as db:
            if queue.companion:
                said, waiting = _state(db, queue, queue.companion, name)
                if said < BLIND_FIRST and waiting:
                    return waiting[0]
            return next(iter(_state(db, queue, queue.id, name)[1]), None)

    def judged(self, queue: Queue, reviewer: str) -> tuple[int, int]:
        """How many items a person has done (answered or skipped), and how many they are asked.

        Of a companion's items they are asked `BLIND_FIRST`, or all if there are fewer.
        """
        name = name_of(reviewer)
        done = total = 0
        with self._database.reading() as db:
            if queue.companion:
                said, waiting = _state(db, queue, queue.companion, name)
                listed = _count(db, queue.companion)
                done = listed - len(waiting)
                total = done + min(len(waiting), max(0, BLIND_FIRST - said))
            own = _count(db, queue.id)
            left = len(_state(db, queue, queue.id, name)[1])
        return done + own - left, total + own

    def progress(self, queue_id: int) -> tuple[int, int, int]:
        """Items, items with the opinions they need, and opinions in all; only finished ones count.

        An opinion is finished when all questions are answered; skipped ones are not.
        """
        queue = self.get(queue_id)
        given = self.given(queue)
        with self._database.reading() as db:
            total = _count(db, queue_id)
        return total, sum(one >= queue.opinions for one in given.values()), given.total()

    def given(self, queue: Queue) -> Counter[tuple[int, str]]:
        """How many finished opinions there are on each item, by row and side."""
        query = select(opinions.c.row_id, opinions.c.side, opinions.c.answers).where(
            opinions.c.queue == queue.id, opinions.c.skipped.is_(False)
        )
        return Counter(
            (row["row_id"], row["side"])
            for row in self._database.rows(query)
            if queue.answered(read_answers(row["answers"]))
        )


def _state(db: Connection, queue: Queue, source: int, name: str) -> tuple[int, list[Item]]:
    """How many items of a queue or its companion a person has judged (not skipped), and those that
    wait for them: begun ones, then those that lack opinions, then the others, each in order. The
    other reply of the pair that they saw last comes at the end.
    """
    mine = db.execute(
        select(
            opinions.c.row_id,
            opinions.c.side,
            opinions.c.answers,
            opinions.c.skipped,
            opinions.c.saved,
        ).where(opinions.c.queue == source, opinions.c.reviewer == name)
    ).all()
    last = max(mine, key=lambda row: row.saved, default=None)
    counts = {
        (row.row_id, row.side): row.given
        for row in db.execute(
            select(opinions.c.row_id, opinions.c.side, func.count().label("given"))
            .where(opinions.c.queue == source, opinions.c.skipped.is_(False))
            .group_by(opinions.c.row_id, opinions.c.side)
        )
    }
    whole = {
        (row.row_id, row.side): row.skipped or queue.answered(read_answers(row.answers))
        for row in mine
    }
    said = sum(1 for row in mine if not row.skipped and whole[row.row_id, row.side])
    query = select(items).where(items.c.queue == source).order_by(items.c.position)
    waiting = [
        item
        for item in (Item(**row) for row in db.execute(query).mappings())
        if not whole.get((item.row_id, item.side))
    ]

    def order(item: Item) -> tuple[bool, bool, bool]:
        key = (item.row_id, item.side)
        new = key not in whole
        beside = new and last is not None and item.row_id == last.row_id
        return new, beside, counts.get(key, 0) >= queue.opinions

    return said, sorted(waiting, key=order)


def _count(db: Connection, queue_id: int) -> int:
    query = select(func.count()).select_from(items).where(items.c.queue == queue_id)
    return int(db.execute(query).scalar_one())


def _check(queue: Queue, chosen: Chosen) -> None:
    """Refuse a queue whose questions and items do not fit."""
    if queue.task not in get_args(Task) or queue.source not in get_args(Source):
        raise BadInput("A queue is of one of the tasks and sources.", "Choose them from the lists.")
    if queue.task == "describe" and not queue.keys:
        raise BadInput("This queue asks nothing.", "Choose at least one question.")
    if queue.opinions < 1:
        raise BadInput("An item needs at least one opinion.", "Ask for one or more.")
    if queue.random and queue.prefill:
        raise BadInput("A random queue is blind: it gives the rates.", "Leave its questions empty.")
    sides = ("both",) if queue.task == "better" else ("chosen", "rejected")
    if any(side not in sides for _, side in chosen):
        raise BadInput(
            "Which reply is better is asked of pairs; a reply is described by itself.",
            "Choose items of the queue's task.",
        )


def _insert(db: Connection, queue: Queue, chosen: Chosen, listed: Collection[int] = ()) -> Queue:
    made = replace(
        queue,
        token=secrets.token_urlsafe(12),
        title=storable(queue.title.strip()),
        assigned=name_of(queue.assigned) if queue.assigned.strip() else "",
        made=time.time(),
    )
    statement = insert(queues).values(**queue_row(made))
    number = int(db.execute(statement.returning(queues.c.id)).scalar_one())
    rows = [
        {
            "queue": number,
            "position": place,
            "row_id": row_id,
            "side": side,
            "listed": row_id in listed,
        }
        for place, (row_id, side) in enumerate(dict.fromkeys(chosen))
    ]
    if rows:
        db.execute(insert(items), rows)
    return replace(made, id=number)
