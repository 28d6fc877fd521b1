"""Workers, processes of their own: started, told of while they are stopped or stuck, and ended."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ivan_core.domain.runs import Run
from ivan_core.runs.locks import Holder, end_holder, holder_of, is_held
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import storage_errors
from ivan_core.settings import data_dir

_Given = TypeVar("_Given")
SILENT_SECONDS = 20.0
"""A worker without a heartbeat for so long does not work, and that is said; it beats thrice a
second."""
GRACE_SECONDS = 3.0
"""How long a worker that was asked to stop may take before it is killed."""
_LOOK_SECONDS = 0.1


def start_worker(command: Sequence[str], log: Path, name: str, keeps: Sequence[int] = ()) -> None:
    """Start a worker that survives this process, keeps some descriptors and prints to a log.

    Raises:
        StorageProblem: the data folder cannot be written.
    """
    with storage_errors(data_dir()):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(log, flags, 0o600)
    try:
        worker = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env=os.environ | {"IVAN_DATA_DIR": str(data_dir())},
            pass_fds=keeps,
        )
    finally:
        os.close(descriptor)
    # A server lives long: a worker that nobody waits for would stay in its process table.
    threading.Thread(target=worker.wait, name=f"wait-{name}", daemon=True).start()


def silence(registry: Registry, run: Run) -> str:
    """A sentence if the worker of a run lives but has not been heard of for a while; else empty."""
    silent = time.time() - (run.heartbeat or run.created)
    if not run.state.live or silent < SILENT_SECONDS:
        return ""
    if holder_of(registry.lock_path(run.id)) is None:
        return ""
    return (
        f"Its worker has not been heard of for {silent:.0f} s: it is stopped, or stuck. Cancel "
        "ends it; what is finished is kept."
    )


def end_if_hung(registry: Registry, run: Run) -> bool:
    """Kill the worker of a run that has been silent for long; whether there was one."""
    return bool(silence(registry, run)) and end_worker(registry.lock_path(run.id))


def ask_to_stop(registry: Registry, run_id: str) -> bool:
    """Ask a run to stop, and see to it that its worker ends; whether there was anything to stop.

    Raises:
        BadInput: there is no such run.
    """
    path = registry.lock_path(run_id)
    asked = past_hung_worker(lambda: registry.cancel(run_id), path)
    worker = holder_of(path)
    if asked and worker is not None:
        threading.Thread(
            target=_see_it_end, args=(path, worker), daemon=True, name=f"end-{run_id}"
        ).start()
    return asked


def past_hung_worker(look: Callable[[], _Given], lock: Path) -> _Given:
    """Look into a database; a worker that was stopped while it wrote there is ended first.

    Such a worker, which holds `lock`, keeps all others from the database.
    """
    try:
        return look()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) or not end_worker(lock):
            raise
        return look()


def _see_it_end(lock: Path, worker: Holder) -> None:
    """Kill a worker that does not end by itself. Every step may be killed, so nothing is lost."""
    asked = time.monotonic()
    while is_held(lock):
        if time.monotonic() - asked > GRACE_SECONDS:
            end_holder(worker, lock)
            return
        time.sleep(_LOOK_SECONDS)


def end_worker(lock: Path) -> bool:
    """Kill the worker that holds a lock, and wait until it is free; whether there was one."""
    worker = holder_of(lock)
    if worker is None or not end_holder(worker, lock):
        return False
    while holder_of(lock) == worker:
        time.sleep(_LOOK_SECONDS)
    return True
