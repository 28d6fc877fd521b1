"""The score cache: exact, shared, never half written, and silent about failures."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import diskcache
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


def put_and_die(folder: Path, after: int) -> None:
    """Write a chunk, and be killed while doing so."""
    import os
    import signal

    written, done = 0, diskcache.Cache.set

    def set_and_count(self: diskcache.Cache, key: str, value: object) -> bool:
        nonlocal written
        written += 1
        if written > after:
            os.kill(os.getpid(), signal.SIGKILL)
        return bool(done(self, key, value))

    diskcache.Cache.set = set_and_count
    ScoreCache(folder).put_many("model", {str(n): Reward(n / 10) for n in range(50)})


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


def test_the_library_neither_drops_nor_pickles(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)._open()
    assert cache.eviction_policy == "none"
    assert cache.size_limit == 2**62
    assert isinstance(cache.disk, diskcache.JSONDisk)


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
        db.execute("UPDATE Cache SET value = ? WHERE rowid % 2", (b"\x00garbage",))


def values_of_another_form(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE Cache SET value = ?", (zlib.compress(b"7"),))


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
    damage(folder / "cache.db")
    damaged = (folder / "cache.db").read_bytes()
    cache = ScoreCache(folder)
    assert cache.get_many("model", map(str, range(2000))) == {}
    cache.put_many("model", {"1": Reward(0.5)})
    assert cache.get_many("model", ["1", "2"]) == {"1": Reward(0.5)}
    (aside,) = tmp_path.glob("scores-damaged-*")
    assert cache.notes == [
        f"The score cache was damaged. It was set aside as {tmp_path.name}/{aside.name}; "
        "its rewards are computed again."
    ]
    assert damaged[200:4096] == (aside / "cache.db").read_bytes()[200:4096]  # after its head


def test_a_folder_in_place_of_the_cache_is_set_aside_too(tmp_path: Path) -> None:
    (tmp_path / "scores" / "cache.db" / "odd").mkdir(parents=True)
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
        cache._do(lambda opened: opened._sql("ROLLBACK"))
    assert list(tmp_path.glob("scores-damaged-*")) == []
    assert len(cache) == 2000


def test_a_cache_damaged_while_it_is_in_use_is_set_aside_by_one_of_two(tmp_path: Path) -> None:
    full_cache(tmp_path / "scores")
    first, second = ScoreCache(tmp_path / "scores"), ScoreCache(tmp_path / "scores")
    values_that_nobody_put(tmp_path / "scores" / "cache.db")
    for cache in (first, second):
        cache.get_many("model", map(str, range(2000)))
        cache.put_many("model", {str(id(cache)): Reward(1.0)})
    assert len(first) == len(second) == 2
    assert len(first.notes) == 1 and second.notes == []
    assert len(list(tmp_path.glob("scores-damaged-*"))) == 1


def test_a_damaged_cache_that_cannot_be_moved_is_named(open_folder: Path) -> None:
    folder = open_folder / "scores"
    full_cache(folder)
    garbage(folder / "cache.db")
    for path in (folder, folder / "cache.db"):
        path.chmod(0o777)
    with without_rights(), pytest.raises(StorageProblem, match=r"damaged|cannot be written"):
        ScoreCache(folder)
    assert (folder / "cache.db").read_bytes().startswith(b"no database")


def test_a_locked_cache_is_busy_not_damaged(tmp_path: Path) -> None:
    cache = full_cache(tmp_path / "scores")
    with pytest.raises(StorageProblem, match="busy"), cache._errors():
        raise sqlite3.OperationalError("database is locked")
    assert list(tmp_path.glob("scores-damaged-*")) == []


def test_a_fact_is_remembered_under_its_name(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    assert cache.recall("model|x") is None
    cache.remember("model|x", {"texts_per_second": 12.5})
    assert ScoreCache(tmp_path).recall("model|x") == {"texts_per_second": 12.5}


def test_a_run_goes_on_with_a_damaged_cache_and_says_so(data_dir: Path, pairs_file: Path) -> None:
    first = made_runs.finished(data_dir, made_runs.spec_of_file(pairs_file))
    garbage(data_dir / "cache" / "scores" / "cache.db")
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
