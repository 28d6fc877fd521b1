"""File locks: who is alive, who has the slot to load models, and ending a process that hangs.

A lock dies with its process. That alone tells that somebody lives, and one that is stopped or stuck
lives too: to be ended it has to be known, and surely, by what it wrote into the lock. A run keeps
the machine's slot until it is done with its models; the warm worker keeps it for the next question
too, and gives way as soon as somebody waits, so those who wait have to be seen.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
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

    @property
    def in_place(self) -> bool:
        """Whether the file that is locked here still lies at its path: not moved, nor another."""
        if self._descriptor is None:
            return False
        try:
            there = self.path.stat()
        except OSError:
            return False
        own = os.fstat(self._descriptor)
        return (own.st_dev, own.st_ino) == (there.st_dev, there.st_ino)

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


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lock, what it is at, and the data folder it works for.

    `started` is when it began, as the system counts: another process that was given the same number
    later began later.
    """

    pid: int
    started: str
    what: str
    folder: str


def sign(lock: FileLock, what: str, folder: Path) -> None:
    """Write into a lock that is held here who holds it."""
    (descriptor,) = lock.descriptors
    pid = os.getpid()
    told = Holder(pid, _started(pid) or "", what, str(folder))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(told)).encode(), 0)


def holder_of(path: Path) -> Holder | None:
    """Who holds a lock now; None if nobody does, or nobody who signed it."""
    try:
        found = Holder(**json.loads(path.read_bytes()))
        held = is_held(path) and found.started != "" and _started(found.pid) == found.started
    except (OSError, ValueError, TypeError):
        return None
    return found if held and _has_open(found.pid, path) else None


def end_holder(holder: Holder, path: Path) -> bool:
    """Kill the process that holds a lock; False if it does not hold it any more, or is this one.

    It gets no chance to say anything: only for work that may be killed at any moment.
    """
    if holder.pid == os.getpid():
        return False
    if sys.platform != "linux":
        if holder_of(path) != holder:
            return False
        with suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGKILL)
        return True
    try:
        process = os.pidfd_open(holder.pid)
    except OSError:
        return False
    try:
        # What was opened stays the same process, so that a look now is as good as one later.
        if holder_of(path) != holder:
            return False
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)
    finally:
        os.close(process)
    return True


def _started(pid: int) -> str | None:
    """When a process began; None if there is none."""
    if Path("/proc/self/stat").exists():
        try:
            told = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        except OSError:
            return None
        return told.rpartition(")")[2].split()[19]  # the name before it may hold anything
    told = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return told or None


def _has_open(pid: int, path: Path) -> bool:
    """Whether a process has a file open; where that cannot be looked up it is taken to."""
    folder = Path(f"/proc/{pid}/fd")
    if not Path("/proc/self/fd").exists():
        return True
    try:
        wanted = path.stat()
        return any(os.path.samestat(one.stat(), wanted) for one in folder.iterdir() if one.exists())
    except OSError:
        return False


WARM = "the worker that answers questions about single pairs"
"""What the warm worker calls itself."""


def waiting_mark(slot: Path) -> FileLock:
    """A lock to hold while waiting for the slot; who cannot have it knows that another shows it."""
    return FileLock(slot.with_name(f"{slot.name}.waiting"))


def whoever_has(slot: Path, data_dir: Path) -> str:
    """Who has the slot, to stand behind "Waiting for", and how to end that.

    Other data folders are not named: whoever reads this may not know their places.
    """
    holder = holder_of(slot)
    if holder is None:
        return "another run on this machine"
    if holder.what == WARM:
        return f"{WARM}: it gives way by itself, unless it hangs (`kill -9 {holder.pid}` ends it)"
    if holder.folder == str(data_dir):
        return (
            f"run {holder.what}, which has models loaded (`ivan runs cancel {holder.what}` ends it)"
        )
    return (
        f"run {holder.what} of another data folder on this machine (process {holder.pid}, which "
        f"`kill -9 {holder.pid}` ends; it can be resumed)"
    )
