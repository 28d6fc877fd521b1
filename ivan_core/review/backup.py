"""A copy of all reviews, and reviews out of a copy, by those who are trusted."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from ivan_core.engine import access
from ivan_core.engine.access import Action
from ivan_core.settings import data_dir


def back_up(path: Path) -> str:
    """Write all reviews, notes and names to a new file; returns what it holds as a sentence.

    Raises:
        NotAllowed: the visitor may only read and review.
        BadInput: there is such a file already.
    """
    from ivan_core.annotations.backup import write_backup

    access.require(Action.BACKUP)
    return f"Wrote {write_backup(data_dir(), path.absolute()).words} to {path}."


def backup_bytes() -> bytes:
    """All reviews, notes and names as the content of a backup file. Raises NotAllowed."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.zip"
        back_up(path)
        return path.read_bytes()


def restore(path: Path) -> str:
    """Put what a backup holds into this data folder's or team's empty database.

    Raises:
        NotAllowed: the visitor may only read and review.
        BadInput: the file is no backup, is damaged or of a newer IVAN, or the database holds
            reviews already.
    """
    from ivan_core.annotations.backup import restore_backup
    from ivan_core.annotations.database import ReviewDatabase

    access.require(Action.RESTORE)
    found = restore_backup(data_dir(), path.absolute())
    return f"Restored {found.words} into {ReviewDatabase(data_dir()).where}."
