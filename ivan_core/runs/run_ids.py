"""Ids of runs: the UTC minute of their start, which also begins the names of their files."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

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
