"""Answers that were paid for, found by the exact bytes of their requests, in whichever run.

The rows of the runs are what counts: the file can be made anew from them. It keeps the answers
themselves too, so that those of a deleted run need not be paid for again.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ivan_core.runs.database import LAYOUT, Database

_AT_ONCE = 500
_A_WRITE = 5_000
"""Answers a transaction: others who write wait for a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer: what the model said, its name, and the text of a run that it was for."""

    run: str
    text: str
    model: str
    said: str
    finish: str


def owner_of(account: str, demo: bool) -> str:
    """Who answers: an account, or the demo server in its place, whose answers are never real."""
    return f"{account} demo" if demo else account


def body_key(owner: str, sha256: bytes) -> bytes:
    """What an answer is found by: who was asked, and the hash of the bytes that were sent."""
    return hashlib.sha256(owner.encode() + b"\n" + sha256).digest()


class _AnswersFile(Database):
    schema = (
        """CREATE TABLE IF NOT EXISTS answers (
        number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, run TEXT NOT NULL,
        text TEXT NOT NULL, model TEXT NOT NULL, said BLOB NOT NULL, finish TEXT NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS read (
        part TEXT PRIMARY KEY, files TEXT NOT NULL) WITHOUT ROWID""",
        f"PRAGMA user_version={LAYOUT}",
    )


class Answers:
    """All usable answers that one data folder has. Cheap to make."""

    def __init__(self, data_dir: Path) -> None:
        self._file = _AnswersFile(data_dir / "answers.sqlite")

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Answer]:
        """The answers to requests, by their keys; those that nobody answered are left out."""
        found: dict[bytes, Answer] = {}
        with self._file.reading() as db:
            rest = iter(keys)
            while some := list(islice(rest, _AT_ONCE)):
                places = ",".join("?" * len(some))
                rows = db.execute(
                    f"SELECT key, run, text, model, said, finish FROM answers "
                    f"WHERE key IN ({places})",
                    some,
                )
                for key, run, text, model, said, finish in rows:
                    found[key] = Answer(run, text, model, zlib.decompress(said).decode(), finish)
        return found

    def keep(self, answers: Iterable[tuple[bytes, Answer]]) -> None:
        """Keep answers; the first to a request stays.

        Raises:
            StorageProblem: the data folder cannot be written.
        """
        rest = iter(answers)
        while some := list(islice(rest, _A_WRITE)):
            with self._file.writing() as db:
                db.executemany(
                    "INSERT OR IGNORE INTO answers (key, run, text, model, said, finish) "
                    "VALUES (?,?,?,?,?,?)",
                    (
                        (key, one.run, one.text, one.model, _packed(one.said), one.finish)
                        for key, one in some
                    ),
                )

    def mark_read(self, part: str, files: str) -> None:
        """The answers in these files of a part are all here."""
        with self._file.reading() as db:
            db.execute("INSERT OR REPLACE INTO read VALUES (?,?)", (part, files))

    def read_parts(self) -> Mapping[str, str]:
        """Which files of which parts were read."""
        with self._file.reading() as db:
            return dict(db.execute("SELECT part, files FROM read").fetchall())

    def newest(self) -> int:
        """The number of the newest answer: while it stays, none came."""
        with self._file.reading() as db:
            return int(db.execute("SELECT COALESCE(MAX(number), 0) FROM answers").fetchone()[0])


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "replace"))


def found_in(answers: Answers, keys: Iterator[bytes]) -> int:
    """How many requests have an answer, read a few at a time."""
    count = 0
    while some := list(islice(keys, _AT_ONCE)):
        count += len(answers.find(some))
    return count
