"""Processes of paid runs, really killed at every write and call: nothing is lost or paid twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fakes.killed_processes import PLAYS, run_play
from given.support import exit_code_of

VALID = {name: 8 if "closed" in name else 12 for name in PLAYS}
"""Labels before what was given up is asked for again."""


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a kill forgets nothing that was written to any."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", PLAYS)
def test_killed_at_every_point_and_gone_on_with(
    name: str, quick_folder: Path, processes: ForkServerContext
) -> None:
    assert exit_code_of(processes, run_play, name, quick_folder) == 0
    report = json.loads((quick_folder / "report.json").read_text())
    assert report["wrong"] == {}
    assert report["steps"] >= 8
    then, last = report["whole"]["then"], report["whole"]["at last"]
    assert (then["state"], then["counts"]["valid"]) == ("done", VALID[name])
    assert last["counts"]["valid"] == 12
