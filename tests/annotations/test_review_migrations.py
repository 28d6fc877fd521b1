"""Files of an older IVAN: opened by this one with all that they hold, step after step."""

from __future__ import annotations

import sqlite3
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect

from ivan_core.annotations import migrations
from ivan_core.annotations.database import ReviewDatabase
from ivan_core.annotations.migrations import STEPS, Step, newest
from ivan_core.annotations.notes import Reviews
from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.reviews import BETTER, Guess, Mark, Opinion, Queue

DATA = "0123456789abcdef"
LAYOUT_2 = (
    """CREATE TABLE IF NOT EXISTS marks (
    dataset TEXT NOT NULL, row_id INTEGER NOT NULL, author TEXT NOT NULL,
    starred INTEGER NOT NULL, note TEXT NOT NULL, version INTEGER NOT NULL,
    saved REAL NOT NULL, PRIMARY KEY (dataset, row_id, author)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS history (
    dataset TEXT NOT NULL, row_id INTEGER NOT NULL, author TEXT NOT NULL,
    starred INTEGER NOT NULL, note TEXT NOT NULL, version INTEGER NOT NULL,
    saved REAL NOT NULL, PRIMARY KEY (dataset, row_id, author, version)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS guesses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, dataset TEXT NOT NULL, row_id INTEGER NOT NULL,
    name TEXT NOT NULL, choice TEXT NOT NULL, left TEXT NOT NULL, made REAL NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS guesses_of ON guesses (dataset, name, row_id)",
    "PRAGMA user_version=2",
)
"""What the IVAN before this one wrote, word for word."""


@pytest.fixture
def old_file(data_dir: Path) -> Path:
    """A file with a note that was changed once, a star and a guess."""
    path = data_dir / "reviews.sqlite"
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    for statement in LAYOUT_2:
        db.execute(statement)
    first = (DATA, 3, "Ada", 0, "one", 1, 1000.5)
    second = (DATA, 3, "Ada", 1, "two – 2", 2, 2000.25)
    star = (DATA, 9, "Bob", 1, "", 1, 1500.0)
    db.executemany("INSERT INTO marks VALUES (?,?,?,?,?,?,?)", [second, star])
    db.executemany("INSERT INTO history VALUES (?,?,?,?,?,?,?)", [first, second, star])
    db.execute(
        "INSERT INTO guesses (dataset, row_id, name, choice, left, made) VALUES (?,?,?,?,?,?)",
        (DATA, 4, "Ada", "B", "chosen", 3000.0),
    )
    db.commit()
    db.close()
    return path


def stored(path: Path, question: str) -> Any:
    db = sqlite3.connect(path)
    try:
        return db.execute(question).fetchall()
    finally:
        db.close()


def holds_all(data_dir: Path) -> None:
    reviews = Reviews(data_dir)
    two = Mark(DATA, 3, "Ada", True, "two – 2", 2, 2000.25)
    star = Mark(DATA, 9, "Bob", True, "", 1, 1500.0)
    assert reviews.marks(DATA) == [two, star]
    assert reviews.history(DATA, 3) == [Mark(DATA, 3, "Ada", False, "one", 1, 1000.5), two]
    assert reviews.guesses(DATA) == [Guess(DATA, 4, "Ada", "B", "chosen", 3000.0)]
    assert reviews.starred_rows(DATA) == [3, 9]
    assert reviews.noted_rows(DATA) == [3]


def test_a_file_of_layout_2_keeps_all_and_takes_opinions(old_file, data_dir):
    holds_all(data_dir)
    reviews = Reviews(data_dir)
    third = reviews.save(Mark(DATA, 3, "Ada", True, "three", version=2))
    assert third.version == 3
    assert [mark.note for mark in reviews.history(DATA, 3)] == ["one", "two – 2", "three"]
    reviews.guess(DATA, 5, "Ada", "A", "chosen")
    assert [guess.row_id for guess in reviews.guesses(DATA)] == [4, 5]
    queue = Queues(data_dir).make(Queue(0, "", DATA, "Q", "better", "random"), [(3, "both")])
    assert Opinions(data_dir).save(Opinion(queue.id, 3, "both", "Ada", {BETTER: None})).version == 1
    assert stored(old_file, "PRAGMA user_version") == [(newest(),)]


def layout_of_file(db: Connection) -> dict[str, Any]:
    """Tables with their columns, keys and indexes, as far as they matter."""
    found = inspect(db)
    return {
        table: (
            [
                (c["name"], str(c["type"]).replace("REAL", "DOUBLE"), c["nullable"])
                for c in found.get_columns(table)
            ],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (i["name"], tuple(i["column_names"]), bool(i["unique"]))
                for i in found.get_indexes(table)
            ),
            [u["column_names"] for u in found.get_unique_constraints(table)],
        )
        for table in found.get_table_names()
        if not table.startswith("sqlite_")
    }


def test_a_migrated_file_is_laid_out_as_a_new_one(old_file, data_dir, tmp_path):
    with ReviewDatabase(data_dir).reading() as db:
        migrated = layout_of_file(db)
    with ReviewDatabase(tmp_path / "new").reading() as db:
        fresh = layout_of_file(db)
    assert migrated.keys() == fresh.keys()
    for table in ("queues", "items", "opinions", "changes", "decisions"):
        assert migrated[table] == fresh[table]
    for table in ("marks", "history", "guesses"):
        names = [[name for name, _, _ in one[table][0]] for one in (migrated, fresh)]
        assert names[0] == names[1]
        assert migrated[table][1] == fresh[table][1]


def test_steps_are_numbered_without_gaps():
    assert [step.number for step in STEPS] == list(range(3, 3 + len(STEPS)))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An IVAN of the future with two more steps; the numbers of those that were taken."""
    taken: list[int] = []

    def step(number: int, statement: str) -> Step:
        def change(db: Connection) -> None:
            taken.append(number)
            db.exec_driver_sql(statement)

        return Step(number, change)

    last = newest()
    more = (
        step(last + 1, "ALTER TABLE opinions ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'"),
        step(last + 2, "UPDATE opinions SET mood = 'glad'"),
    )
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, *more))
    return taken


def test_steps_are_taken_in_order_and_once_on_either_database(
    review_database, monkeypatch, request
):
    queue = Queues(review_database).make(Queue(0, "", DATA, "Q", "better", "random"), [(3, "both")])
    kept = Opinions(review_database).save(Opinion(queue.id, 3, "both", "Ada", {BETTER: "none"}))
    last = newest()
    taken = request.getfixturevalue("later")
    forget_what_was_seen(monkeypatch)
    for _ in range(2):
        with ReviewDatabase(review_database).reading() as db:
            assert db.exec_driver_sql("SELECT mood FROM opinions").scalar_one() == "glad"
            assert migrations.layout_of(db) == last + 2
    assert taken == [last + 1, last + 2]
    monkeypatch.setattr(migrations, "STEPS", STEPS)
    forget_what_was_seen(monkeypatch)
    with pytest.raises(StorageProblem, match="newer IVAN"):
        Opinions(review_database).all(queue.id)
    monkeypatch.undo()
    assert kept.answers == {BETTER: "none"}


def forget_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a process that has seen no database yet."""
    from ivan_core.annotations import database

    monkeypatch.setattr(database, "_laid_out", set())


def test_queues_of_layout_3_keep_all_and_tell_the_choice_no_more(review_database, monkeypatch):
    made = Queues(review_database).make(Queue(0, "", DATA, "Q", "better", "random"), [(3, "both")])
    kept = Opinions(review_database).save(Opinion(made.id, 3, "both", "Ada", {BETTER: "chosen"}))
    with ReviewDatabase(review_database).writing() as db:
        db.exec_driver_sql("ALTER TABLE queues DROP COLUMN tells")
        db.exec_driver_sql("ALTER TABLE items DROP COLUMN listed")
        if db.dialect.name == "sqlite":
            db.exec_driver_sql("PRAGMA user_version=3")
        else:
            db.exec_driver_sql("UPDATE layout SET number = 3")
    forget_what_was_seen(monkeypatch)
    queue = Queues(review_database).get(made.id)
    assert queue == made and queue.tells is False
    assert Opinions(review_database).all(made.id) == [kept]
    telling = Queue(0, "", DATA, "Q", "better", "random", tells=True)
    telling = Queues(review_database).make(telling, [(3, "both")])
    assert Queues(review_database).get(telling.id).tells is True
    assert [one.listed for one in Queues(review_database).items(made.id)] == [False]


def test_an_old_file_goes_through_all_steps(old_file, data_dir, later):
    holds_all(data_dir)
    assert later == [newest() - 1, newest()]


def test_a_step_that_fails_leaves_the_file_as_it_was(old_file, data_dir, monkeypatch):
    broken = Step(
        newest() + 1, lambda db: db.exec_driver_sql("INSERT INTO nowhere VALUES (1)") and None
    )
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, broken))
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        Reviews(data_dir).marks(DATA)
    assert stored(old_file, "PRAGMA user_version") == [(2,)]
    assert stored(old_file, "SELECT name FROM sqlite_master WHERE name='queues'") == []
    monkeypatch.undo()
    monkeypatch.setenv("IVAN_DATA_DIR", str(data_dir))
    holds_all(data_dir)


def test_a_file_of_a_newer_ivan_is_refused_and_not_touched(data_dir):
    Reviews(data_dir).save(Mark(DATA, 1, "Ada", starred=True))
    path = data_dir / "reviews.sqlite"
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version={newest() + 1}")
    db.close()
    with pytest.raises(StorageProblem, match="was written by a newer IVAN") as refused:
        Reviews(data_dir).save(Mark(DATA, 2, "Ada", starred=True))
    assert str(path) in refused.value.message
    assert stored(path, "SELECT row_id FROM marks") == [(1,)]


def come_first(data_dir: str, start: Any, done: Any) -> None:
    start.wait(300)
    done.put(len(Reviews(Path(data_dir)).marks(DATA)))


def test_several_processes_open_an_old_file_at_the_same_moment(
    old_file, data_dir, processes: ForkServerContext
):
    start, done = processes.Barrier(3), processes.Queue()
    workers = [
        processes.Process(target=come_first, args=(str(data_dir), start, done)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [done.get(timeout=300) for _ in workers] == [2, 2, 2]
    holds_all(data_dir)
