"""The registry: one row a run, true states, no two where one is meant; an older one is kept."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.runs import LivePoint, RunState
from ivan_core.runs import registry as registry_module
from ivan_core.runs.database import RUNS_LAYOUT
from ivan_core.runs.locks import FileLock
from ivan_core.runs.registry import Registry

AT_ONCE = 8


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "data")


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queued run's worker is overdue at once."""
    monkeypatch.setattr(registry_module, "_STARTUP_GRACE", 0.0)


@pytest.fixture
def at_once(processes: ForkServerContext) -> Iterator[Callable[..., list[Any]]]:
    """Call a function in eight processes at the same moment."""
    barrier = processes.Barrier(AT_ONCE)
    with processes.Pool(AT_ONCE, _remember, (barrier,)) as pool:

        def call(function: Callable[..., Any], *args: Any) -> list[Any]:
            jobs = [pool.apply_async(_together, (function, n, *args)) for n in range(AT_ONCE)]
            return [job.get(60) for job in jobs]

        yield call


_barrier: Any = None


def _remember(barrier: Any) -> None:
    global _barrier
    _barrier = barrier


def _together(function: Callable[..., Any], *args: Any) -> Any:
    _barrier.wait(300)
    return function(*args)


def add_same(_: int, data_dir: Path) -> tuple[str, bool]:
    return Registry(data_dir).add("compare", "{}", "same")


def add_different(number: int, data_dir: Path) -> str:
    return Registry(data_dir).add("compare", "{}", f"spec {number}")[0]


def requeue(_: int, data_dir: Path, run_id: str) -> bool:
    return Registry(data_dir).requeue(run_id)


def at_work(registry: Registry, fingerprint: str = "spec") -> tuple[str, FileLock]:
    """A run with a worker: it holds the lock and has begun."""
    run_id, _ = registry.add("compare", "{}", fingerprint)
    lock = FileLock(registry.lock_path(run_id))
    lock.acquire()
    assert registry.begin(run_id)
    return run_id, lock


def test_the_same_spec_started_eight_times_at_once_is_one_run(
    tmp_path: Path, at_once: Callable[..., list[Any]]
) -> None:
    """The folder is empty, so the eight also race to make the tables."""
    for attempt in range(5):
        answers = at_once(add_same, tmp_path / str(attempt))
        assert len({run_id for run_id, _ in answers}) == 1
        assert sorted(new for _, new in answers) == [False] * (AT_ONCE - 1) + [True]


def test_different_runs_started_in_the_same_second_have_ids_of_their_own(
    tmp_path: Path, at_once: Callable[..., list[Any]]
) -> None:
    """The file is there already, as if an older process had just made it, but has no tables."""
    (tmp_path / "data").mkdir()
    sqlite3.connect(tmp_path / "data" / "ivan.sqlite").close()
    ids = at_once(add_different, tmp_path / "data")
    assert len(set(ids)) == AT_ONCE
    assert min(map(len, ids)) == len("2026-01-31-23-59")
    assert len(Registry(tmp_path / "data").all()) == AT_ONCE


def test_an_id_is_the_minute_of_the_start_then_its_second(registry: Registry) -> None:
    first, second = registry.add("compare", "{}", "a")[0], registry.add("compare", "{}", "b")[0]
    time.strptime(first, "%Y-%m-%d-%H-%M")
    time.strptime(second, "%Y-%m-%d-%H-%M-%S" if second.startswith(first) else "%Y-%m-%d-%H-%M")


@pytest.mark.parametrize(
    "name",
    [
        "compare/{}-stats.csv",
        "rewrite/{}-rewrite.csv",
        "taxonomy-output/{}.jsonl",
        "runs/{}/manifest.json",
    ],
)
def test_an_id_whose_files_are_there_is_not_given_again(
    registry: Registry, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)  # 2027-01-15 08:00:00 UTC
    path = registry.data_dir / name.format("2027-01-15-08-00")
    path.parent.mkdir(parents=True)
    path.write_text("made by someone else")
    assert registry.add("compare", "{}", "a")[0] == "2027-01-15-08-00-00"


def test_a_run_without_its_lock_is_interrupted_not_running(registry: Registry) -> None:
    run_id, lock = at_work(registry)
    assert registry.get(run_id).state is RunState.RUNNING
    lock.release()
    assert registry.get(run_id).state is RunState.INTERRUPTED
    assert registry.all()[0].state is RunState.INTERRUPTED


def test_a_run_that_ends_while_it_is_asked_for_is_not_called_interrupted(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, lock = at_work(registry)

    def just_then(path: Path) -> bool:
        if lock._descriptor is not None:
            registry.finish(run_id, RunState.DONE)
            lock.release()
        return False

    monkeypatch.setattr(registry_module, "is_held", just_then)
    assert registry.get(run_id).state is RunState.DONE


def test_a_queued_run_whose_worker_never_came_is_interrupted(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = registry.add("compare", "{}", "a")
    assert registry.get(run_id).state is RunState.QUEUED
    monkeypatch.setattr(registry_module, "_STARTUP_GRACE", 0.0)
    assert registry.get(run_id).state is RunState.INTERRUPTED


def test_an_interrupted_run_does_not_keep_others_from_starting(registry: Registry) -> None:
    run_id, lock = at_work(registry)
    assert registry.add("compare", "{}", "spec") == (run_id, False)
    lock.release()
    other, new = registry.add("compare", "{}", "spec")
    assert new and other != run_id
    assert registry.get(run_id).state is RunState.FAILED
    assert "Resume" in registry.get(run_id).hint


@pytest.mark.usefixtures("late")
def test_resumed_eight_times_at_once_one_call_does_it(
    registry: Registry, at_once: Callable[..., list[Any]]
) -> None:
    run_id, lock = at_work(registry)
    lock.release()
    registry.finish(run_id, RunState.CANCELLED)
    answers = at_once(requeue, registry.data_dir, run_id)
    assert answers.count(True) == 1


def test_what_is_at_work_or_done_is_not_queued_again(registry: Registry) -> None:
    run_id, lock = at_work(registry)
    assert not registry.requeue(run_id)
    registry.finish(run_id, RunState.DONE)
    lock.release()
    assert not registry.requeue(run_id)


def test_a_stopped_run_is_not_resumed_beside_a_newer_one_of_the_same_spec(
    registry: Registry,
) -> None:
    run_id, lock = at_work(registry)
    registry.finish(run_id, RunState.CANCELLED)
    lock.release()
    other, _ = registry.add("compare", "{}", "spec")
    with pytest.raises(BadInput, match=other):
        registry.requeue(run_id)
    assert registry.cancel(other)
    assert registry.requeue(run_id)


def test_a_queued_run_is_cancelled_on_the_spot_and_its_worker_does_nothing(
    registry: Registry,
) -> None:
    run_id, _ = registry.add("compare", "{}", "a")
    assert registry.cancel(run_id)
    assert registry.get(run_id).state is RunState.CANCELLED
    assert not registry.begin(run_id)
    assert registry.get(run_id).state is RunState.CANCELLED


def test_a_running_run_is_told_by_its_next_beat(registry: Registry) -> None:
    run_id, _lock = at_work(registry)
    assert not registry.beat(run_id)
    assert registry.cancel(run_id)
    assert registry.get(run_id).state is RunState.RUNNING
    assert registry.beat(run_id)


def test_a_worker_that_dies_after_it_was_asked_to_stop_was_cancelled(registry: Registry) -> None:
    run_id, lock = at_work(registry)
    registry.cancel(run_id)
    lock.release()
    assert registry.get(run_id).state is RunState.CANCELLED
    assert registry.add("compare", "{}", "spec")[1]
    assert registry.get(run_id).state is RunState.CANCELLED


def test_cancelling_what_has_just_ended_changes_nothing(registry: Registry) -> None:
    run_id, lock = at_work(registry)
    registry.finish(run_id, RunState.DONE)
    lock.release()
    assert not registry.cancel(run_id)
    assert registry.get(run_id).state is RunState.DONE


def test_an_interrupted_run_can_be_cancelled(registry: Registry) -> None:
    run_id, lock = at_work(registry)
    lock.release()
    assert registry.cancel(run_id)
    assert registry.get(run_id).state is RunState.CANCELLED


def test_live_points_come_in_the_order_of_the_chunks_each_once(registry: Registry) -> None:
    points = [LivePoint("m", step, 1, 0, 2, 0, 0.5, 0.25) for step in (0, 1, 2, 10)]
    registry.publish("run", [points[3], points[0]])
    registry.publish("run", [points[2], points[1], points[0]])
    assert registry.live_points("run") == points


def test_an_unknown_run_is_named(registry: Registry) -> None:
    with pytest.raises(BadInput, match="no run 'x'"):
        registry.get("x")


def test_a_registry_of_a_newer_ivan_is_not_touched(registry: Registry) -> None:
    registry.add("compare", "{}", "a")
    path = registry.data_dir / "ivan.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(StorageProblem, match="newer IVAN"):
        registry.all()


def test_a_damaged_registry_is_named(registry: Registry) -> None:
    registry.data_dir.mkdir()
    (registry.data_dir / "ivan.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageProblem, match="damaged"):
        registry.all()


def test_nothing_is_half_written_when_an_error_comes_between(registry: Registry) -> None:
    registry.add("compare", "{}", "a")
    with pytest.raises(KeyError), registry._file.writing() as db:
        db.execute("DELETE FROM runs")
        raise KeyError
    assert len(registry.all()) == 1


OLD_LAYOUT = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, spec TEXT NOT NULL, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL, heartbeat REAL,
    cancel INTEGER NOT NULL DEFAULT 0, doing TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
    computed INTEGER NOT NULL DEFAULT 0, rate REAL, problem TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '[]');
CREATE UNIQUE INDEX one_active ON runs (fingerprint) WHERE state IN ('queued', 'running');
CREATE TABLE live (
    run TEXT NOT NULL, model TEXT NOT NULL, step INTEGER NOT NULL, agree INTEGER NOT NULL,
    tie INTEGER NOT NULL, disagree INTEGER NOT NULL, unrated INTEGER NOT NULL,
    margin_sum REAL NOT NULL, margin_squares REAL NOT NULL, PRIMARY KEY (run, model, step)
    ) WITHOUT ROWID;
INSERT INTO runs (id, kind, spec, fingerprint, state, created, notes)
    VALUES ('2026-01-02-03-04', 'compare', '{}', 'abc', 'done', 1767323040.0, '["kept"]');
INSERT INTO live VALUES ('2026-01-02-03-04', 'm', 0, 1, 0, 2, 0, 0.5, 0.25);
PRAGMA user_version=1;
"""


def test_a_registry_of_the_first_layout_keeps_its_runs_and_gets_names(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "ivan.sqlite")) as db:
        db.executescript(OLD_LAYOUT)
    registry = Registry(data_dir)
    (run,) = registry.all()
    assert (run.id, run.state, run.notes, run.name) == (
        "2026-01-02-03-04",
        RunState.DONE,
        ("kept",),
        "",
    )
    assert len(registry.live_points(run.id)) == 1
    registry.rename(run.id, "first")
    registry.star(run.id, True)
    assert not run.starred and Registry(data_dir).get(run.id).starred
    assert Registry(data_dir).get(run.id).name == "first"
    with closing(sqlite3.connect(data_dir / "ivan.sqlite")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (RUNS_LAYOUT,)


def test_a_new_registry_equals_an_upgraded_one(tmp_path: Path) -> None:
    columns = []
    for name, script in (("old", OLD_LAYOUT), ("new", "")):
        (tmp_path / name).mkdir()
        with closing(sqlite3.connect(tmp_path / name / "ivan.sqlite")) as db:
            db.executescript(script)
        Registry(tmp_path / name).all()
        with closing(sqlite3.connect(tmp_path / name / "ivan.sqlite")) as db:
            columns.append(db.execute("PRAGMA table_info(runs)").fetchall())
    assert columns[0] == columns[1]
