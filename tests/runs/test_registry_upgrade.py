"""A registry that an older version wrote keeps its runs and equals a new one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ivan_core.domain.runs import RunState
from ivan_core.runs.database import RUNS_LAYOUT
from ivan_core.runs.registry import Registry

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
