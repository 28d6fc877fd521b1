"""The score cache: exact, shared, never half written, and silent about failures."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from fakes.reward_models import float32
from given import made_runs
from given.made_runs import finished, spec_of_file
from given.support import without_rights

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.models import Reward
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs, machine
from ivan_core.engine.machine import cache_size
from ivan_core.experiments.compare.results import open_results
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.score_table import SCORES_FILE, found_by


def put_and_die(folder: Path, after: int) -> None:
    """Write a chunk, and be killed while doing so."""
    cache = ScoreCache(folder)
    db = cache._scores.opened()._db
    assert db is not None

    def die_in_the_middle() -> int:
        if db.total_changes > after:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    db.set_progress_handler(die_in_the_middle, 1)
    cache.put_many("model", {str(n): Reward(n / 10) for n in range(50)})


def test_rewards_come_back_as_they_went_in(tmp_path: Path) -> None:
    rewards = {"a": Reward(float32(0.1)), "b": Reward(-3.5e-12, True), "c": Reward(0.0)}
    cache = ScoreCache(tmp_path)
    cache.put_many("model", rewards)
    cache.close()
    assert ScoreCache(tmp_path).get_many("model", ["a", "b", "c", "d"]) == rewards


def test_another_identity_is_another_score(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    cache.put_many("model|r1", {"a": Reward(1.0)})
    assert cache.get_many("model|r2", ["a"]) == {}


def test_failures_are_not_kept(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    cache.put_many("model", {"a": Reward(None, failure="out of memory"), "b": Reward(1.0)})
    assert cache.get_many("model", ["a", "b"]) == {"b": Reward(1.0)}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_not_kept_and_spoils_nothing(tmp_path: Path, value: float) -> None:
    cache = ScoreCache(tmp_path)
    cache.put_many("model", {"a": Reward(value), "b": Reward(1.0)})
    assert cache.get_many("model", ["a", "b"]) == {"b": Reward(1.0)}
    assert cache.notes == []


def test_killed_while_writing_keeps_none_of_the_chunk(
    tmp_path: Path, processes: ForkServerContext
) -> None:
    cache = ScoreCache(tmp_path)
    cache.put_many("model", {"before": Reward(1.0)})
    writer: Any = processes.Process(target=put_and_die, args=(tmp_path, 30))
    writer.start()
    writer.join(300)
    assert writer.exitcode == -9
    assert cache.get_many("model", ["before", *map(str, range(50))]) == {"before": Reward(1.0)}


def test_a_score_is_kept_to_the_last_bit_under_any_name(tmp_path: Path) -> None:
    values = {"00ff": -0.0, "00FF": 5e-324, "": 1.5, "0": 2.0**127, "caf\u00e9": -7.0}
    cache = ScoreCache(tmp_path)
    cache.put_many("model", {name: Reward(value) for name, value in values.items()})
    found = cache.get_many("model", values)
    assert {name: found[name].value.hex() for name in values} == {  # type: ignore[union-attr]
        name: value.hex() for name, value in values.items()
    }
    assert len(cache) == 5


def test_more_texts_than_one_statement_asks_for(tmp_path: Path) -> None:
    rewards = {f"{n:032x}": Reward(n / 8, n % 3 == 0) for n in range(1234)}
    cache = ScoreCache(tmp_path)
    cache.put_many("model", rewards)
    assert cache.get_many("model", [*rewards, "f" * 32]) == rewards


def test_a_score_takes_less_than_a_hundred_bytes(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    for chunk in range(5):
        names = (sha256(f"{chunk} {n}".encode()).hexdigest()[:32] for n in range(1000))
        cache.put_many("a/model of a usual name", {name: Reward(0.25) for name in names})
    cache.close()
    assert (tmp_path / SCORES_FILE).stat().st_size < 60 * 5000


def test_texts_are_looked_up_by_the_key_never_by_reading_the_whole_table(tmp_path: Path) -> None:
    db = ScoreCache(tmp_path)._scores.opened()._db
    assert db is not None
    told = db.execute(f"EXPLAIN QUERY PLAN {found_by(500)}", [*["a"] * 500, "model"]).fetchall()
    assert [line[-1] for line in told if "scores" in line[-1]] == [
        "SEARCH scores USING PRIMARY KEY (model=? AND text=?)"
    ]


def put_often(folder: Path, name: str) -> None:
    for n in range(40):
        ScoreCache(folder).put_many(name, {str(n): Reward(float(n))})


def test_processes_that_write_at_once_lose_nothing(
    tmp_path: Path, processes: ForkServerContext
) -> None:
    names = ["one", "two", "three"]
    writers: Any = [
        processes.Process(target=put_often, args=(tmp_path / "scores", name)) for name in names
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(300)
    cache = ScoreCache(tmp_path / "scores")
    wanted = {str(n): Reward(float(n)) for n in range(40)}
    assert [cache.get_many(name, wanted) for name in names] == [wanted] * 3


def test_threads_share_one_cache(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)

    def put_and_get(number: int) -> dict[str, Reward]:
        rewards = {f"{number} {n}": Reward(float(n)) for n in range(50)}
        cache.put_many("model", rewards)
        cache.remember(f"fact {number}", number)
        return cache.get_many("model", rewards)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(put_and_get, range(8)))
    assert [one[f"{number} 7"] for number, one in enumerate(found)] == [Reward(7.0)] * 8
    assert [cache.recall(f"fact {number}") for number in range(8)] == list(range(8))


def test_a_file_of_a_newer_layout_is_left_alone(tmp_path: Path) -> None:
    full_cache(tmp_path / "scores")
    with closing(sqlite3.connect(tmp_path / "scores" / SCORES_FILE)) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StorageProblem, match="newer IVAN"):
        ScoreCache(tmp_path / "scores")
    assert list(tmp_path.glob("scores-damaged-*")) == []


def full_cache(folder: Path) -> ScoreCache:
    cache = ScoreCache(folder)
    cache.put_many("model", {str(n): Reward(n / 2) for n in range(2000)})
    cache.close()
    return cache


def garbage(file: Path) -> None:
    file.write_bytes(b"no database at all" * 100)


def cut(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2 + 100)


def overwritten(file: Path) -> None:
    """All but the first page is noise."""
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xff" * (file.stat().st_size - 4096))


def of_another_program(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE Settings (other)")


def values_that_nobody_put(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE scores SET reward = ? WHERE unicode(text) % 2 = 0", (b"\x00garbage",))


def values_of_another_form(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE scores SET truncated = ?", (7,))


DAMAGES = [
    garbage,
    cut,
    overwritten,
    of_another_program,
    values_that_nobody_put,
    values_of_another_form,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_set_aside_whole_and_work_goes_on(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "scores"
    full_cache(folder)
    damage(folder / SCORES_FILE)
    damaged = (folder / SCORES_FILE).read_bytes()
    cache = ScoreCache(folder)
    assert cache.get_many("model", map(str, range(2000))) == {}
    cache.put_many("model", {"1": Reward(0.5)})
    assert cache.get_many("model", ["1", "2"]) == {"1": Reward(0.5)}
    (aside,) = tmp_path.glob("scores-damaged-*")
    assert cache.notes == [
        f"The score cache was damaged. It was set aside as {tmp_path.name}/{aside.name}; "
        "its rewards are computed again."
    ]
    assert damaged[200:4096] == (aside / SCORES_FILE).read_bytes()[200:4096]  # after its head


def test_a_folder_in_place_of_the_cache_is_set_aside_too(tmp_path: Path) -> None:
    (tmp_path / "scores" / SCORES_FILE / "odd").mkdir(parents=True)
    cache = ScoreCache(tmp_path / "scores")
    assert cache.get_many("model", ["1"]) == {}
    cache.put_many("model", {"1": Reward(0.5)})
    assert cache.get_many("model", ["1"]) == {"1": Reward(0.5)}
    assert len(cache.notes) == 1 and len(list(tmp_path.glob("scores-damaged-*"))) == 1


def test_an_error_that_hides_another_one_is_no_damage(tmp_path: Path) -> None:
    """SQLite ends a transaction by itself where the disk fails; ending it again is an error too."""
    full_cache(tmp_path / "scores")
    cache = ScoreCache(tmp_path / "scores")
    with pytest.raises(sqlite3.OperationalError, match="no transaction is active"):
        cache._do_scores(lambda opened: opened._db.execute("ROLLBACK"))  # type: ignore[union-attr]
    assert list(tmp_path.glob("scores-damaged-*")) == []
    assert len(cache) == 2000


def test_a_cache_damaged_while_it_is_in_use_is_set_aside_by_one_of_two(tmp_path: Path) -> None:
    full_cache(tmp_path / "scores")
    first, second = ScoreCache(tmp_path / "scores"), ScoreCache(tmp_path / "scores")
    values_that_nobody_put(tmp_path / "scores" / SCORES_FILE)
    for cache in (first, second):
        cache.get_many("model", map(str, range(2000)))
        cache.put_many("model", {str(id(cache)): Reward(1.0)})
    assert len(first) == len(second) == 2
    assert len(first.notes) == 1 and second.notes == []
    assert len(list(tmp_path.glob("scores-damaged-*"))) == 1


@pytest.mark.parametrize("take_away", [shutil.rmtree, lambda folder: folder.rename(f"{folder}2")])
def test_a_cache_taken_away_while_it_is_in_use_is_made_anew(
    tmp_path: Path, take_away: Callable[[Path], Any]
) -> None:
    cache = ScoreCache(tmp_path / "scores")
    cache.put_many("model", {"a": Reward(1.0)})
    cache.remember("fact", 1)
    take_away(tmp_path / "scores")
    cache.remember("fact", 2)
    cache.put_many("model", {"b": Reward(2.0)})
    assert cache.recall("fact") == 2 and cache.notes == []
    cache.close()
    again = ScoreCache(tmp_path / "scores")
    assert (again.recall("fact"), again.get_many("model", ["b"])) == (2, {"b": Reward(2.0)})


def test_a_damaged_cache_that_cannot_be_moved_is_named(open_folder: Path) -> None:
    folder = open_folder / "scores"
    full_cache(folder)
    garbage(folder / SCORES_FILE)
    for path in (folder, folder / SCORES_FILE):
        path.chmod(0o777)
    with without_rights(), pytest.raises(StorageProblem, match=r"damaged|cannot be written"):
        ScoreCache(folder)
    assert (folder / SCORES_FILE).read_bytes().startswith(b"no database")


def test_a_locked_cache_is_busy_not_damaged(tmp_path: Path) -> None:
    cache = full_cache(tmp_path / "scores")
    with pytest.raises(StorageProblem, match="busy"), cache._errors():
        raise sqlite3.OperationalError("database is locked")
    assert list(tmp_path.glob("scores-damaged-*")) == []


def test_a_run_goes_on_with_a_damaged_cache_and_says_so(data_dir: Path, pairs_file: Path) -> None:
    first = made_runs.finished(data_dir, made_runs.spec_of_file(pairs_file))
    garbage(data_dir / "cache" / "scores" / SCORES_FILE)
    second = made_runs.finished(data_dir, made_runs.spec_of_file(pairs_file))
    run = runs.get(second)
    assert run.state is RunState.DONE and run.computed == runs.get(first).computed
    (aside,) = (data_dir / "cache").glob("scores-damaged-*")
    assert any(f"set aside as cache/{aside.name}" in note for note in run.notes)
    assert f"for you to keep or delete: cache/{aside.name}." in cache_size().sentence


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
