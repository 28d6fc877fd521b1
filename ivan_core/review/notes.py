"""Stars, notes and blind second choices: one SQLite file (WAL) in which no word is ever lost.

Texts of notes and names of authors are what people typed: never markup, never trusted.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.runs.database import LAYOUT, Database

LONGEST_NOTE = 10_000
LONGEST_NAME = 80
Choice = Literal["A", "B", "none"]
Side = Literal["chosen", "rejected"]

_FIELDS = "dataset, row_id, author, starred, note, version, saved"
_GUESSES = "dataset, row_id, name, choice, left, made"


@dataclass(frozen=True, slots=True)
class Mark:
    """What one author says of one row. `version` counts the saves; 0 is nothing saved yet."""

    dataset: str
    row_id: int
    author: str
    starred: bool = False
    note: str = ""
    version: int = 0
    saved: float = 0.0


@dataclass(frozen=True, slots=True)
class Guess:
    """A choice made while the dataset's was hidden: A is the reply on the left, B on the right.

    `left` says which side was shown left; `sided_with` is what was picked, None for no difference.
    """

    dataset: str
    row_id: int
    name: str
    choice: Choice
    left: Side
    made: float

    @property
    def sided_with(self) -> Side | None:
        if self.choice == "none":
            return None
        other: Side = "rejected" if self.left == "chosen" else "chosen"
        return self.left if self.choice == "A" else other


class Conflict(IvanError):
    """Somebody saved the same mark meanwhile; `current` is what they saved. Nothing was changed."""

    def __init__(self, current: Mark) -> None:
        super().__init__(
            "This note was changed in another window meanwhile.",
            "Read what stands there now, then save again.",
        )
        self.current = current


class _ReviewFile(Database):
    schema = (
        """CREATE TABLE IF NOT EXISTS marks (
        dataset TEXT NOT NULL, row_id INTEGER NOT NULL, author TEXT NOT NULL,
        starred INTEGER NOT NULL, note TEXT NOT NULL, version INTEGER NOT NULL,
        saved REAL NOT NULL, PRIMARY KEY (dataset, row_id, author)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS history (
        dataset TEXT NOT NULL, row_id INTEGER NOT NULL, author TEXT NOT NULL,
        starred INTEGER NOT NULL, note TEXT NOT NULL, version INTEGER NOT NULL,
        saved REAL NOT NULL, PRIMARY KEY (dataset, row_id, author, version)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS guesses (
        id INTEGER PRIMARY KEY AUTOINCREMENT, dataset TEXT NOT NULL, row_id INTEGER NOT NULL,
        name TEXT NOT NULL, choice TEXT NOT NULL, left TEXT NOT NULL, made REAL NOT NULL)""",
        "CREATE INDEX IF NOT EXISTS guesses_of ON guesses (dataset, name, row_id)",
        f"PRAGMA user_version={LAYOUT}",
    )


class Reviews:
    """All that people said in one data folder. Cheap to make; each call opens its own connection.

    A dataset is named by its fingerprint. Every method raises StorageProblem where the data folder
    cannot be written.
    """

    def __init__(self, data_dir: Path) -> None:
        self._file = _ReviewFile(data_dir / "reviews.sqlite")

    def mark(self, dataset: str, row_id: int, author: str) -> Mark:
        """What an author says of a row; an empty mark if nothing yet."""
        with self._file.reading() as db:
            return _mark(db, dataset, row_id, _name(author))

    def save(self, mark: Mark) -> Mark:
        """Save a mark that was read as `mark.version`; returns it as it stands now.

        Every save is kept in the history. Taking a star or note away is a save too.

        Raises:
            Conflict: it was saved by somebody else since it was read; nothing is changed.
            BadInput: there is no author, or the note is too long.
        """
        author, note = _name(mark.author), _note(mark.note)
        with self._file.writing() as db:
            current = _mark(db, mark.dataset, mark.row_id, author)
            if current.version != mark.version:
                raise Conflict(current)
            if (current.starred, current.note) == (mark.starred, note):
                return current
            row = (mark.dataset, mark.row_id, author, mark.starred, note, mark.version + 1,
                   time.time())  # fmt: skip
            db.execute(f"INSERT INTO history ({_FIELDS}) VALUES (?,?,?,?,?,?,?)", row)
            db.execute(f"INSERT OR REPLACE INTO marks ({_FIELDS}) VALUES (?,?,?,?,?,?,?)", row)
            return _mark(db, mark.dataset, mark.row_id, author)

    def star(self, dataset: str, row_id: int, author: str, starred: bool) -> Mark:
        """Star a row or take the star away, whatever else is saved meanwhile."""
        while True:
            current = self.mark(dataset, row_id, author)
            changed = {**asdict(current), "starred": starred}
            try:
                return self.save(Mark(**changed))
            except Conflict:
                continue  # a note was saved in between: it stays, and the star goes beside it

    def marks(self, dataset: str, row_ids: list[int] | None = None) -> list[Mark]:
        """All that is said of a dataset or some of its rows, by row and author."""
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT {_FIELDS} FROM marks WHERE dataset=? AND (starred OR note != '') "
                "ORDER BY row_id, author",
                (dataset,),
            ).fetchall()
        wanted = None if row_ids is None else set(row_ids)
        return [_as_mark(row) for row in rows if wanted is None or row[1] in wanted]

    def latest(self, dataset: str, count: int | None = 50) -> list[Mark]:
        """The marks saved last, newest first; None for all of them."""
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT {_FIELDS} FROM marks WHERE dataset=? AND (starred OR note != '') "
                "ORDER BY saved DESC, row_id, author LIMIT ?",
                (dataset, -1 if count is None else count),
            ).fetchall()
        return [_as_mark(row) for row in rows]

    def history(self, dataset: str, row_id: int, author: str | None = None) -> list[Mark]:
        """Every save of a row's marks, oldest first."""
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT {_FIELDS} FROM history WHERE dataset=? AND row_id=? "
                "AND (? IS NULL OR author=?) ORDER BY saved, author, version",
                (dataset, row_id, author, author),
            ).fetchall()
        return [_as_mark(row) for row in rows]

    def starred_rows(self, dataset: str) -> list[int]:
        """Rows that anybody starred."""
        return self._rows(dataset, "starred")

    def noted_rows(self, dataset: str) -> list[int]:
        """Rows that anybody wrote a note on."""
        return self._rows(dataset, "note != ''")

    def _rows(self, dataset: str, which: str) -> list[int]:
        with self._file.reading() as db:
            found = db.execute(
                f"SELECT DISTINCT row_id FROM marks WHERE dataset=? AND {which} ORDER BY row_id",
                (dataset,),
            ).fetchall()
        return [int(row_id) for (row_id,) in found]

    def counts(self, dataset: str) -> dict[str, int]:
        """How many rows are `starred` and `noted`, and how many `guesses` were made."""
        with self._file.reading() as db:
            (guesses,) = db.execute(
                "SELECT COUNT(*) FROM guesses WHERE dataset=?", (dataset,)
            ).fetchone()
        return {
            "starred": len(self.starred_rows(dataset)),
            "noted": len(self.noted_rows(dataset)),
            "guesses": int(guesses),
        }

    def guess(self, dataset: str, row_id: int, name: str, choice: Choice, left: Side) -> Guess:
        """Keep a blind second choice.

        Raises:
            BadInput: there is no name, or the choice is none of A, B and none.
        """
        if choice not in get_args(Choice) or left not in get_args(Side):
            raise BadInput("A choice is A, B or none.", "Press A or B, or say no difference.")
        made = Guess(dataset, row_id, _name(name), choice, left, time.time())
        with self._file.writing() as db:
            db.execute(
                f"INSERT INTO guesses ({_GUESSES}) VALUES (?,?,?,?,?,?)",
                (dataset, row_id, made.name, choice, left, made.made),
            )
        return made

    def guesses(self, dataset: str, name: str | None = None) -> list[Guess]:
        """The first choice of each name on each row, in the order made.

        Later ones of the same name on the same row are kept, but are not blind.
        """
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT {_GUESSES} FROM guesses WHERE id IN (SELECT MIN(id) FROM guesses "
                "WHERE dataset=? AND (? IS NULL OR name=?) GROUP BY row_id, name) ORDER BY id",
                (dataset, name, name),
            ).fetchall()
        return [Guess(*row) for row in rows]

    def export(self, dataset: str, author: str | None = None) -> Iterator[dict[str, Any]]:
        """Every mark of a dataset, or those of one author, as plain rows.

        Their fields are those of `Mark`; `saved` is a time such as 2026-01-31T12:00:00Z.
        """
        for mark in self.marks(dataset):
            if author in (None, mark.author):
                row = asdict(mark)
                row["saved"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(mark.saved))
                yield row


def _mark(db: sqlite3.Connection, dataset: str, row_id: int, author: str) -> Mark:
    row = db.execute(
        f"SELECT {_FIELDS} FROM marks WHERE dataset=? AND row_id=? AND author=?",
        (dataset, row_id, author),
    ).fetchone()
    return _as_mark(row) if row else Mark(dataset, row_id, author)


def _as_mark(row: tuple[Any, ...]) -> Mark:
    dataset, row_id, author, starred, note, version, saved = row
    return Mark(dataset, row_id, author, bool(starred), note, version, saved)


def _name(text: str) -> str:
    name = _storable(" ".join(text.split()))
    if not name:
        raise BadInput("There is no name.", "Type your name first; it is not checked.")
    if len(name) > LONGEST_NAME:
        raise BadInput(f"The name has more than {LONGEST_NAME} characters.", "Use a shorter one.")
    return name


def _note(text: str) -> str:
    note = _storable(text.strip())
    if len(note) > LONGEST_NOTE:
        raise BadInput(
            f"The note has {len(note):,} characters.", f"It may have {LONGEST_NOTE:,}: shorten it."
        )
    return note


def _storable(text: str) -> str:
    """Half a surrogate pair is no text, and no file takes it: it becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
