"""The worker: `python -m ivan_core.worker RUN`. One process a run, detached from its starter."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ivan_core.domain.errors import IvanError
from ivan_core.domain.runs import RunState
from ivan_core.engine.kind import kind_of
from ivan_core.engine.work import Job, Waiting, at_work
from ivan_core.runs.locks import FileLock, sign
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import Reserve, keep_private
from ivan_core.settings import data_dir, share_the_machine

BEAT_SECONDS = 0.3
Work = Callable[[Job[Any]], Waiting | None]
"""What does the work of a run, and tells how the run waits if it is not done."""


class Heart(threading.Thread):
    """Tells the registry that the worker lives, and ends the process when the run is cancelled."""

    def __init__(self, registry: Registry, run_id: str) -> None:
        super().__init__(daemon=True)
        self._registry = registry
        self._run_id = run_id
        self._stopped = threading.Event()
        self._deciding = threading.Lock()

    def run(self) -> None:
        while not self._stopped.wait(BEAT_SECONDS):
            # A beat that fails does no harm: the next may go through, and the lock says we live.
            with suppress(sqlite3.Error, IvanError):
                if self._registry.beat(self._run_id):
                    self._end()

    def _end(self) -> None:
        with self._deciding:
            if self._stopped.is_set():
                return
            # Where even this cannot be written, the free lock and the request to cancel tell all.
            with suppress(sqlite3.Error, IvanError):
                self._registry.finish(self._run_id, RunState.CANCELLED)
            # Every step may be killed at any moment, so nothing is lost by not asking it.
            os._exit(0)

    def stop(self) -> None:
        """From here on a request to cancel comes too late."""
        with self._deciding:
            self._stopped.set()
        self.join(timeout=2)


def work(registry: Registry, run_id: str, instead: Mapping[str, Work] | None = None) -> None:
    """Do a run from where it stands to its end, whatever that is.

    `instead` gives what does the work of a kind in place of what the kind does, by its name.

    Raises:
        BadInput: there is no such run.
        StorageProblem: the data folder cannot be written at all.
    """
    registry.get(run_id)
    with FileLock(registry.lock_path(run_id)) as lock, registry.kept_open():
        # Nothing to do if another worker is at it, or if the run was cancelled meanwhile.
        if lock.acquire(timeout=5) and registry.begin(run_id):
            sign(lock, run_id, registry.data_dir)
            _to_the_end(registry, run_id, instead or {})


def _to_the_end(registry: Registry, run_id: str, instead: Mapping[str, Work]) -> None:
    heart = Heart(registry, run_id)
    heart.start()
    reserve = Reserve(registry.folder(run_id) / "reserve")
    state, problem, hint = RunState.DONE, "", ""
    waiting: Waiting | None = None
    try:
        reserve.take()
        kind = kind_of(registry.get(run_id))
        with at_work(registry, run_id, kind.spec) as job:
            waiting = instead.get(kind.name, kind.work)(job)
    except IvanError as error:
        state, problem, hint = RunState.FAILED, error.message, error.hint
        _log_error()
    except Exception as error:
        state, problem = RunState.FAILED, f"Something unforeseen happened: {type(error).__name__}."
        hint = (
            f"The details are in runs/{run_id}/worker.log in the data folder. "
            "What is finished is kept."
        )
        _log_error()
    heart.stop()
    reserve.release()
    if waiting is not None:
        registry.wait(run_id, waiting.state, waiting.problem, waiting.hint)
    else:
        registry.finish(run_id, state, problem, hint)


def _log_error() -> None:
    with suppress(OSError):  # the log may lie on the disk whose being full is the error
        traceback.print_exc()


def main() -> int:
    keep_private(data_dir())
    os.nice(10)
    share_the_machine()
    try:
        work(Registry(data_dir()), sys.argv[1])
    except IvanError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
