"""Runs that are named and deleted, with what they wrote and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from given.made_runs import at_work, failed, finished, queued, spec_of_file

from ivan_core.domain.errors import BadInput
from ivan_core.engine import archive, handling as runs, machine
from ivan_core.experiments.compare.results import files, open_results
from ivan_core.runs.registry import Registry


@pytest.fixture
def run_id(data_dir: Path, pairs_file: Path) -> str:
    return finished(data_dir, spec_of_file(pairs_file, seed=3))


def test_a_name_survives_and_the_id_stays(run_id: str) -> None:
    assert archive.rename(run_id, "  before \n the   fix ").name == "before the fix"
    assert runs.get(run_id).label == "before the fix" and runs.get(run_id).id == run_id
    assert archive.rename(run_id, "").label == run_id
    for bad in ("x" * 81, "a\x00b"):
        with pytest.raises(BadInput, match="one line of at most 80"):
            archive.rename(run_id, bad)
    with pytest.raises(BadInput, match="no run"):
        archive.rename("2000-01-01-00-00", "x")


def test_starred_runs_stand_before_newer_ones(
    data_dir: Path, pairs_file: Path, run_id: str
) -> None:
    newer = finished(data_dir, spec_of_file(pairs_file, seed=4))
    assert archive.star(run_id).starred and not runs.get(newer).starred
    assert [run.id for run in runs.experiments(starred_first=True)] == [run_id, newer]
    assert [run.id for run in runs.experiments(1, 1, starred_first=True)] == [newer]
    assert [run.id for run in runs.experiments()] == [newer, run_id]
    assert not archive.star(run_id, False).starred
    with pytest.raises(BadInput, match="no run"):
        archive.star("2000-01-01-00-00")


def test_deleting_takes_what_the_run_wrote_and_nothing_else(
    data_dir: Path, pairs_file: Path, run_id: str
) -> None:
    other = finished(data_dir, spec_of_file(pairs_file, limit=9))
    assert other.startswith(run_id) or other != run_id
    theirs = set(files(open_results(other)))
    gone = archive.delete(run_id)
    assert gone.files >= 6 and gone.bytes > 1000 and run_id in gone.sentence
    assert [run.id for run in runs.every()] == [other]
    assert not runs.live_points(run_id) and runs.live_points(other)
    assert theirs == set(files(open_results(other)))
    assert {path.name for path in (data_dir / "runs").iterdir()} == {other}
    assert all(path.name.startswith(f"{other}-") for path in (data_dir / "compare").iterdir())
    assert machine.cache_size().entries
    with pytest.raises(BadInput, match="no run"):
        archive.delete(run_id)


def test_a_run_at_work_or_waiting_is_not_deleted(data_dir: Path, pairs_file: Path) -> None:
    with at_work(data_dir, spec_of_file(pairs_file)) as busy:
        with pytest.raises(BadInput, match="is running"):
            archive.delete(busy)
        assert runs.registry().folder(busy).exists()
    waiting = queued(data_dir, spec_of_file(pairs_file, limit=5))
    with pytest.raises(BadInput, match="is queued"):
        archive.delete(waiting)
    runs.cancel(waiting)
    assert archive.delete(waiting).files == 0
    assert archive.delete(busy).run_id == busy, "interrupted by now"


def test_a_run_that_failed_before_its_manifest_leaves_no_csv(
    data_dir: Path, pairs_file: Path
) -> None:
    run_id = failed(data_dir, spec_of_file(pairs_file))
    longer = data_dir / "compare" / f"{run_id}-05-model.csv"
    longer.parent.mkdir(exist_ok=True)
    own = longer.with_name(f"{run_id}-model.csv")
    for path in (longer, own):
        path.write_text("row_id\n")
    registry = Registry(data_dir)
    with registry._file.writing() as db:
        db.execute(
            "INSERT INTO runs (id, kind, spec, fingerprint, state, created) "
            "SELECT id || '-05', kind, spec, 'other', 'failed', created FROM runs"
        )
    archive.delete(run_id)
    assert longer.exists() and not own.exists()


def test_a_hostile_manifest_deletes_no_other_file(data_dir: Path, run_id: str) -> None:
    bystander = data_dir / "precious.csv"
    bystander.write_text("kept")
    path = data_dir / "runs" / run_id / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "files": ["../precious.csv", "/etc/hostname"]}))
    archive.delete(run_id)
    assert bystander.read_text() == "kept" and Path("/etc/hostname").exists()


def test_sizes_are_words() -> None:
    told = [archive.size(count) for count in (0, 999, 1000, 1_440_000, 3_200_000_000_000)]
    assert told == ["0 bytes", "999 bytes", "1.0 kB", "1.4 MB", "3200.0 GB"]
