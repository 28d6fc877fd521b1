"""Pieces that several tests call."""

from __future__ import annotations

import io
import json
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import ZipFile

import pytest

NOBODY = 65534
_LOOKING_AFTER = Lock()


def settings_of(patch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Settings that come from nowhere else, and where data go: a folder of their own, and a slot.

    Returns the data folder, which is not there yet.
    """
    no_settings_from_files(patch)
    patch.setenv("IVAN_DATA_DIR", str(folder / "data"))
    patch.setenv("IVAN_SLOT_FILE", str(folder / "slot"))
    return folder / "data"


def no_settings_from_files(patch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have an .env and secrets beside the app."""
    from ivan_core import settings

    patch.setattr(settings, "_from_files", dict)


def write_pairs(path: Path, count: int) -> Path:
    with path.open("w") as file:
        for number in range(count):
            ask = f"\n\nHuman: Question {number}?\n\nAssistant: "
            other = "" if number == 7 else " But ask a friend too."
            pair = {"chosen": f"{ask}Answer {number}.", "rejected": f"{ask}Answer {number}.{other}"}
            file.write(json.dumps(pair) + "\n")
    return path


def write_annotated_pairs(path: Path, count: int, annotators: int) -> Path:
    """Pairs of all lengths in three subsets, with columns of their own; row 7 is identical."""
    with path.open("w") as file:
        for number in range(count):
            ask = f"\n\nHuman: Question {number}?\n\nAssistant: "
            pair = {
                "chosen": f"{ask}Answer {number}{'.' * (number % 5)}",
                "rejected": f"{ask}Answer {number}" + ("" if number == 7 else "!" * (number % 3)),
                "subset": ("", "helpful", "harmless")[number % 3],
                "annotator": f"a{number % annotators}",
                "hours": number * 0.25,
            }
            file.write(json.dumps(pair) + "\n")
    return path


@contextmanager
def without_rights() -> Iterator[None]:
    """Be a user who owns nothing; who runs the tests without root's rights stays who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def exit_code_of(processes: BaseContext, work: Callable[..., None], *arguments: Any) -> int:
    """Do some work in a process of its own, and return its exit code.

    Threads may call this at the same time. Starting a process looks after all others, so that
    without the lock two threads could both read one's exit code: the later one finds none.
    """
    process: Any = processes.Process(target=work, args=arguments)
    with _LOOKING_AFTER:
        process.start()
    wait([process.sentinel], 300)
    with _LOOKING_AFTER:
        process.join(0)
        return int(process.exitcode)


def wait_for(fact: Callable[[], Any], seconds: float = 300.0) -> Any:
    """Wait until a fact holds, and return it. A busy machine may take its time."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true within {seconds} s")
        time.sleep(0.02)
    return found


def children() -> list[int]:
    """Processes that this one started and that are in the process table, ended ones included.

    The kernel may leave out some while others come and go.
    """
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread that ended meanwhile
            found += [int(pid) for pid in (task / "children").read_text().split()]
    return found


def workers_of(data_dir: Path, word: str) -> list[int]:
    """Processes that this one started for a data folder, with a word in their command.

    Ids of runs are of the minute, so that a worker of another test may have the same.
    """
    found, own = [], f"IVAN_DATA_DIR={data_dir}".encode()
    for child in children():
        with suppress(OSError):  # it has ended meanwhile
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            given = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
            if word.encode() in words and own in given:
                found.append(child)
    return found


def free_port() -> int:
    """A port for a server that cannot choose one itself.

    It is none of those that the system hands out: between now and the server's start one of the
    many connections of other tests could be given it.
    """
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


def heads_sort(table: Any) -> bool:
    """Whether the browser sorts a table of AppTest by its heads, that is, the rows it was sent."""
    return table.proto.SINGLE_COLUMN not in table.proto.selection_mode


def repacked(packed: bytes, path: Path, change: dict[str, bytes | None]) -> Path:
    """A copy of a zip with some of its files replaced, added or (None) left out."""
    with ZipFile(io.BytesIO(packed)) as old, ZipFile(path, "w") as new:
        for name in old.namelist():
            if name not in change:
                new.writestr(name, old.read(name))
        for name, content in change.items():
            if content is not None:
                new.writestr(name, content)
    return path


def data_files(data_dir: Path) -> dict[str, bytes]:
    """The CSV files that runs wrote for people, by their paths."""
    return {
        str(path.relative_to(data_dir)): path.read_bytes()
        for path in sorted(data_dir.glob("*/*.csv"))
    }
