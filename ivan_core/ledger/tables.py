"""The ledger's tables, and the statements on them that several of its methods share.

Each function works inside a transaction of the caller.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.ledger.records import (
    OPEN,
    UNSENT,
    Confirmation,
    Part,
    PartKey,
    PartState,
    PlanChanged,
    Stage,
)
from ivan_core.runs.database import LAYOUT, Database

_CONFIRMATION = "run, attempt, plan_hash, usd, at, by, may_charge_twice"
_PART = (
    "run, part, attempt, sha256, requests, path, tokens, stage, changed, file_id, batch_id, "
    "status, problem, note, input_tokens, output_tokens, usd, sent"
)
THIS_PART = "run=? AND part=? AND attempt=?"
THIS_PLAN = (
    "plan_hash=? AND account=? AND EXISTS (SELECT 1 FROM parts AS p "
    f"WHERE p.run=c.run AND p.attempt=c.attempt AND p.stage!='{Stage.ABANDONED}')"
)
"""Confirmations of a plan for an account, as long as not all of it was given up unsent."""
SAME_ACCOUNT = (
    "(run, attempt) IN (SELECT run, attempt FROM confirmations WHERE account IN "
    "(SELECT account FROM confirmations WHERE run=?))"
)
"""Parts of the accounts that a run was confirmed for."""


class LedgerFile(Database):
    """The file. A commit is on the disk when it returns, so that a power cut forgets no call."""

    schema = (
        """CREATE TABLE IF NOT EXISTS confirmations (
        run TEXT NOT NULL, attempt INTEGER NOT NULL, plan_hash TEXT NOT NULL, usd REAL,
        at REAL NOT NULL, by TEXT NOT NULL, may_charge_twice INTEGER NOT NULL,
        account TEXT NOT NULL, PRIMARY KEY (run, attempt)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS parts (
        run TEXT NOT NULL, part INTEGER NOT NULL, attempt INTEGER NOT NULL, sha256 TEXT NOT NULL,
        requests INTEGER NOT NULL, path TEXT NOT NULL, tokens INTEGER NOT NULL,
        stage TEXT NOT NULL, changed REAL NOT NULL, file_id TEXT NOT NULL DEFAULT '',
        batch_id TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT '',
        problem TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '', input_tokens INTEGER,
        output_tokens INTEGER, usd REAL, sent REAL,
        PRIMARY KEY (run, part, attempt)) WITHOUT ROWID""",
        f"PRAGMA user_version={LAYOUT}",
    )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with super().reading() as db:
            db.execute("PRAGMA synchronous=FULL")
            yield db


def confirm(db: sqlite3.Connection, asked: Confirmation, account: str) -> bool:
    """Write a confirmation down if its attempt has none yet; whether it was this call that did."""
    changed = db.execute(
        f"INSERT OR IGNORE INTO confirmations ({_CONFIRMATION}, account) VALUES (?,?,?,?,?,?,?,?)",
        (
            asked.run,
            asked.attempt,
            asked.plan_hash,
            asked.usd,
            asked.at,
            asked.by,
            asked.may_charge_twice,
            account,
        ),
    )
    return changed.rowcount == 1


def confirmations(
    db: sqlite3.Connection, which: str, values: Sequence[object]
) -> list[Confirmation]:
    """Confirmations, oldest first."""
    rows = db.execute(
        f"SELECT {_CONFIRMATION} FROM confirmations AS c WHERE {which} ORDER BY at, attempt", values
    ).fetchall()
    return [
        Confirmation(run, attempt, plan_hash, usd, at, by, bool(twice))
        for run, attempt, plan_hash, usd, at, by, twice in rows
    ]


def check(
    db: sqlite3.Connection, run: str, attempt: int, account: str, plan_hash: str | None
) -> None:
    """Refuse what was not confirmed: no yes at all, another account, another plan.

    Raises:
        BadInput, PlanChanged: which of these it is.
    """
    row = db.execute(
        "SELECT account, plan_hash FROM confirmations WHERE run=? AND attempt=?", (run, attempt)
    ).fetchone()
    if row is None:
        raise BadInput(
            f"Nobody has confirmed attempt {attempt} of run {run}.",
            "Look at the estimate, then confirm it.",
        )
    if row[0] != account:
        raise BadInput(
            f"Run {run} was confirmed for another account.",
            "Use the key, organisation and base URL of that time: IVAN acts for no other.",
        )
    if plan_hash is not None and row[1] != plan_hash:
        raise PlanChanged(
            f"Another plan was confirmed as attempt {attempt} of run {run}.",
            "Look at the estimate again: requests, prices or settings have changed since.",
        )


def insert(db: sqlite3.Connection, part: Part, stage: Stage, at: float) -> bool:
    """Write a part down if its key is free; whether it was."""
    key = part.key
    changed = db.execute(
        "INSERT OR IGNORE INTO parts "
        "(run, part, attempt, sha256, requests, path, tokens, stage, changed) "
        "VALUES (?,?,?,?,?,?,?,?,?)",
        (
            key.run,
            key.part,
            key.attempt,
            part.sha256,
            part.requests,
            part.path,
            part.tokens,
            stage,
            at,
        ),
    )
    return changed.rowcount == 1


def refuse_twice(db: sqlite3.Connection, part: Part, account: str) -> None:
    """Refuse requests that are at the provider already, or may be.

    Raises:
        BadInput: the part of an earlier attempt, or the same bytes in any run of the account.
    """
    places = ", ".join("?" * len(OPEN))
    row = db.execute(
        "SELECT p.run, p.part, p.stage FROM parts AS p JOIN confirmations AS c "
        "ON c.run=p.run AND c.attempt=p.attempt "
        "WHERE ((p.run=? AND p.part=?) OR (p.sha256=? AND c.account=?)) "
        f"AND p.stage IN ({places}) ORDER BY p.stage=? DESC, p.changed LIMIT 1",
        (part.key.run, part.key.part, part.sha256, account, *OPEN, Stage.CREATED),
    ).fetchone()
    if row is None:
        return
    run, number, stage = row
    if stage == Stage.CREATED:
        raise BadInput(
            f"Part {number} of run {run} is at the provider with the same requests.",
            "Wait for it or cancel it, or confirm that they may be charged twice.",
        )
    raise BadInput(
        f"Nobody knows whether part {number} of run {run} was sent with the same requests.",
        "Look for its batch again, or confirm that they may be charged twice.",
    )


def abandon(db: sqlite3.Connection, at: float, which: str, values: Sequence[object]) -> int:
    """Give up parts that were not sent; returns how many."""
    places = ", ".join("?" * len(UNSENT))
    return db.execute(
        f"UPDATE parts SET stage=?, changed=? WHERE {which} AND stage IN ({places})",
        (Stage.ABANDONED, at, *values, *UNSENT),
    ).rowcount


def parts(db: sqlite3.Connection, which: str, values: Sequence[object]) -> list[PartState]:
    """Parts by run, attempt and number."""
    rows = db.execute(
        f"SELECT {_PART} FROM parts WHERE {which} ORDER BY run, attempt, part", values
    ).fetchall()
    return [_state(row) for row in rows]


def part(db: sqlite3.Connection, key: PartKey) -> PartState:
    """One part.

    Raises:
        BadInput: there is no such part.
    """
    found = parts(db, THIS_PART, (key.run, key.part, key.attempt))
    if not found:
        raise BadInput(
            f"The ledger knows no part {key.part} of run {key.run}, attempt {key.attempt}.",
            "The run itself lists what was sent.",
        )
    return found[0]


def _state(row: Sequence[Any]) -> PartState:
    run, number, attempt, sha256, requests, path, tokens, stage, changed, *facts = row
    sent = Part(PartKey(run, number, attempt), sha256, requests, path, tokens)
    return PartState(sent, Stage(stage), changed, *facts)
