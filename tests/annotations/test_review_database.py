"""Where reviews are kept: addresses, passwords that are never shown, servers that go away."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.postgres_server import PASSWORD, PostgresServer

from ivan_core.annotations import database
from ivan_core.annotations.database import DATABASE_URL, ReviewDatabase
from ivan_core.annotations.notes import Reviews
from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.cli.main import run
from ivan_core.domain.errors import BackendUnavailable, BadInput, IvanError, StorageProblem
from ivan_core.domain.reviews import BETTER, Mark, Opinion, Queue

DATA = "d" * 16
NOWHERE = f"postgresql://ivan:{PASSWORD}@127.0.0.1:1/reviews"


@pytest.fixture
def queue(postgres: str, data_dir: Path) -> Queue:
    asked = Queue(0, "", DATA, "Pairs", "better", "random")
    return Queues(data_dir).make(asked, [(row, "both") for row in range(50)])


def answer(queue: Queue, row_id: int, who: str = "Ada") -> Opinion:
    return Opinion(queue.id, row_id, "both", who, {BETTER: "chosen"})


def test_without_a_setting_reviews_are_a_file_in_the_data_folder(data_dir: Path) -> None:
    assert ReviewDatabase(data_dir).where == str(data_dir / "reviews.sqlite")
    Reviews(data_dir).save(Mark(DATA, 1, "Ada", starred=True))
    assert (data_dir / "reviews.sqlite").exists()


def test_with_an_address_nothing_lies_in_the_data_folder(postgres: str, data_dir: Path) -> None:
    Reviews(data_dir).save(Mark(DATA, 1, "Ada", starred=True))
    assert list(data_dir.iterdir()) == []
    assert Reviews(data_dir / "another folder").starred_rows(DATA) == [1]


@pytest.mark.parametrize(
    "address",
    [
        NOWHERE,
        f"postgres://ivan:{PASSWORD}@127.0.0.1:1/reviews",
        f"postgresql+psycopg2://ivan:{PASSWORD}@127.0.0.1:1/reviews?sslmode=disable",
        f"postgresql://ivan@127.0.0.1:1/reviews?password={PASSWORD}",
        f"postgresql://ivan@/reviews?host=/nowhere&password={PASSWORD}",
        f"postgresql://ivan:{PASSWORD}@127.0.0.1:port/reviews",
        f"postgresql://ivan:x@{PASSWORD}@127.0.0.1:1/reviews",
        f"postgresql://ivan:{PASSWORD}@127.0.0.1:1",
        f"mysql://ivan:{PASSWORD}@127.0.0.1/reviews",
        f"{PASSWORD}://ivan",
        PASSWORD,
    ],
)
def test_a_password_is_never_shown(
    address: str,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(DATABASE_URL, address)
    with pytest.raises(IvanError) as problem:
        Reviews(data_dir).marks(DATA)
    told = "".join(traceback.format_exception(problem.value, chain=True))
    assert problem.value.hint
    assert run(["review", "queues"]) == 1
    shown = "".join(capsys.readouterr())
    assert shown.startswith("ivan: ")
    for text in (told, problem.value.message, problem.value.hint, shown):
        assert PASSWORD not in text


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("reviews", "is no address of a database"),
        ("sqlite:///reviews.db", "a database that IVAN does not know"),
        ("postgresql://a:b@c@host/reviews", "is no address of a database"),
        ("postgresql://host", "is no address of a database"),
    ],
)
def test_an_address_that_cannot_be_read_is_said(
    address: str, told: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATABASE_URL, address)
    with pytest.raises(BadInput, match=told) as refused:
        Reviews(data_dir)
    assert "postgresql://user:password@host/database" in refused.value.hint


def test_a_wrong_password_and_a_missing_database_are_said(
    postgres_server: PostgresServer, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in (
        postgres_server.address("postgres", "wrong-" + PASSWORD),
        postgres_server.address("no_such_database"),
    ):
        monkeypatch.setenv(DATABASE_URL, address)
        with pytest.raises(BackendUnavailable) as problem:
            Reviews(data_dir).marks(DATA)
        where = f"postgresql://ivan:***@127.0.0.1:{postgres_server.port}/"
        assert where in problem.value.message
        assert PASSWORD not in problem.value.message + problem.value.hint


def test_a_server_that_is_silent_lets_one_person_wait_and_not_everybody(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://ivan:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/reviews"
        monkeypatch.setenv(DATABASE_URL, address)
        silent.setblocking(False)
        calls = []
        for _ in range(3):
            with pytest.raises(BackendUnavailable, match="does not answer"):
                Reviews(data_dir).marks(DATA)
            calls.append(_calls(silent))
    assert calls[0] > 0
    assert calls[1:] == [0, 0]


def _calls(server: socket.socket) -> int:
    """How many have called a server since the last look."""
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_role_without_rights_is_told_so(
    postgres_server: PostgresServer, postgres: str, data_dir: Path
) -> None:
    name = postgres.rpartition("/")[2]
    postgres_server.sql(f"ALTER DATABASE {name} OWNER TO postgres")
    with pytest.raises(IvanError, match="refused: InsufficientPrivilege"):
        Reviews(data_dir).marks(DATA)


def test_a_server_that_dies_is_said_and_nothing_saved_is_lost(
    postgres_server: PostgresServer, queue: Queue, data_dir: Path
) -> None:
    opinions = Opinions(data_dir)
    kept = [opinions.save(answer(queue, row)) for row in range(5)]
    postgres_server.stop()
    try:
        for _ in range(2):
            with pytest.raises(BackendUnavailable, match="does not answer"):
                opinions.save(answer(queue, 5))
        with pytest.raises(BackendUnavailable, match="does not answer"):
            opinions.all(queue.id)
    finally:
        postgres_server.start()
    assert opinions.all(queue.id) == kept
    assert opinions.save(answer(queue, 5)).version == 1
    changed = opinions.save(replace(kept[0], answers={BETTER: None}))
    assert changed.version == 2


def test_a_server_that_dies_inside_a_transaction_keeps_none_of_it(
    postgres_server: PostgresServer, queue: Queue, data_dir: Path
) -> None:
    from ivan_core.annotations.opinions import write_opinion

    with (
        pytest.raises(BackendUnavailable, match="does not answer"),
        ReviewDatabase(data_dir).writing() as db,
    ):
        write_opinion(db, answer(queue, 0))
        postgres_server.stop()
        try:
            write_opinion(db, answer(queue, 1))
        finally:
            postgres_server.start()
    assert Opinions(data_dir).all(queue.id) == []


def test_people_who_save_while_the_server_goes_away_lose_nothing_that_was_kept(
    postgres_server: PostgresServer, queue: Queue, data_dir: Path
) -> None:
    """Each of four people saves until every answer is in, and tries again after each problem."""
    opinions, problems = Opinions(data_dir), []
    begun, back = threading.Barrier(5), threading.Event()

    def judge(who: str) -> None:
        begun.wait(300)
        for row in range(50):
            while True:
                try:
                    opinions.save(answer(queue, row, who))
                    break
                except BackendUnavailable as problem:
                    problems.append(problem.message)
                    back.wait(300)

    people = [threading.Thread(target=judge, args=(f"person {n}",)) for n in range(4)]
    for person in people:
        person.start()
    begun.wait(300)
    postgres_server.stop()
    postgres_server.start()
    back.set()
    for person in people:
        person.join(300)
    assert len(opinions.all(queue.id)) == 200
    assert {one.version for one in opinions.all(queue.id)} == {1}


def test_tables_that_were_taken_away_are_made_again(
    postgres_server: PostgresServer, postgres: str, data_dir: Path
) -> None:
    Reviews(data_dir).save(Mark(DATA, 1, "Ada", starred=True))
    with ReviewDatabase(data_dir).writing() as db:
        db.exec_driver_sql("DROP TABLE marks, history, layout")
    with pytest.raises(IvanError, match="refused: UndefinedTable"):
        Reviews(data_dir).marks(DATA)
    assert Reviews(data_dir).marks(DATA) == []


def test_a_file_taken_away_between_two_calls_is_laid_out_anew(data_dir: Path) -> None:
    Reviews(data_dir).save(Mark(DATA, 1, "Ada", starred=True))
    for path in data_dir.glob("reviews.sqlite*"):
        path.unlink()
    assert Reviews(data_dir).marks(DATA) == []


def test_who_waits_too_long_for_a_file_is_told_that_nothing_was_changed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    database.engine.cache_clear()
    reviews = ReviewDatabase(data_dir)
    Reviews(data_dir).save(Mark(DATA, 1, "Ada", starred=True))
    with reviews.writing(), pytest.raises(StorageProblem, match="Another process has been writing"):
        Reviews(data_dir).save(Mark(DATA, 2, "Ada", note="x"))
    assert Reviews(data_dir).noted_rows(DATA) == []
    database.engine.cache_clear()


def test_what_is_read_together_belongs_together(review_database: Path) -> None:
    """A save in the middle of a read is not half seen."""
    reviews = Reviews(review_database)
    reviews.save(Mark(DATA, 1, "Ada", note="one"))
    question = "SELECT COUNT(*) FROM {}"
    with ReviewDatabase(review_database).reading() as db:
        assert db.exec_driver_sql(question.format("marks")).scalar_one() == 1
        reviews.save(Mark(DATA, 2, "Ada", note="two"))
        assert db.exec_driver_sql(question.format("history")).scalar_one() == 1
    with ReviewDatabase(review_database).reading() as db:
        assert db.exec_driver_sql(question.format("history")).scalar_one() == 2


def test_help_and_pages_without_notes_load_no_database_library() -> None:
    code = (
        "import sys, ivan_core, ivan_core.cli.main as cli; cli.parser().format_help()\n"
        "import ivan_core.experiments.compare.results, ivan_core.experiments.compare.conditions\n"
        "import ivan_core.experiments.compare.report, ivan_core.review.rights\n"
        "print('sqlalchemy' in sys.modules, 'psycopg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout == "False False\n", done.stderr


@pytest.mark.parametrize(
    ("required", "told"),
    [
        ("", "tests on PostgreSQL skipped: 1 (PostgreSQL is not installed)"),
        ("browser,postgres", "IVAN_REQUIRE asks for PostgreSQL, but PostgreSQL is not installed."),
    ],
)
def test_without_a_server_its_tests_are_counted_aloud_or_fail(
    required: str, told: str, tmp_path: Path
) -> None:
    tests = Path(__file__).parents[1]
    (tmp_path / "none_installed.py").write_text(
        f"import sys\nsys.path.insert(0, {str(tests)!r})\n"
        "from fakes import postgres_server\npostgres_server.binaries = lambda: None\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "none_installed",
            "-p",
            "no:cacheprovider",
            "annotations/test_kept_queues.py::test_a_companion_is_closed_with_its_queue",
        ],
        cwd=tests,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "IVAN_REQUIRE": required},
    )
    assert told in done.stdout
    assert done.returncode == (1 if required else 0)
    assert "1 passed" in done.stdout, "the test on SQLite needs no server"
