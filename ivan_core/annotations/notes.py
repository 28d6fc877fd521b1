"""Stars, notes and blind second choices: a database in which no word is ever lost.

Texts of notes and names of authors are what people typed: never markup, never trusted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Select, func, insert, select

from ivan_core.annotations.database import ReviewDatabase, upsert
from ivan_core.annotations.tables import guesses, history, marks, name_of, names, note_of, storable
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import Side
from ivan_core.domain.reviews import Choice, Guess, Mark, MarkConflict

_KEY = ("dataset", "row_id", "author")
_FEW = 500
"""Rows that are named in a question; of more, all marks are read and looked through."""


class Reviews:
    """All that people said in one data folder or in a team's database. Cheap to make.

    A dataset is named by its fingerprint. Every method raises StorageProblem where the data folder
    cannot be written, or BackendUnavailable where the team's database does not answer.
    """

    def __init__(self, data_dir: Path) -> None:
        self._database = ReviewDatabase(data_dir)

    def mark(self, dataset: str, row_id: int, author: str) -> Mark:
        """What an author says of a row; an empty mark if nothing yet."""
        with self._database.reading() as db:
            return _mark(db, dataset, row_id, name_of(author))

    def save(self, mark: Mark) -> Mark:
        """Save a mark that was read as `mark.version`; returns it as it stands now.

        Every save is kept in the history. Taking a star or note away is a save too. Saving again
        what stands there, as after a lost connection, changes nothing.

        Raises:
            MarkConflict: it was saved by somebody else since it was read; nothing is changed.
            BadInput: there is no author, or the note is too long.
        """
        asked = replace(mark, author=name_of(mark.author), note=note_of(mark.note))
        here = (asked.dataset, asked.row_id, asked.author)
        with self._database.writing() as db:
            current = _mark(db, *here)
            same = (current.starred, current.note) == (asked.starred, asked.note)
            if same and current.version >= asked.version:
                return current
            if current.version != asked.version:
                raise MarkConflict(current)
            saved = replace(asked, version=asked.version + 1, saved=time.time())
            if not upsert(db, marks, asdict(saved), _KEY, asked.version):
                raise MarkConflict(_mark(db, *here))
            db.execute(insert(history).values(**asdict(saved)))
            return saved

    def marks(self, dataset: str, row_ids: list[int] | None = None) -> list[Mark]:
        """All that is said of a dataset or some of its rows, by row and author."""
        query = _said_of(dataset).order_by(marks.c.row_id, marks.c.author)
        if row_ids is not None and len(row_ids) <= _FEW:
            query = query.where(marks.c.row_id.in_(row_ids))
        wanted = None if row_ids is None else set(row_ids)
        return [mark for mark in self._marks(query) if wanted is None or mark.row_id in wanted]

    def latest(self, dataset: str) -> list[Mark]:
        """All that is said of a dataset, newest first."""
        order = (marks.c.saved.desc(), marks.c.row_id, marks.c.author)
        return self._marks(_said_of(dataset).order_by(*order))

    def history(self, dataset: str, row_id: int, author: str | None = None) -> list[Mark]:
        """Every save of a row's marks, oldest first."""
        query = select(history).where(history.c.dataset == dataset, history.c.row_id == row_id)
        if author is not None:
            query = query.where(history.c.author == author)
        return self._marks(query.order_by(history.c.saved, history.c.author, history.c.version))

    def _marks(self, query: Select[Any]) -> list[Mark]:
        return [Mark(**row) for row in self._database.rows(query)]

    def starred_rows(self, dataset: str) -> list[int]:
        """Rows that anybody starred."""
        return self._rows(dataset, marks.c.starred.is_(True))

    def noted_rows(self, dataset: str) -> list[int]:
        """Rows that anybody wrote a note on."""
        return self._rows(dataset, marks.c.note != "")

    def _rows(self, dataset: str, which: ColumnElement[bool]) -> list[int]:
        query = select(marks.c.row_id).distinct().where(marks.c.dataset == dataset, which)
        return [row["row_id"] for row in self._database.rows(query.order_by(marks.c.row_id))]

    def counts(self, dataset: str) -> dict[str, int]:
        """How many rows are `starred` and `noted`, and how many `guesses` were made."""
        query = select(func.count()).select_from(guesses).where(guesses.c.dataset == dataset)
        with self._database.reading() as db:
            made = int(db.execute(query).scalar_one())
        return {
            "starred": len(self.starred_rows(dataset)),
            "noted": len(self.noted_rows(dataset)),
            "guesses": made,
        }

    def guess(self, dataset: str, row_id: int, name: str, choice: Choice, left: Side) -> Guess:
        """Keep a blind second choice.

        Raises:
            BadInput: there is no name, or the choice is none of A, B and none.
        """
        if choice not in get_args(Choice) or left not in get_args(Side):
            raise BadInput("A choice is A, B or none.", "Press A or B, or say no difference.")
        made = Guess(storable(dataset), row_id, name_of(name), choice, left, time.time())
        with self._database.writing() as db:
            db.execute(insert(guesses).values(**asdict(made)))
        return made

    def guesses(self, dataset: str, name: str | None = None) -> list[Guess]:
        """The first choice of each name on each row, in the order made.

        Later ones of the same name on the same row are kept, but are not blind.
        """
        first = select(func.min(guesses.c.id)).where(guesses.c.dataset == dataset)
        if name is not None:
            first = first.where(guesses.c.name == name)
        first = first.group_by(guesses.c.row_id, guesses.c.name)
        query = select(guesses).where(guesses.c.id.in_(first)).order_by(guesses.c.id)
        return [
            Guess(**{name: row[name] for name in names(guesses) if name != "id"})
            for row in self._database.rows(query)
        ]

    def export(self, dataset: str, author: str | None = None) -> Iterator[dict[str, Any]]:
        """Every mark of a dataset, or those of one author, as plain rows.

        Their fields are those of `Mark`; `saved` is a time such as 2026-01-31T12:00:00Z.
        """
        for mark in self.marks(dataset):
            if author in (None, mark.author):
                row = asdict(mark)
                row["saved"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(mark.saved))
                yield row


def _said_of(dataset: str) -> Select[Any]:
    """Marks that say something: those whose star and note were taken away are left out."""
    said = marks.c.starred.is_(True) | (marks.c.note != "")
    return select(marks).where(marks.c.dataset == dataset, said)


def _mark(db: Connection, dataset: str, row_id: int, author: str) -> Mark:
    query = select(marks).where(
        marks.c.dataset == dataset, marks.c.row_id == row_id, marks.c.author == author
    )
    found = db.execute(query).mappings().first()
    return Mark(**found) if found else Mark(dataset, row_id, author)
