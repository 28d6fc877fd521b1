"""Queues: which items wait for opinions, and which comes next for a person."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from ivan_core.domain.errors import BadInput
from ivan_core.domain.reviews import BLIND_FIRST, Item, ItemSide, Queue
from ivan_core.review.database import ReviewDatabase
from ivan_core.review.names import name_of, storable
from ivan_core.review.tables import items, names, opinions, queues

Chosen = Sequence[tuple[int, ItemSide]]
"""Rows and sides, in the order in which they are shown."""


class Queues:
    """The queues of a database. Cheap to make."""

    def __init__(self, data_dir: Path) -> None:
        self._database = ReviewDatabase(data_dir)

    def make(self, queue: Queue, chosen: Chosen, first: Chosen = ()) -> Queue:
        """Make a queue of these items; returns it with its number and token.

        For a queue that is not random, `first` are the items of its companion: the random, blind
        ones that each person begins with.

        Raises:
            BadInput: there is no item, or labels would be filled in in a random queue.
        """
        if not chosen:
            raise BadInput("This queue would be empty.", "Choose another source or more rows.")
        if queue.random and queue.prefill:
            raise BadInput(
                "A random queue is blind: it gives the rates.", "Leave its questions empty."
            )
        with self._database.writing() as db:
            companion = 0
            if not queue.random:
                own = replace(
                    queue, source="random", prefill="", title=f"{queue.title}: first items"
                )
                companion = _insert(db, own, first).id
            return _insert(db, replace(queue, companion=companion), chosen)

    def all(self, dataset: str | None = None) -> list[Queue]:
        """The queues, newest first; of one dataset if it is named."""
        query = select(queues).order_by(queues.c.id.desc())
        if dataset is not None:
            query = query.where(queues.c.dataset == dataset)
        with self._database.reading() as db:
            return [_as_queue(row) for row in db.execute(query).mappings()]

    def get(self, queue_id: int) -> Queue:
        """A queue by its number. Raises BadInput if there is none."""
        return self._one(queues.c.id == queue_id, f"There is no queue {queue_id}.")

    def invited(self, token: str) -> Queue:
        """The queue of an invitation. Raises BadInput if there is none."""
        return self._one(queues.c.token == token, "This invitation is not known here.")

    def _one(self, condition: object, missing: str) -> Queue:
        with self._database.reading() as db:
            found = db.execute(select(queues).where(condition)).mappings().first()  # type: ignore[arg-type]
        if found is None:
            raise BadInput(missing, "Ask whoever sent the link for a new one.")
        return _as_queue(found)

    def items(self, queue_id: int) -> list[Item]:
        """The items of a queue in their order."""
        query = select(items).where(items.c.queue == queue_id).order_by(items.c.position)
        with self._database.reading() as db:
            return [Item(**row) for row in db.execute(query).mappings()]

    def close(self, queue_id: int, closed: bool = True) -> None:
        """Let a queue take no more opinions, or take them again; what was said is kept."""
        with self._database.writing() as db:
            db.execute(update(queues).where(queues.c.id == queue_id).values(closed=closed))

    def next_item(self, queue: Queue, reviewer: str) -> Item | None:
        """The next item for a person: what lacks opinions first, in order; None if all are done.

        Until somebody has judged `BLIND_FIRST` random items, a queue's companion gives them.
        """
        name = name_of(reviewer)
        if queue.companion:
            companion = self.get(queue.companion)
            said, waiting = self._state(companion, name)
            if said < BLIND_FIRST and waiting:
                return waiting[0]
        return next(iter(self._state(queue, name)[1]), None)

    def _state(self, queue: Queue, name: str) -> tuple[int, list[Item]]:
        """How many items a person has judged (not skipped), and those not seen, in their order."""
        with self._database.reading() as db:
            rows = db.execute(
                select(
                    opinions.c.row_id, opinions.c.side, opinions.c.reviewer, opinions.c.skipped
                ).where(opinions.c.queue == queue.id)
            ).all()
        seen = {(row.row_id, row.side) for row in rows if row.reviewer == name}
        said = sum(1 for row in rows if row.reviewer == name and not row.skipped)
        counts = Counter((row.row_id, row.side) for row in rows if not row.skipped)
        waiting = [one for one in self.items(queue.id) if (one.row_id, one.side) not in seen]
        enough = [counts[one.row_id, one.side] >= queue.opinions for one in waiting]
        order = sorted(range(len(waiting)), key=lambda place: (enough[place], place))
        return said, [waiting[place] for place in order]

    def progress(self, queue_id: int) -> tuple[int, int, int]:
        """Items, items with the opinions they need, and opinions in all; skipped ones left out."""
        queue = self.get(queue_id)
        with self._database.reading() as db:
            (total,) = db.execute(
                select(func.count()).select_from(items).where(items.c.queue == queue_id)
            ).one()
            counts = db.execute(
                select(func.count())
                .where(opinions.c.queue == queue_id, opinions.c.skipped.is_(False))
                .group_by(opinions.c.row_id, opinions.c.side)
            ).scalars()
            given = list(counts)
        return int(total), sum(one >= queue.opinions for one in given), sum(given)


def _insert(db: Connection, queue: Queue, chosen: Chosen) -> Queue:
    made = replace(
        queue,
        token=secrets.token_urlsafe(12),
        title=storable(queue.title.strip()),
        assigned=name_of(queue.assigned) if queue.assigned.strip() else "",
        made=time.time(),
    )
    values = {name: getattr(made, name) for name in names(queues) if name != "id"}
    statement = insert(queues).values(**values | {"keys": json.dumps(made.keys)})
    number = int(db.execute(statement.returning(queues.c.id)).scalar_one())
    rows = [
        {"queue": number, "position": place, "row_id": row_id, "side": side}
        for place, (row_id, side) in enumerate(dict.fromkeys(chosen))
    ]
    if rows:
        db.execute(insert(items), rows)
    return replace(made, id=number)


def _as_queue(row: RowMapping) -> Queue:
    return Queue(**{**row, "keys": tuple(json.loads(row["keys"] or "[]"))})
