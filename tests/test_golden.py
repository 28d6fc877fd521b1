"""What a run of each kind gives is as it was: files, charts, captions, sentences, links."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.golden_runs import FOLDER, golden


def test_all_that_can_be_taken_from_runs_is_as_it_was(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = golden(tmp_path, data_dir, monkeypatch)
    assert {path.stem for path in FOLDER.glob("*.txt")} == found.keys()
    for name, text in found.items():
        assert text.split("\n") == (FOLDER / f"{name}.txt").read_text("utf-8").split("\n"), name
