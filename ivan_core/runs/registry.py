"""The registry of runs: one SQLite file (WAL) that workers write and pages poll.

A run's id is the UTC minute of its start, which also begins the names of its files.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict, astuple, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import ACTIVE, LivePoint, Run, RunState
from ivan_core.runs.database import ACTIVE_SQL, FIELDS, Row, RunsFile, read_run
from ivan_core.runs.locks import is_held

_SELECT = f"SELECT {', '.join(FIELDS)}, cancel FROM runs"
_NEWEST = "ORDER BY created DESC, id DESC"
_STARRED_FIRST = "ORDER BY starred DESC, created DESC, id DESC"
_PROGRESS = {"doing", "done", "total", "computed", "rate", "facts"}
_STARTUP_GRACE = 15.0
"""Seconds a worker has to take its lock before its run counts as interrupted.

One that still loads its libraries on a busy machine has all the time it takes: it holds another
lock, which was handed to its process.
"""


class Registry:
    """All runs of one data folder. Cheap to make; each call opens and closes its own connection."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._file = RunsFile(data_dir / "ivan.sqlite")

    def kept_open(self) -> AbstractContextManager[None]:
        """Makes calls inside the block ten times as quick."""
        return self._file.kept_open()

    def folder(self, run_id: str) -> Path:
        return self.data_dir / "runs" / run_id

    def lock_path(self, run_id: str) -> Path:
        """The lock a run's worker holds for life."""
        return self.folder(run_id) / "lock"

    def starting_path(self, run_id: str) -> Path:
        """The lock a run's worker is born with: it lives, but may not have come to work yet."""
        return self.folder(run_id) / "starting"

    def add(self, kind: str, spec: str, fingerprint: str) -> tuple[str, bool]:
        """Register a run, or find the active one with the same spec.

        Returns the run's id (its UTC start, seconds added only if the minute is taken) and whether
        it is new.
        """
        now = time.time()
        with self._file.writing() as db:
            at_work = self._at_work(db, fingerprint)
            if at_work:
                return at_work, False
            run_id = free_id(db, self.data_dir, datetime.fromtimestamp(now, UTC))
            db.execute(
                "INSERT INTO runs (id, kind, spec, fingerprint, state, created) "
                "VALUES (?,?,?,?,?,?)",
                (run_id, kind, spec, fingerprint, RunState.QUEUED, now),
            )
            return run_id, True

    def _at_work(self, db: sqlite3.Connection, fingerprint: str) -> str | None:
        """The active run of a spec. One that nobody works on gives up its place."""
        row = db.execute(
            f"{_SELECT} WHERE fingerprint=? AND state IN ({ACTIVE_SQL})", (fingerprint,)
        ).fetchone()
        if row is None:
            return None
        run = self._true(db, row)
        if run.state in ACTIVE:
            return run.id
        if run.state is RunState.INTERRUPTED:
            db.execute(
                "UPDATE runs SET state=?, finished=heartbeat, doing='', problem=?, hint=? "
                "WHERE id=?",
                (
                    RunState.FAILED,
                    "The worker of this run ended without a word.",
                    "Resume it: what is finished is kept.",
                    run.id,
                ),
            )
        else:
            db.execute("UPDATE runs SET state=?, doing='' WHERE id=?", (run.state, run.id))
        return None

    def get(self, run_id: str) -> Run:
        """One run, with its true state.

        Raises:
            BadInput: there is no such run.
        """
        with self._file.reading() as db:
            return self._find(db, run_id)

    def _find(self, db: sqlite3.Connection, run_id: str) -> Run:
        rows = _fetched(db, f"{_SELECT} WHERE id=?", (run_id,))
        if not rows:
            raise BadInput(f"There is no run {run_id!r} here.", "See `ivan runs list`.")
        return self._true(db, rows[0])

    def all(self) -> list[Run]:
        """Every run, newest first, with its true state."""
        return self.some()

    def some(
        self,
        kinds: Sequence[str] = (),
        *,
        but: Sequence[str] = (),
        states: Sequence[RunState] = (),
        limit: int = -1,
        offset: int = 0,
        starred_first: bool = False,
    ) -> list[Run]:
        """Runs of some kinds (of all if none is named) but others, newest first, at most `limit`.

        With `starred_first` those with a star stand before all others. `states` are those that are
        stored; the runs come with their true ones.
        """
        where, given = _where(kinds, but, states)
        order = _STARRED_FIRST if starred_first else _NEWEST
        query = f"{_SELECT} {where} {order} LIMIT ? OFFSET ?"
        with self._file.reading() as db:
            rows = _fetched(db, query, (*given, limit, offset))
            return [self._true(db, row) for row in rows]

    def count(
        self, kinds: Sequence[str] = (), *, but: Sequence[str] = (), states: Sequence[RunState] = ()
    ) -> int:
        """How many runs `some` would give without a limit."""
        where, given = _where(kinds, but, states)
        with self._file.reading() as db:
            return int(db.execute(f"SELECT COUNT(*) FROM runs {where}", given).fetchone()[0])

    def stamp(self, kinds: Sequence[str], states: Sequence[RunState]) -> tuple[object, ...]:
        """Something that is the same as long as runs of these kinds in these states are the same.

        Ended runs change by being named, taken away, or made again; a star changes nothing here.
        The number of a row that was taken away is given again, so the times count too.
        """
        where, given = _where(kinds, (), states)
        with self._file.reading() as db:
            seen = db.execute(
                "SELECT COUNT(*), TOTAL(rowid), TOTAL(rowid * 1.0 * rowid), MAX(finished), "
                f"MAX(heartbeat), TOTAL(created), TOTAL(finished) FROM runs {where}",
                given,
            ).fetchone()
            named = _fetched(
                db,
                f"SELECT id, name FROM runs {where} {'AND' if where else 'WHERE'} name != ''",
                given,
            )
        return (*seen, *named)

    def _true(self, db: sqlite3.Connection, row: tuple[object, ...]) -> Run:
        """A run as it is: at work by its own word, but without a lock, it is interrupted."""
        while True:
            run, cancel = read_run(row)
            if not run.state.live or is_held(self.lock_path(run.id)):
                return run
            # A worker writes its last state before it lets go of the lock. So only what is read
            # after the lock was found free tells an interrupted run from one that just ended.
            again = db.execute(f"{_SELECT} WHERE id=?", (run.id,)).fetchone()
            if again is None or again == row:
                break
            row = again
        if cancel:
            return replace(run, state=RunState.CANCELLED)
        waited = time.time() - max(run.created, run.heartbeat or 0)
        on_its_way = waited < _STARTUP_GRACE or is_held(self.starting_path(run.id))
        if run.state is RunState.QUEUED and on_its_way:
            return run
        return replace(run, state=RunState.INTERRUPTED)

    def requeue(self, run_id: str) -> bool:
        """Make a stopped run wait for a worker again; what it finished stays.

        Returns whether it was this call that did so: of two at the same moment one is told no.
        Raises BadInput if there is no such run, or another one is at work on the same spec.
        """
        with self._file.writing() as db:
            if not self._find(db, run_id).state.resumable:
                return False
            (fingerprint,) = db.execute(
                "SELECT fingerprint FROM runs WHERE id=?", (run_id,)
            ).fetchone()
            other = self._at_work(db, fingerprint)
            if other:
                raise BadInput(
                    f"Run {other} is at work on the same comparison as {run_id}.",
                    f"Follow {other}, or cancel it first.",
                )
            db.execute(
                "UPDATE runs SET state=?, cancel=0, problem='', hint='', doing='', rate=NULL, "
                "finished=NULL, heartbeat=? WHERE id=?",
                (RunState.QUEUED, time.time(), run_id),
            )
            return True

    def go_on(self, run_id: str) -> bool:
        """Make a run that waits for a confirmation wait for a worker; False if it does not."""
        with self._file.reading() as db:
            changed = db.execute(
                "UPDATE runs SET state=?, cancel=0, problem='', hint='', doing='', heartbeat=? "
                "WHERE id=? AND state=?",
                (RunState.QUEUED, time.time(), run_id, RunState.AWAITING_CONFIRMATION),
            )
            return changed.rowcount == 1

    def wait(self, run_id: str, state: RunState, problem: str = "", hint: str = "") -> None:
        """The run waits, for a person or a provider. Only its worker says this."""
        with self._file.reading() as db:
            db.execute(
                "UPDATE runs SET state=?, problem=?, hint=?, doing='' WHERE id=?",
                (state, problem, hint, run_id),
            )

    def cancel(self, run_id: str) -> bool:
        """Ask a run to stop; one without a worker at it is cancelled on the spot.

        Returns whether there was anything to stop.

        Raises:
            BadInput: there is no such run.
        """
        with self._file.writing() as db:
            run = self._find(db, run_id)
            if run.state not in (*ACTIVE, RunState.INTERRUPTED):
                return False
            db.execute("UPDATE runs SET cancel=1 WHERE id=?", (run_id,))
            if run.state not in (RunState.RUNNING, RunState.AWAITING_PROVIDER):
                db.execute(
                    "UPDATE runs SET state=?, finished=?, doing='' WHERE id=?",
                    (RunState.CANCELLED, time.time(), run_id),
                )
            return True

    def rename(self, run_id: str, name: str) -> None:
        """Give a run a name beside its id; an empty one takes it away.

        Raises:
            BadInput: there is no such run.
        """
        with self._file.writing() as db:
            self._find(db, run_id)
            db.execute("UPDATE runs SET name=? WHERE id=?", (name, run_id))

    def star(self, run_id: str, starred: bool) -> None:
        """Give a run a star, or take it away.

        Raises:
            BadInput: there is no such run.
        """
        with self._file.writing() as db:
            self._find(db, run_id)
            db.execute("UPDATE runs SET starred=? WHERE id=?", (int(starred), run_id))

    def remove(self, run_id: str, first: Callable[[], None]) -> None:
        """Forget a run and its live points; `first` takes away its folder and may refuse.

        Raises:
            BadInput: there is no such run, or it is at work.
        """
        with self._file.writing() as db:
            run = self._find(db, run_id)
            if run.state in ACTIVE or is_held(self.lock_path(run_id)):
                state = run.state if run.state in ACTIVE else "at work"
                raise BadInput(f"Run {run_id} is {state}.", "Cancel it, then delete it.")
            first()
            db.execute("DELETE FROM live WHERE run=?", (run_id,))
            db.execute("DELETE FROM runs WHERE id=?", (run_id,))

    @contextmanager
    def entering(self, run: Run, fingerprint: str) -> Iterator[str]:
        """Register a finished run that was made elsewhere, under its id if that is free here.

        The block gets the id and puts the run's files in place; if it fails, nothing is registered.
        """
        with self._file.writing() as db:
            run_id = run.id
            if not is_free(db, self.data_dir, run_id):
                run_id = free_id(db, self.data_dir, datetime.fromtimestamp(run.created, UTC))
            known = {
                **asdict(run),
                "id": run_id,
                "state": run.state.value,
                "notes": json.dumps(run.notes),
                "fingerprint": fingerprint,
            }
            places = ", ".join("?" * len(known))
            db.execute(
                f"INSERT INTO runs ({', '.join(known)}) VALUES ({places})", tuple(known.values())
            )
            yield run_id

    def beat(self, run_id: str) -> bool:
        """Say that the worker lives; returns whether someone asked it to stop."""
        with self._file.reading() as db:
            row = db.execute(
                "UPDATE runs SET heartbeat=? WHERE id=? RETURNING cancel", (time.time(), run_id)
            ).fetchone()
        return row is None or bool(row[0])

    def begin(self, run_id: str) -> bool:
        """The worker has its lock and starts; False if the run does not wait for one any more."""
        now = time.time()
        with self._file.reading() as db:
            changed = db.execute(
                "UPDATE runs SET state=?, started=COALESCE(started, ?), heartbeat=? "
                "WHERE id=? AND state=?",
                (RunState.RUNNING, now, now, run_id, RunState.QUEUED),
            )
            return changed.rowcount == 1

    def progress(self, run_id: str, **values: str | int | float | None) -> None:
        """Set any of doing, done, total, computed, rate, facts (a JSON object)."""
        with self._file.reading() as db:
            _set_progress(db, run_id, values)

    def note(self, run_id: str, notes: list[str]) -> None:
        """Facts a reader of the run should know (said once, kept with the run)."""
        with self._file.reading() as db:
            db.execute("UPDATE runs SET notes=? WHERE id=?", (json.dumps(notes), run_id))

    def publish(
        self, run_id: str, points: list[LivePoint], **values: str | int | float | None
    ) -> None:
        """Add live points, and set what `progress` sets, both or none.

        A point published again replaces itself.
        """
        rows = [(run_id, *astuple(point)) for point in points]
        with self._file.writing() as db:
            db.executemany("INSERT OR REPLACE INTO live VALUES (?,?,?,?,?,?,?,?,?)", rows)
            if values:
                _set_progress(db, run_id, values)

    def live_points(self, run_id: str) -> list[LivePoint]:
        """All points so far, by model and in the order of the chunks."""
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT model, step, agree, tie, disagree, unrated, margin_sum, margin_squares "
                "FROM live WHERE run=? ORDER BY model, step",
                (run_id,),
            ).fetchall()
        return [LivePoint(*row) for row in rows]

    def finish(self, run_id: str, state: RunState, problem: str = "", hint: str = "") -> None:
        """The run has ended, so or so. Only its worker says this, while it holds the lock."""
        with self._file.reading() as db:
            db.execute(
                "UPDATE runs SET state=?, finished=?, problem=?, hint=?, doing='' WHERE id=?",
                (state, time.time(), problem, hint, run_id),
            )


def _set_progress(
    db: sqlite3.Connection, run_id: str, values: Mapping[str, str | int | float | None]
) -> None:
    unknown = values.keys() - _PROGRESS
    if unknown:
        raise KeyError(f"not progress: {sorted(unknown)}")
    names = ", ".join(f"{name}=?" for name in values)
    db.execute(f"UPDATE runs SET {names} WHERE id=?", (*values.values(), run_id))


def _where(
    kinds: Sequence[str], but: Sequence[str], states: Sequence[RunState]
) -> tuple[str, tuple[str, ...]]:
    """The condition that runs of some kinds, not of others, in some states meet; its values."""
    found = [
        f"{column} {word} ({', '.join('?' * len(values))})"
        for column, word, values in (
            ("kind", "IN", kinds),
            ("kind", "NOT IN", but),
            ("state", "IN", states),
        )
        if values
    ]
    return f"WHERE {' AND '.join(found)}" if found else "", (*kinds, *but, *states)


def _fetched(db: sqlite3.Connection, query: str, given: Sequence[object]) -> list[Row]:
    """All rows of a query; in a cell whose text is no UTF-8 what cannot be read is replaced."""
    try:
        return db.execute(query, given).fetchall()
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        db.text_factory = lambda text: text.decode("utf-8", "replace")
        return db.execute(query, given).fetchall()


_ID = re.compile(r"\d{4}(-\d\d){4,5}")


def free_id(db: sqlite3.Connection, data_dir: Path, start: datetime) -> str:
    """The minute of the start, else its second, else the next second that is free."""
    slug = start.strftime("%Y-%m-%d-%H-%M")
    while not is_free(db, data_dir, slug):
        slug = start.strftime("%Y-%m-%d-%H-%M-%S")
        start += timedelta(seconds=1)
    return slug


def is_free(db: sqlite3.Connection, data_dir: Path, slug: str) -> bool:
    """Whether a text is an id that neither a run nor a file has, nor a deleted run that paid."""
    if not _ID.fullmatch(slug):
        return False
    known = db.execute("SELECT 1 FROM runs WHERE id=?", (slug,)).fetchone()
    files = any(data_dir.glob(f"*/{slug}[-.]*"))
    if known or files or (data_dir / "runs" / slug).exists():
        return False
    return not _is_in_ledger(data_dir / "ledger.sqlite", slug)


def _is_in_ledger(ledger: Path, slug: str) -> bool:
    """What was paid stays known under the id of its run, also after the run was deleted."""
    if not ledger.exists():
        return False
    with closing(sqlite3.connect(ledger)) as db:
        tables = db.execute("SELECT 1 FROM sqlite_master WHERE name='confirmations'").fetchone()
        found = tables and db.execute("SELECT 1 FROM confirmations WHERE run=?", (slug,)).fetchone()
    return bool(found)
