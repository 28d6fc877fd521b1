"""Writing to the data folder: atomically, for its owner alone, saying why where it cannot be done.

Texts, labels, reviews and the registry are their owner's: nobody else may read the files.
"""

from __future__ import annotations

import csv
import errno
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from typing import Any
from uuid import uuid4

from ivan_core.domain.errors import BadInput, StorageProblem

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_RESERVED_BYTES = 256 * 1024


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn the operating system's and SQLite's complaints about `folder` into a StorageProblem.

    Raises:
        StorageProblem: no space is left, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if not _concerns(error, folder):
            raise
        if error.errno in _NO_SPACE:
            raise _full(folder) from error
        if error.errno in _NOT_ALLOWED or _cannot_be_made(error, folder):
            raise _read_only(folder) from error
        raise
    except sqlite3.DatabaseError as error:
        problem = _sqlite_problem(error, folder)
        if problem is None:
            raise
        raise problem from error


def _concerns(error: OSError, folder: Path) -> bool:
    """Whether the complaint is about the folder; one without a file's name is taken to be."""
    name = error.filename
    if not isinstance(name, str | os.PathLike):
        return True
    path = Path(os.fsdecode(name)).absolute()
    return path.is_relative_to(folder.absolute()) or folder.absolute().is_relative_to(path)


def _cannot_be_made(error: OSError, folder: Path) -> bool:
    """Whether the folder itself is what is missing: it lies where no folder can be made."""
    name = error.filename
    if error.errno != errno.ENOENT or not isinstance(name, str | os.PathLike):
        return False
    return folder.absolute().is_relative_to(Path(os.fsdecode(name)).absolute())


def _sqlite_problem(error: sqlite3.DatabaseError, folder: Path) -> StorageProblem | None:
    text = str(error)
    code = getattr(error, "sqlite_errorname", "")
    if "full" in text or (code.startswith("SQLITE_IOERR") and _no_space_left(folder)):
        return _full(folder)
    if "readonly" in text or "unable to open" in text:
        return _read_only(folder)
    if "malformed" in text or "not a database" in text:
        return StorageProblem(
            f"A database in {folder} is damaged ({text}).",
            "Move it away, or put a copy of it back.",
        )
    return None


def _no_space_left(folder: Path) -> bool:
    # SQLite reports a full disk as a plain I/O error where it fails to extend its shared memory.
    with suppress(OSError):
        return os.statvfs(folder).f_bavail < 16
    return False


def _full(folder: Path) -> StorageProblem:
    return StorageProblem(
        f"The disk that holds {folder} is full.",
        "Free some space, then resume the run: what is finished is kept.",
    )


def _read_only(folder: Path) -> StorageProblem:
    return StorageProblem(
        f"The folder {folder} cannot be written.",
        "Make it writable, or name another data folder with IVAN_DATA_DIR.",
    )


def folder_for(path: Path) -> Path:
    """The folder that a file is to be written into.

    Raises:
        BadInput: there is no such folder, or the path is one itself.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", "Make it, or name another file.")
    if path.is_dir():
        raise BadInput(f"{path} is a folder.", "Name a file in it.")
    return folder


def replace_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, at once or not at all; half a character becomes "?"."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8", "replace", newline="\n")


@contextmanager
def replacing(path: Path, alone: bool = False) -> Iterator[Path]:
    """A temporary path that takes the place of `path`, synced to disk, when the block ends well.

    `alone` says that no other process writes this file, as a run's worker can: then a temporary
    that a killed process left behind is used again instead of staying.
    """
    temporary = path.with_name(f".{path.name}.{'new' if alone else uuid4().hex[:8]}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(
    path: Path, heads: Iterable[str], rows: Iterable[Sequence[Any]], alone: bool = False
) -> None:
    """Write a table as CSV in UTF-8, at once or not at all, and make its folder; None is empty.

    `alone` is as in `replacing`. Half a character, which no file can hold, becomes "?".

    Raises:
        OSError: the folder cannot be written; what was there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        replacing(path, alone) as temporary,
        temporary.open("w", encoding="utf-8", errors="replace", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)


def only_to_read(folder: Path) -> bool:
    """Whether the folder is there and nothing in it can be made or changed."""
    return folder.is_dir() and not os.access(folder, os.W_OK, effective_ids=True)


def can_only_be_read(folder: Path) -> bool:
    """Whether nothing can be made in a folder, or it could not be made itself."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return only_to_read(there)


def read_only_query(path: Path) -> dict[str, str]:
    """How SQLite's address of a file in a folder only to read has to end.

    SQLite wants to lay a log beside the file, unless told that nobody changes it. That holds where
    there is no log; where there is one, somebody who may write is at work, and it is read too.
    """
    log = path.with_name(f"{path.name}-wal")
    return {"mode": "ro"} if log.exists() else {"mode": "ro", "immutable": "1"}


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_line(path: Path, end: int, data: bytes) -> None:
    """Write a line at the end of what is whole in a file; after this call it survives a power cut.

    A line torn by a crash stands after `end`: it is overwritten, and what sticks out is cut off.
    """
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        written = 0
        while written < len(data):
            written += os.pwrite(descriptor, data[written:], end + written)
        os.ftruncate(descriptor, end + len(data))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        sync_folder(path.parent)


def file_sha256(path: Path) -> str:
    """The hash of a file's bytes as they are now."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class Reserve:
    """A little disk space set aside, so that on a full disk a run can still say why it stopped."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self) -> None:
        """Set the space aside.

        Raises:
            StorageProblem: there is none left, or the folder cannot be written.
        """
        with storage_errors(self._path.parent):
            self._path.write_bytes(os.urandom(_RESERVED_BYTES))

    def release(self) -> None:
        """Give the space back; a folder that cannot be written keeps it."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


_OURS = (
    "analysis",
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
    "studies",
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
