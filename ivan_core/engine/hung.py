"""Workers that live but do not work: stopped, or stuck. They are told of, and ended when asked."""

from __future__ import annotations

import sqlite3
import threading
import time

from ivan_core.domain.runs import Run
from ivan_core.runs.locks import Holder, end_holder, holder_of, is_held
from ivan_core.runs.registry import Registry

SILENT_SECONDS = 20.0
"""A worker without a heartbeat for so long does not work, and that is said; it beats thrice a
second."""
GRACE_SECONDS = 3.0
"""How long a worker that was asked to stop may take before it is killed."""
_LOOK_SECONDS = 0.1


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
    return bool(silence(registry, run)) and _kill(registry, run.id)


def ask_to_stop(registry: Registry, run_id: str) -> bool:
    """Ask a run to stop, and see to it that its worker ends; whether there was anything to stop.

    Raises:
        BadInput: there is no such run.
    """
    path = registry.lock_path(run_id)
    try:
        asked = registry.cancel(run_id)
    except sqlite3.OperationalError as error:
        # A worker may be stopped in the middle of writing to the registry, and so stop all others.
        if "locked" not in str(error) or not _kill(registry, run_id):
            raise
        asked = registry.cancel(run_id)
    worker = holder_of(path)
    if asked and worker is not None:
        threading.Thread(
            target=_see_it_end, args=(registry, run_id, worker), daemon=True, name=f"end-{run_id}"
        ).start()
    return asked


def _see_it_end(registry: Registry, run_id: str, worker: Holder) -> None:
    """Kill a worker that does not end by itself. Every step may be killed, so nothing is lost."""
    path = registry.lock_path(run_id)
    asked = time.monotonic()
    while is_held(path):
        if time.monotonic() - asked > GRACE_SECONDS:
            end_holder(worker, path)
            return
        time.sleep(_LOOK_SECONDS)


def _kill(registry: Registry, run_id: str) -> bool:
    """Kill the worker of a run, and wait until its lock is free."""
    path = registry.lock_path(run_id)
    worker = holder_of(path)
    if worker is None or not end_holder(worker, path):
        return False
    while holder_of(path) == worker:
        time.sleep(_LOOK_SECONDS)
    return True
