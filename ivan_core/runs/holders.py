"""Who holds a lock, by what was written into it, and ending a process that hangs with it.

A lock alone tells that somebody lives. A process that is stopped, or stuck, lives too: to end it,
it has to be known, and surely.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ivan_core.runs.locks import FileLock, is_held


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


def end(holder: Holder, path: Path) -> bool:
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
