"""Questions to the warm worker: one small SQLite file that pages write and the worker answers.

Texts stand in it only until they are scored, and are overwritten then; what the rewards were goes
into the score cache. Only the worker, holding its lock, moves a question from state to state; who
asks may add, cancel, and give up on questions that no worker was found for.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ivan_core.domain.models import InputFormat, Quantization, Reward, SystemTurns
from ivan_core.domain.transcripts import Dialogue
from ivan_core.runs.database import LAYOUT, Database
from ivan_core.runs.locks import is_held

KEPT_SECONDS = 3600.0
"""How long a question is remembered after its answer, or after it was asked in vain."""
MOST_ATTEMPTS = 2
"""A question whose worker died is asked once more."""
MOST_STARTS = 3
START_SECONDS = 10.0
"""How long a worker may take to show itself before another one is started."""
_SCHEMA = (
    """CREATE TABLE questions (
    id TEXT PRIMARY KEY, model TEXT NOT NULL, texts TEXT NOT NULL, state TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL, doing TEXT NOT NULL DEFAULT '',
    failures TEXT NOT NULL DEFAULT '{}', problem TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '', asked REAL NOT NULL, ended REAL,
    attempts INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE worker (
    one INTEGER PRIMARY KEY CHECK (one = 1), heartbeat REAL NOT NULL DEFAULT 0,
    started REAL NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0)""",
    "INSERT INTO worker (one) VALUES (1)",
    f"PRAGMA user_version={LAYOUT}",
)


class AskedModel(BaseModel):
    """Which model a question is for, as the run had it; `identity` is that of its card."""

    model_config = ConfigDict(frozen=True)

    name: str
    revision: str
    input_format: InputFormat | None
    max_tokens: int | None
    system: SystemTurns = "keep"
    quantization: Quantization = "none"
    identity: str
    within: str = ""
    """The run that its rewards stay in, where no other run may use them."""
    also: tuple[AskedModel, ...] = ()
    """Models that read a text in the same pass, at hardly any cost: their rewards are kept too."""

    @property
    def alone(self) -> AskedModel:
        """The model without those that are asked along with it."""
        return self.model_copy(update={"also": ()}) if self.also else self

    @property
    def cache_key(self) -> str:
        """The identity in the cache that its rewards are kept under."""
        return f"{self.identity}|{self.within}" if self.within else self.identity


class QuestionState(StrEnum):
    """Where a question stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def live(self) -> bool:
        return self in (QuestionState.QUEUED, QuestionState.RUNNING)


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `failures` are the texts that could not be scored, by hash, and why."""

    id: str
    state: QuestionState
    done: int
    total: int
    doing: str
    problem: str
    hint: str
    failures: Mapping[str, Reward] = field(default_factory=dict)


_FIELDS = ", ".join(item.name for item in fields(Question))


class Questions:
    """All questions of one data folder. Cheap to make; each call opens its own connection."""

    def __init__(self, data_dir: Path, makes_folder: bool = True) -> None:
        self.data_dir = data_dir
        self.lock_path = data_dir / "warm.lock"
        """Held by the warm worker for life: there is one a data folder."""
        self.log_path = data_dir / "warm.log"
        self._file = _QuestionsFile(data_dir / "warm.sqlite", makes_folder)

    def ask(
        self, model: AskedModel, key: str, texts: Sequence[Dialogue], again: bool = False
    ) -> Question:
        """Put a question, or find it where it was put before; `key` tells what is asked.

        A question that is over is put once more only if `again` says so.
        """
        about = model.model_dump_json()
        name = sha256(f"{about}|{key}".encode()).hexdigest()[:16]
        with self._file.writing() as db:
            _forget_old(db)
            known = _find(db, name)
            if known and (known.state.live or not again):
                return known
            db.execute("DELETE FROM questions WHERE id=?", (name,))
            db.execute(
                "INSERT INTO questions (id, model, texts, state, total, asked) "
                "VALUES (?,?,?,?,?,?)",
                (
                    name,
                    about,
                    json.dumps([text.text for text in texts]),
                    QuestionState.QUEUED,
                    len(texts),
                    time.time(),
                ),
            )
            return Question(name, QuestionState.QUEUED, 0, len(texts), "", "", "")

    def find(self, name: str) -> Question | None:
        """One question by its id; None if it was never put, or answered long ago."""
        with self._file.reading() as db:
            return _find(db, name)

    def cancel(self, name: str) -> bool:
        """Withdraw a question; returns whether it was still open."""
        with self._file.writing() as db:
            return _end(db, name, QuestionState.CANCELLED)

    def next(self) -> tuple[Question, AskedModel, list[Dialogue]] | None:
        """The oldest open question, from now on being answered; None if there is none."""
        with self._file.reading() as db:
            row = db.execute(
                "UPDATE questions SET state=?, attempts=attempts+1 WHERE id="
                "(SELECT id FROM questions WHERE state=? ORDER BY asked, id LIMIT 1) "
                f"RETURNING model, texts, {_FIELDS}",
                (QuestionState.RUNNING, QuestionState.QUEUED),
            ).fetchone()
        if row is None:
            return None
        texts = [Dialogue(text) for text in json.loads(row[1])]
        return _question(row[2:]), AskedModel.model_validate_json(row[0]), texts

    def progress(self, name: str, doing: str, done: int) -> bool:
        """Say how far the answer is; returns whether it is still wanted."""
        with self._file.reading() as db:
            changed = db.execute(
                "UPDATE questions SET doing=?, done=? WHERE id=? AND state=?",
                (doing, done, name, QuestionState.RUNNING),
            )
            return changed.rowcount == 1

    def answer(self, name: str, failures: Mapping[str, Reward]) -> None:
        """All texts are scored: the rewards lie in the score cache, failures are told here."""
        told = {key: [reward.truncated, reward.failure] for key, reward in failures.items()}
        with self._file.writing() as db:
            db.execute(
                "UPDATE questions SET done=total, failures=? WHERE id=?", (json.dumps(told), name)
            )
            _end(db, name, QuestionState.DONE)

    def fail(self, name: str, problem: str, hint: str) -> None:
        """The question cannot be answered."""
        with self._file.writing() as db:
            _end(db, name, QuestionState.FAILED, problem, hint)

    def take_over(self) -> None:
        """A new worker has the lock: what the one before died of is asked once more, then fails."""
        with self._file.writing() as db:
            _forget_old(db)
            left = db.execute(
                "SELECT id FROM questions WHERE state=? AND attempts>=?",
                (QuestionState.RUNNING, MOST_ATTEMPTS),
            ).fetchall()
            for (name,) in left:
                _end(
                    db,
                    name,
                    QuestionState.FAILED,
                    "The warm worker died twice while it was at this.",
                    f"The machine may be short of memory. See {self.log_path}.",
                )
            db.execute(
                "UPDATE questions SET state=?, doing='' WHERE state=?",
                (QuestionState.QUEUED, QuestionState.RUNNING),
            )
            db.execute("UPDATE worker SET heartbeat=?, started=0, starts=0", (time.time(),))

    def beat(self) -> None:
        """The worker lives."""
        with self._file.reading() as db:
            db.execute("UPDATE worker SET heartbeat=?", (time.time(),))

    def heartbeat(self) -> float:
        """When the worker last said that it lives, in Unix seconds."""
        with self._file.reading() as db:
            return float(db.execute("SELECT heartbeat FROM worker").fetchone()[0])

    def may_start(self) -> bool:
        """Whether the caller, having found no worker, is the one to start it.

        After some starts in a row of which no worker came, the open questions fail.
        """
        now = time.time()
        with self._file.writing() as db:
            if is_held(self.lock_path):
                return False  # it came since the caller looked, and took the note of its start away
            started, starts = db.execute("SELECT started, starts FROM worker").fetchone()
            if 0 <= now - started < START_SECONDS:
                return False
            if starts < MOST_STARTS:
                db.execute("UPDATE worker SET started=?, starts=starts+1", (now,))
                return True
            db.execute("UPDATE worker SET started=0, starts=0")
            names = db.execute(
                "SELECT id FROM questions WHERE state IN (?,?)",
                (QuestionState.QUEUED, QuestionState.RUNNING),
            ).fetchall()
            for (name,) in names:
                _end(
                    db,
                    name,
                    QuestionState.FAILED,
                    "The warm worker could not be started.",
                    f"The reason is in {self.log_path}.",
                )
        return False


class _QuestionsFile(Database):
    """The file. No write-ahead log: it would keep texts after they have been overwritten."""

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with super().reading() as db:
            db.execute("PRAGMA secure_delete=ON")
            yield db

    def _lay_out(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        # Another process may have been here first.
        if db.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
            for table in ("questions", "worker"):
                db.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in _SCHEMA:
                db.execute(statement)
        db.execute("COMMIT")


def _find(db: sqlite3.Connection, name: str) -> Question | None:
    row = db.execute(f"SELECT {_FIELDS} FROM questions WHERE id=?", (name,)).fetchone()
    return _question(row) if row else None


def _question(row: tuple[object, ...]) -> Question:
    name, state, done, total, doing, problem, hint, failures = row
    told = json.loads(str(failures))
    return Question(
        str(name),
        QuestionState(str(state)),
        int(str(done)),
        int(str(total)),
        str(doing),
        str(problem),
        str(hint),
        {key: Reward(None, bool(cut), why) for key, (cut, why) in told.items()},
    )


def _end(
    db: sqlite3.Connection, name: str, state: QuestionState, problem: str = "", hint: str = ""
) -> bool:
    """End an open question and overwrite its texts."""
    changed = db.execute(
        "UPDATE questions SET state=?, problem=?, hint=?, ended=?, doing='', texts='[]' "
        "WHERE id=? AND state IN (?,?)",
        (state, problem, hint, time.time(), name, QuestionState.QUEUED, QuestionState.RUNNING),
    )
    return changed.rowcount == 1


def _forget_old(db: sqlite3.Connection) -> None:
    """Delete what was answered, or asked in vain, an hour ago."""
    db.execute(
        "DELETE FROM questions WHERE COALESCE(ended, asked) < ? AND state != ?",
        (time.time() - KEPT_SECONDS, QuestionState.RUNNING),
    )
