"""Processes of paid runs, really killed at every write and call: nothing is lost or paid twice."""

from __future__ import annotations

import json
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from fakes.killed_processes import PLAYS, run_play
from given.support import exit_code_of

VALID = {name: 8 if "closed" in name else 12 for name in PLAYS}
"""Labels before what was given up is asked for again."""


@pytest.mark.parametrize("name", PLAYS)
def test_killed_at_every_point_and_gone_on_with(
    name: str, tmp_path: Path, processes: ForkServerContext
) -> None:
    assert exit_code_of(processes, run_play, name, tmp_path) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["wrong"] == {}
    assert report["steps"] >= 8
    then, last = report["whole"]["then"], report["whole"]["at last"]
    assert (then["state"], then["counts"]["valid"]) == ("done", VALID[name])
    assert last["counts"]["valid"] == 12
