"""The registry of runs: one SQLite file (WAL) that workers write and pages poll."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import ACTIVE, LivePoint, Run, RunState
from ivan_core.runs.locks import is_held
from ivan_core.runs.storage import storage_errors

_ACTIVE_SQL = ", ".join(f"'{state}'" for state in ACTIVE)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, spec TEXT NOT NULL, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL, heartbeat REAL,
    cancel INTEGER NOT NULL DEFAULT 0, doing TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0, computed INTEGER NOT NULL DEFAULT 0, rate REAL,
    problem TEXT NOT NULL DEFAULT '', hint TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '[]'
);
CREATE UNIQUE INDEX IF NOT EXISTS one_active ON runs (fingerprint) WHERE state IN ({_ACTIVE_SQL});
CREATE TABLE IF NOT EXISTS live (
    run TEXT NOT NULL, model TEXT NOT NULL, step INTEGER NOT NULL, agree INTEGER NOT NULL,
    tie INTEGER NOT NULL, disagree INTEGER NOT NULL, unrated INTEGER NOT NULL,
    margin_sum REAL NOT NULL, margin_squares REAL NOT NULL, PRIMARY KEY (run, model, step)
) WITHOUT ROWID;
"""
_COLUMNS = (
    "id, kind, spec, state, created, started, finished, heartbeat, doing, done, total, computed, "
    "rate, problem, hint, notes"
)
_STARTUP_GRACE = 15.0
"""Seconds a worker has to take its lock before its run counts as interrupted."""


class Registry:
    """All runs of one data folder. Cheap to make; each call opens and closes its own connection."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.path = data_dir / "ivan.sqlite"

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        with storage_errors(self.data_dir):
            if not self.path.exists():
                self.data_dir.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            try:
                if not connection.execute("PRAGMA user_version").fetchone()[0]:
                    connection.execute("PRAGMA journal_mode=WAL")
                    connection.executescript(_SCHEMA + "PRAGMA user_version=1;")
                connection.execute("PRAGMA synchronous=NORMAL")
                yield connection
            finally:
                connection.close()

    def folder(self, run_id: str) -> Path:
        return self.data_dir / "runs" / run_id

    def lock_path(self, run_id: str) -> Path:
        """The lock a run's worker holds for life."""
        return self.folder(run_id) / "lock"

    def add(self, kind: str, spec: str, fingerprint: str) -> tuple[str, bool]:
        """Register a run, or find the active one with the same spec.

        Returns the run's id (its UTC start, seconds added only if the minute is taken) and whether it is new.
        """
        with self._connect() as db:
            for _ in range(100):
                now = time.time()
                db.execute("BEGIN IMMEDIATE")
                try:
                    row = db.execute(
                        f"SELECT id FROM runs WHERE fingerprint=? AND state IN ({_ACTIVE_SQL})",
                        (fingerprint,),
                    ).fetchone()
                    if row and not self._abandoned(db, row[0]):
                        return row[0], False
                    run_id = self._free_id(db, now)
                    if run_id:
                        db.execute(
                            "INSERT INTO runs (id, kind, spec, fingerprint, state, created) "
                            "VALUES (?,?,?,?,?,?)",
                            (run_id, kind, spec, fingerprint, RunState.QUEUED, now),
                        )
                        return run_id, True
                finally:
                    db.execute("COMMIT")
                time.sleep(0.1)  # the second is taken too: wait for the next one
        raise RuntimeError("no free run id within ten seconds")

    def _abandoned(self, db: sqlite3.Connection, run_id: str) -> bool:
        """An active run nobody works on gives up its place, to be resumed or not."""
        run = _run(db.execute(f"SELECT {_COLUMNS} FROM runs WHERE id=?", (run_id,)).fetchone())
        if self._with_true_state(run).state is not RunState.INTERRUPTED:
            return False
        db.execute(
            "UPDATE runs SET state=?, problem=?, hint=? WHERE id=?",
            (RunState.FAILED, "The worker of this run ended without a word.", "Resume it: what is finished is kept.",
             run_id),
        )  # fmt: skip
        return True

    def _free_id(self, db: sqlite3.Connection, now: float) -> str | None:
        moment = datetime.fromtimestamp(now, UTC)
        for pattern in ("%Y-%m-%d-%H-%M", "%Y-%m-%d-%H-%M-%S"):
            candidate = moment.strftime(pattern)
            taken = db.execute("SELECT 1 FROM runs WHERE id=?", (candidate,)).fetchone()
            files = any(self.data_dir.glob(f"*/{candidate}-stats.csv"))
            if not taken and not files and not self.folder(candidate).exists():
                return candidate
        return None

    def get(self, run_id: str) -> Run:
        """One run, with its true state.

        Raises:
            BadInput: there is no such run.
        """
        with self._connect() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM runs WHERE id=?", (run_id,)).fetchone()
        if row is None:
            raise BadInput(f"There is no run {run_id!r} here.", "See `ivan runs list`.")
        return self._with_true_state(_run(row))

    def all(self) -> list[Run]:
        """Every run, newest first, with its true state."""
        with self._connect() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM runs ORDER BY created DESC, id DESC"
            ).fetchall()
        return [self._with_true_state(_run(row)) for row in rows]

    def _with_true_state(self, run: Run) -> Run:
        """A run that says it is at work while nobody holds its lock is interrupted."""
        if not run.state.live or is_held(self.lock_path(run.id)):
            return run
        if time.time() - max(run.created, run.heartbeat or 0) < _STARTUP_GRACE and (
            run.state is RunState.QUEUED
        ):
            return run
        from dataclasses import replace

        return replace(run, state=RunState.INTERRUPTED)

    def requeue(self, run_id: str) -> None:
        """Make a stopped run wait for a worker again; what it finished stays."""
        with self._connect() as db:
            db.execute(
                "UPDATE runs SET state=?, cancel=0, problem='', hint='', finished=NULL, heartbeat=? WHERE id=?",
                (RunState.QUEUED, time.time(), run_id),
            )

    def ask_to_cancel(self, run_id: str) -> None:
        with self._connect() as db:
            db.execute("UPDATE runs SET cancel=1 WHERE id=?", (run_id,))

    def beat(self, run_id: str) -> bool:
        """Say that the worker lives; returns whether someone asked it to stop."""
        with self._connect() as db:
            row = db.execute(
                "UPDATE runs SET heartbeat=? WHERE id=? RETURNING cancel", (time.time(), run_id)
            ).fetchone()
        return row is None or bool(row[0])

    def begin(self, run_id: str) -> None:
        """The worker has its lock and starts."""
        with self._connect() as db:
            now = time.time()
            db.execute(
                "UPDATE runs SET state=?, started=COALESCE(started, ?), heartbeat=? WHERE id=?",
                (RunState.RUNNING, now, now, run_id),
            )

    def progress(self, run_id: str, **values: str | int | float | None) -> None:
        """Set any of doing, done, total, computed, rate."""
        unknown = values.keys() - {"doing", "done", "total", "computed", "rate"}
        if unknown:
            raise KeyError(f"not progress: {sorted(unknown)}")
        fields = ", ".join(f"{name}=?" for name in values)
        with self._connect() as db:
            db.execute(f"UPDATE runs SET {fields} WHERE id=?", (*values.values(), run_id))

    def note(self, run_id: str, notes: list[str]) -> None:
        """Facts a reader of the run should know (said once, kept with the run)."""
        with self._connect() as db:
            db.execute("UPDATE runs SET notes=? WHERE id=?", (json.dumps(notes), run_id))

    def publish(self, run_id: str, points: list[LivePoint]) -> None:
        """Add live points; a point published again replaces itself."""
        rows = [
            (run_id, p.model, p.step, p.agree, p.tie, p.disagree, p.unrated, p.margin_sum, p.margin_squares)
            for p in points
        ]  # fmt: skip
        with self._connect() as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO live VALUES (?,?,?,?,?,?,?,?,?)", rows)
            db.execute("COMMIT")

    def live_points(self, run_id: str) -> list[LivePoint]:
        """All points so far, by model and in the order of the chunks."""
        with self._connect() as db:
            rows = db.execute(
                "SELECT model, step, agree, tie, disagree, unrated, margin_sum, margin_squares "
                "FROM live WHERE run=? ORDER BY model, step",
                (run_id,),
            ).fetchall()
        return [LivePoint(*row) for row in rows]

    def finish(self, run_id: str, state: RunState, problem: str = "", hint: str = "") -> None:
        with self._connect() as db:
            db.execute(
                "UPDATE runs SET state=?, finished=?, problem=?, hint=?, doing='' WHERE id=?",
                (state, time.time(), problem, hint, run_id),
            )


def _run(row: tuple[object, ...]) -> Run:
    *values, notes = row
    fields = dict(zip(_COLUMNS.replace(" ", "").split(",")[:-1], values, strict=True))
    fields["state"] = RunState(str(fields["state"]))
    return Run(**fields, notes=tuple(json.loads(str(notes))))  # type: ignore[arg-type]
