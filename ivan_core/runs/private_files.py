"""Texts, labels, reviews and the registry are their owner's: nobody else may read the files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ivan_core.runs.storage import only_to_read

_OURS = (
    "answers.sqlite",
    "cache",
    "compare",
    "datasets",
    "downloads",
    "ivan.sqlite",
    "ledger.locks",
    "ledger.sqlite",
    "reviews.sqlite",
    "rewrite",
    "runs",
    "taxonomy-control",
    "taxonomy-input",
    "taxonomy-output",
    "warm.lock",
    "warm.log",
    "warm.sqlite",
)
"""What IVAN puts into a data folder."""
_MARK = ".private"
"""Says that a folder was closed, so that nobody's opening it up on purpose is ever undone."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keep_private(data_dir: Path) -> None:
    """From now on this process makes files for its user alone, whatever the umask was.

    Called once where a process begins; what it starts inherits it. A data folder from before is
    closed to others the first time, and never again. What others own is left as it is.
    """
    os.umask(0o077)
    mark = data_dir / _MARK
    with suppress(OSError):
        if not data_dir.is_dir() or mark.exists() or only_to_read(data_dir):
            return
        if _is_own(data_dir):
            _close(data_dir)
            mark.touch()


def _close(data_dir: Path) -> None:
    entries = [entry for entry in data_dir.iterdir() if _is_ours(entry.name)]
    for entry in entries:
        for path in (entry, *_below(entry)):
            with suppress(OSError):
                mode = path.lstat().st_mode
                regular = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
                if regular and mode & _OTHERS and _is_own(path):
                    path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    if all(_is_ours(entry.name) or entry.name.startswith(".") for entry in data_dir.iterdir()):
        data_dir.chmod(stat.S_IMODE(data_dir.stat().st_mode) & ~_OTHERS)


def _below(folder: Path) -> Iterator[Path]:
    """Everything in a folder; links are not followed."""
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent) / name for name in (*folders, *files))


def _is_ours(name: str) -> bool:
    return name.removesuffix("-wal").removesuffix("-shm") in _OURS


def _is_own(path: Path) -> bool:
    return path.lstat().st_uid == os.geteuid()
