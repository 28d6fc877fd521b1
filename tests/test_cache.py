"""The score cache: exact, shared, never half written, and silent about failures."""

from __future__ import annotations

from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import diskcache
import pytest
from fakes import float32

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.rewards import Reward
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
    writer.join(60)
    assert writer.exitcode == -9
    assert cache.get_many("model", ["before", *map(str, range(50))]) == {"before": Reward(1.0)}


def test_the_library_neither_drops_nor_pickles(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    assert cache._cache.eviction_policy == "none"
    assert cache._cache.size_limit == 2**62
    assert isinstance(cache._cache.disk, diskcache.JSONDisk)


def test_a_damaged_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageProblem, match="damaged"):
        ScoreCache(tmp_path)


def test_a_fact_is_remembered_under_its_name(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    assert cache.recall("model|x") is None
    cache.remember("model|x", {"texts_per_second": 12.5})
    assert ScoreCache(tmp_path).recall("model|x") == {"texts_per_second": 12.5}
