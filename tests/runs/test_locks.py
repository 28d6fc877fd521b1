"""Locks tell who is alive: they end with their process, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from given.support import wait_for

from ivan_core.runs.locks import FileLock, is_held


def hold(path: Path, held: Event) -> None:
    FileLock(path).acquire()
    held.set()
    multiprocessing.Event().wait()


def test_held_until_released(tmp_path: Path) -> None:
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert not is_held(lock.path)
    assert lock.acquire() and lock.acquire()
    assert is_held(lock.path)
    assert not other.acquire(timeout=0.1)
    lock.release()
    assert not is_held(lock.path)
    assert other.acquire()


def test_asking_takes_nothing_away(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_holder_holds_no_more(tmp_path: Path, processes: ForkServerContext) -> None:
    held = processes.Event()
    holder: Any = processes.Process(target=hold, args=(tmp_path / "lock", held))
    holder.start()
    assert held.wait(300)
    assert is_held(tmp_path / "lock")
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(300)
    wait_for(lambda: not is_held(tmp_path / "lock"))


def test_the_child_of_a_holder_does_not_hold(tmp_path: Path) -> None:
    """A program that a worker starts must not keep the run alive after the worker."""
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    descriptor = lock._descriptor
    assert descriptor is not None
    assert not os.get_inheritable(descriptor)


def test_a_lock_is_in_place_while_its_own_file_lies_there(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert not lock.in_place, "nothing is locked"
    assert lock.acquire() and lock.in_place
    lock.path.rename(tmp_path / "moved")
    assert not lock.in_place
    lock.path.touch()
    assert not lock.in_place, "another file"
    (tmp_path / "moved").rename(lock.path)
    assert lock.in_place
    lock.release()
