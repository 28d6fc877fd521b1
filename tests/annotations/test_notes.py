"""Stars, notes and blind choices: two people at once lose nothing, and words stay words."""

from __future__ import annotations

import os
import sqlite3
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from ivan_core.annotations.database import DATABASE_URL
from ivan_core.annotations.notes import Reviews
from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.reviews import LONGEST_NOTE, Mark, MarkConflict

DATA = "0123456789abcdef"
HOSTILE = "<img src=x onerror=alert(1)> ![x](http://x.example/y) =1+1 'quoted'; DROP TABLE marks;--"


@pytest.fixture
def reviews(review_database: Path) -> Reviews:
    """On each database."""
    return Reviews(review_database)


def test_a_note_and_a_star_are_kept_by_row_and_author(reviews):
    saved = reviews.save(Mark(DATA, 3, "Ada", starred=True, note="  odd pair "))
    assert (saved.version, saved.note, saved.starred) == (1, "odd pair", True)
    reviews.save(Mark(DATA, 3, "Bob", note="fine"))
    assert reviews.mark(DATA, 3, "Ada") == saved
    assert [(mark.author, mark.note) for mark in reviews.marks(DATA)] == [
        ("Ada", "odd pair"),
        ("Bob", "fine"),
    ]
    assert reviews.marks("f" * 16) == []
    assert reviews.mark(DATA, 4, "Ada") == Mark(DATA, 4, "Ada")


def test_a_save_on_an_old_version_changes_nothing_and_shows_what_stands_there(reviews):
    read = reviews.mark(DATA, 1, "Ada")
    reviews.save(Mark(DATA, 1, "Ada", note="first window", version=read.version))
    with pytest.raises(MarkConflict) as conflict:
        reviews.save(Mark(DATA, 1, "Ada", note="second window", version=read.version))
    assert conflict.value.current.note == "first window"
    assert conflict.value.hint
    kept = reviews.save(Mark(DATA, 1, "Ada", note="both", version=conflict.value.current.version))
    assert (kept.note, kept.version) == ("both", 2)


def test_saving_the_same_again_is_no_new_version(reviews):
    saved = reviews.save(Mark(DATA, 1, "Ada", note="same"))
    assert reviews.save(saved) == saved
    assert len(reviews.history(DATA, 1)) == 1


def test_the_history_keeps_every_save_and_removal(reviews):
    mark = reviews.save(Mark(DATA, 1, "Ada", note="one"))
    mark = reviews.save(Mark(DATA, 1, "Ada", note="two", version=mark.version))
    reviews.save(Mark(DATA, 1, "Ada", note="", version=mark.version))
    reviews.save(Mark(DATA, 1, "Bob", note="his"))
    assert [mark.note for mark in reviews.history(DATA, 1, "Ada")] == ["one", "two", ""]
    assert len(reviews.history(DATA, 1)) == 4
    assert [mark.author for mark in reviews.marks(DATA)] == ["Bob"]


def test_rows_counts_latest_and_export(reviews):
    for row_id in (9, 2, 5):
        reviews.save(Mark(DATA, row_id, "Ada", starred=row_id != 5, note=f"note {row_id}"))
    reviews.save(Mark(DATA, 2, "Bob", starred=True))
    reviews.guess(DATA, 1, "Ada", "A", "chosen")
    assert reviews.counts(DATA) == {"starred": 2, "noted": 3, "guesses": 1}
    assert [mark.row_id for mark in reviews.latest(DATA)[:2]] == [2, 5]
    assert [mark.author for mark in reviews.marks(DATA, [2])] == ["Ada", "Bob"]
    rows = list(reviews.export(DATA))
    assert [row["row_id"] for row in rows] == [2, 2, 5, 9]
    assert rows[2]["note"] == "note 5"
    assert rows[0]["saved"].endswith("Z")


def test_words_are_kept_as_they_are_typed(reviews):
    reviews.save(Mark(DATA, 1, HOSTILE[:80], note=HOSTILE))
    (mark,) = reviews.marks(DATA)
    assert (mark.author, mark.note) == (HOSTILE[:80].strip(), HOSTILE)
    reviews.save(Mark(DATA, 2, "Ada", note="half \ud800 a pair\0"))
    assert reviews.mark(DATA, 2, "Ada").note == "half ? a pair\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("author", ["", "  \n ", "x" * 81])
def test_a_mark_needs_a_name(reviews, author):
    with pytest.raises(BadInput):
        reviews.save(Mark(DATA, 1, author, note="x"))


def test_a_note_has_a_limit(reviews):
    with pytest.raises(BadInput, match="10,001"):
        reviews.save(Mark(DATA, 1, "Ada", note="x" * (LONGEST_NOTE + 1)))


def test_a_blind_choice_knows_which_side_it_fell_on(reviews):
    for row_id, (choice, left, side) in enumerate(
        [
            ("A", "chosen", "chosen"),
            ("B", "chosen", "rejected"),
            ("A", "rejected", "rejected"),
            ("B", "rejected", "chosen"),
            ("none", "chosen", None),
        ]
    ):
        assert reviews.guess(DATA, row_id, "Ada", choice, left).sided_with == side
    reviews.guess(DATA, 0, "Ada", "B", "chosen")
    reviews.guess(DATA, 0, "Bob", "B", "chosen")
    mine = reviews.guesses(DATA, "Ada")
    assert [guess.row_id for guess in mine] == [0, 1, 2, 3, 4]
    assert mine[0].choice == "A", "a second look is not blind"
    assert len(reviews.guesses(DATA)) == 6
    assert reviews.counts(DATA)["guesses"] == 7


@pytest.mark.parametrize(("choice", "left"), [("C", "chosen"), ("A", "middle")])
def test_a_choice_is_one_of_three(reviews, choice, left):
    with pytest.raises(BadInput):
        reviews.guess(DATA, 1, "Ada", choice, left)


def write_many(data_dir: str, address: str, author: str, start: Any, done: Any) -> None:
    """Add to a note again and again, as another does; after a conflict read it and try again."""
    os.environ[DATABASE_URL] = address
    reviews = Reviews(Path(data_dir))
    start.wait(300)
    for number in range(25):
        while True:
            mark = reviews.mark(DATA, 1, "shared name")
            try:
                reviews.save(
                    Mark(
                        DATA,
                        1,
                        "shared name",
                        mark.starred,
                        f"{mark.note}\n{author}{number}",
                        mark.version,
                    )
                )
                break
            except MarkConflict:
                continue
        reviews.save(Mark(DATA, number, author, note=f"{author} {number}"))
        reviews.guess(DATA, number, author, "A", "chosen")
    done.put(author)


def test_two_processes_that_write_at_once_lose_nothing(
    review_database: Path, processes: ForkServerContext
):
    data_dir, address = review_database, os.environ.get(DATABASE_URL, "")
    start, done = processes.Barrier(2), processes.Queue()
    workers = [
        processes.Process(target=write_many, args=(str(data_dir), address, author, start, done))
        for author in ("ada", "bob")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0, 0]
    reviews = Reviews(data_dir)
    lines = reviews.mark(DATA, 1, "shared name").note.split("\n")
    assert sorted(lines) == sorted(f"{who}{n}" for who in ("ada", "bob") for n in range(25))
    assert [mark.version for mark in reviews.history(DATA, 1, "shared name")] == list(range(1, 51))
    own = [mark for mark in reviews.marks(DATA) if mark.author != "shared name"]
    assert {(mark.author, mark.note) for mark in own} == {
        (who, f"{who} {n}") for who in ("ada", "bob") for n in range(25)
    }
    assert len(reviews.guesses(DATA)) == 50


def test_the_file_keeps_a_write_ahead_log(data_dir):
    Reviews(data_dir).save(Mark(DATA, 1, "Ada", starred=True))
    db = sqlite3.connect(data_dir / "reviews.sqlite")
    try:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        db.close()


def test_a_damaged_file_says_so(data_dir):
    reviews = Reviews(data_dir)
    (data_dir / "reviews.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageProblem, match="damaged"):
        reviews.marks(DATA)
