"""Databases of strangers: each writes into a copy of their own, which is thrown away.

They see what was said before they came and what they said themselves, and nothing of each other.
A copy is made by the first thing somebody says, and lasts as long as the server, or until many
others have said something since.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from functools import cache
from hashlib import sha256
from pathlib import Path

MOST_KEPT = 200
"""Copies at a time; the one that was written longest ago goes first."""


_asking: Callable[[], str] = str


def set_asking(asking: Callable[[], str]) -> None:
    """Say how to find out which stranger asks; empty for those who share the database."""
    global _asking
    _asking = asking


def is_apart() -> bool:
    """Whether who asks now is kept apart from others."""
    return bool(_asking())


def own_copy(shared: Path) -> Path | None:
    """The copy of a database that belongs to who asks; None while they have said nothing."""
    path = _path_of(shared)
    return path if path.exists() else None


def begin_copy(shared: Path) -> Path:
    """The copy of who asks, made now if there is none; of an empty database if that is missing."""
    path = _path_of(shared)
    if not path.exists():
        _throw_away_oldest()
        whole = path.with_suffix(f".{threading.get_ident()}")
        with closing(sqlite3.connect(whole)) as copy:
            if shared.exists():
                with closing(
                    sqlite3.connect(f"{shared.absolute().as_uri()}?mode=ro", uri=True)
                ) as db:
                    db.backup(copy)
        whole.rename(path)
    return path


def _path_of(shared: Path) -> Path:
    named = sha256(f"{shared.absolute()}|{_asking()}".encode()).hexdigest()[:32]
    return _folder() / f"{named}.sqlite"


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ivan-strangers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _throw_away_oldest() -> None:
    kept = sorted(_folder().glob("*.sqlite"), key=lambda path: path.stat().st_mtime)
    for path in kept[: max(0, len(kept) - MOST_KEPT + 1)]:
        for part in _folder().glob(f"{path.name}*"):
            part.unlink(missing_ok=True)
