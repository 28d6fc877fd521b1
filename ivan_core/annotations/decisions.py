"""Decisions where people differ: recorded beside their opinions, which stay as they are."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, RowMapping, insert, select
from sqlalchemy.exc import IntegrityError

from ivan_core.annotations.checks import asked_of, check_answers
from ivan_core.annotations.database import ReviewDatabase
from ivan_core.annotations.names import name_of, note_of
from ivan_core.annotations.rows import answer_text, as_queue, read_answer
from ivan_core.annotations.tables import decisions, names
from ivan_core.domain.reviews import Decision, DecisionConflict, Item


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
                check_answers(as_queue(asked_of(db, item)).asked, {asked.key: asked.answer})
                current = _current(db, asked)
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
                raise DecisionConflict(_current(db, asked)) from error
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
        with self._database.reading() as db:
            found = [_as_decision(row) for row in db.execute(query).mappings()]
        if every_version:
            return found
        return list({(one.row_id, one.side, one.key): one for one in found}.values())


def _settled(decision: Decision) -> tuple[object, ...]:
    return (answer_text(decision.answer), decision.by, decision.reason)


def _current(db: Connection, asked: Decision) -> Decision:
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
