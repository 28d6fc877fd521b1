"""File locks: who is alive, and who may load models.

A lock dies with its process, so no process ids are kept.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from ivan_core.runs.storage import storage_errors


class FileLock:
    """An exclusive lock on a file, held until `release` or the end of the process. POSIX only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """Take the lock, trying for `timeout` seconds; False if another process keeps it.

        Taking a lock that is held already by this object does nothing.

        Raises:
            StorageProblem: the lock's folder cannot be written.
        """
        if self._descriptor is not None:
            return True
        with storage_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(0.05)
            else:
                self._descriptor = descriptor
                return True

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a child process inherits to keep the lock until it ends; nothing if not held here.

        For `subprocess.Popen(pass_fds=...)`; then `release` gives up this process's part alone.
        """
        return () if self._descriptor is None else (self._descriptor,)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock; one that this user may not open counts as held."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        # A shared lock, so that two who ask at the same moment do not take each other for a holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
