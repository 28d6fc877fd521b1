"""Ids of runs: the UTC minute of their start, which also begins the names of their files."""

from __future__ import annotations

import re
import sqlite3
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
    """Whether a text is an id that neither a run nor a file has."""
    if not _ID.fullmatch(slug):
        return False
    known = db.execute("SELECT 1 FROM runs WHERE id=?", (slug,)).fetchone()
    files = any(data_dir.glob(f"*/{slug}[-.]*"))
    return not known and not files and not (data_dir / "runs" / slug).exists()
