"""Decisions where people differ: recorded beside their opinions, which stay as they are."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.exc import IntegrityError

from ivan_core.domain.reviews import Decision, DecisionConflict, Item
from ivan_core.review.database import ReviewDatabase
from ivan_core.review.names import name_of, note_of
from ivan_core.review.tables import decisions, names


class Decisions:
    """How differences were settled. Cheap to make; every decision ever made is kept."""

    def __init__(self, data_dir: Path) -> None:
        self._database = ReviewDatabase(data_dir)

    def settle(self, decision: Decision) -> Decision:
        """Settle a question that was read as `decision.version`; returns the decision in force.

        Raises:
            DecisionConflict: it was settled by somebody else meanwhile; nothing is changed.
            BadInput: there is no name, or the reason is too long.
        """
        made = replace(
            decision, by=name_of(decision.by), reason=note_of(decision.reason),
            version=decision.version + 1, made=time.time(),
        )  # fmt: skip
        answer = list(made.answer) if isinstance(made.answer, tuple) else made.answer
        values = {name: getattr(made, name) for name in names(decisions)}
        values["answer"] = json.dumps(answer, ensure_ascii=False)
        here = (made.queue, made.row_id, made.side)
        current = self._current(Item(made.queue, 0, made.row_id, made.side), made.key)
        if current is not None and current.version != decision.version:
            raise DecisionConflict(current)
        try:
            with self._database.writing() as db:
                db.execute(insert(decisions).values(**values))
        except IntegrityError as error:
            found = self._current(Item(here[0], 0, here[1], here[2]), made.key)
            raise DecisionConflict(found or made) from error
        return made

    def _current(self, item: Item, key: str) -> Decision | None:
        return self.of(item).get(key)

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
            .order_by(
                decisions.c.row_id, decisions.c.side, decisions.c.key, decisions.c.version
            )
        )  # fmt: skip
        with self._database.reading() as db:
            found = [_as_decision(row) for row in db.execute(query).mappings()]
        if every_version:
            return found
        return list({(one.row_id, one.side, one.key): one for one in found}.values())


def _as_decision(row: RowMapping) -> Decision:
    answer = json.loads(row["answer"] or "null")
    return Decision(**{**row, "answer": tuple(answer) if isinstance(answer, list) else answer})
