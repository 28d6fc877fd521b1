"""Writing to the data folder: atomically, and with a sentence when it cannot be done."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ivan_core.domain.errors import StorageProblem

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn the operating system's and SQLite's complaints about `folder` into a StorageProblem.

    Raises:
        StorageProblem: no space is left, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise _full(folder) from error
        if error.errno in _NOT_ALLOWED or isinstance(error, NotADirectoryError | FileExistsError):
            raise _read_only(folder) from error
        raise
    except sqlite3.OperationalError as error:
        text = str(error)
        if "full" in text:
            raise _full(folder) from error
        if "readonly" in text or "unable to open" in text:
            raise _read_only(folder) from error
        raise


def _full(folder: Path) -> StorageProblem:
    return StorageProblem(
        f"The disk that holds {folder} is full.",
        "Free some space, then resume the run: what is finished is kept.",
    )


def _read_only(folder: Path) -> StorageProblem:
    return StorageProblem(
        f"The data folder {folder} cannot be written.",
        "Make it writable, or name another one with IVAN_DATA_DIR.",
    )


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place, synced to disk, when the block ends well."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
