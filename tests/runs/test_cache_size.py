"""The score cache tells its size and is emptied; the runs stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.made_runs import finished, spec_of_file

from ivan_core.engine import machine
from ivan_core.experiments.compare.results import open_results


@pytest.fixture
def run_id(data_dir: Path, pairs_file: Path) -> str:
    return finished(data_dir, spec_of_file(pairs_file, seed=3))


def test_the_cache_tells_its_size_and_is_emptied(run_id: str, data_dir: Path) -> None:
    before = machine.cache_size()
    assert before.entries >= 2 * 79 and before.bytes > 10_000
    assert machine.clear_cache() == before
    assert machine.cache_size().entries == 0
    assert open_results(run_id).summaries


def test_asking_for_the_size_of_no_cache_makes_none(data_dir: Path) -> None:
    assert machine.clear_cache() == machine.CacheSize(0, 0)
    assert not (data_dir / "cache").exists()
