"""Facts beside the scores: JSON under a name; what a file could smuggle in is refused."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import diskcache
import pytest

from ivan_core.domain.models import Reward
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.facts import FactsDisk
from ivan_core.runs.score_table import Damaged


def in_the_file(folder: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "facts" / "cache.db")) as db, db:
        db.execute(sql, values)


def test_a_fact_is_remembered_under_its_name(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    assert cache.recall("model|x") is None
    cache.remember("model|x", {"texts_per_second": 12.5})
    assert ScoreCache(tmp_path).recall("model|x") == {"texts_per_second": 12.5}


def test_facts_are_never_dropped_and_lie_in_the_database_as_text(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    cache.remember("long", "x" * 100_000)  # the library puts a text this long into a file
    opened = cache._facts.opened()._cache
    assert isinstance(opened, diskcache.Cache)
    assert (opened.eviction_policy, opened.size_limit) == ("none", 2**62)
    assert {path.name for path in (tmp_path / "facts").rglob("*")} <= {
        "cache.db",
        "cache.db-wal",
        "cache.db-shm",
    }
    assert ScoreCache(tmp_path).recall("long") == "x" * 100_000


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def a_pickle(folder: Path, secret: Path) -> None:
    in_the_file(
        folder,
        "UPDATE Cache SET mode = ?, value = ?",
        diskcache.core.MODE_PICKLE,
        pickle.dumps(Touch(secret.with_name("touched"))),
    )


def another_file(folder: Path, secret: Path) -> None:
    in_the_file(
        folder,
        "UPDATE Cache SET mode = ?, filename = ?, value = NULL",
        diskcache.core.MODE_TEXT,
        str(secret),
    )


def no_json(folder: Path, _: Path) -> None:
    in_the_file(folder, "UPDATE Cache SET value = '{'")


def no_database(folder: Path, _: Path) -> None:
    (folder / "facts" / "cache.db").write_bytes(b"no database at all" * 100)


@pytest.mark.parametrize("damage", [a_pickle, another_file, no_json, no_database])
def test_what_nobody_put_is_set_aside_unread_and_the_scores_stay(
    tmp_path: Path, damage: Callable[[Path, Path], None]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('"secret"')
    cache = ScoreCache(tmp_path / "scores")
    cache.put_many("model", {"a": Reward(1.0)})
    cache.remember("fact", 1)
    cache.close()
    damage(tmp_path / "scores", secret)
    cache = ScoreCache(tmp_path / "scores")
    assert cache.recall("fact") is None
    assert not (tmp_path / "touched").exists()
    (aside,) = tmp_path.glob("scores-damaged-*")
    assert (aside / "cache.db").exists()
    assert cache.notes == [
        "What the score cache knew of models' speeds and earlier rewordings was damaged. It was "
        f"set aside as {tmp_path.name}/{aside.name}; it is found out again."
    ]
    assert cache.get_many("model", ["a"]) == {"a": Reward(1.0)}
    cache.remember("fact", 2)
    assert cache.recall("fact") == 2


def test_facts_outlive_damaged_scores(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path / "scores")
    cache.remember("fact", [1, 2])
    cache.close()
    (tmp_path / "scores" / "scores.sqlite").write_bytes(b"no database at all" * 100)
    cache = ScoreCache(tmp_path / "scores")
    assert len(cache.notes) == 1
    assert cache.recall("fact") == [1, 2]


def test_the_disk_neither_pickles_nor_unpickles_names_and_values(tmp_path: Path) -> None:
    disk = FactsDisk(str(tmp_path))
    for refused in (lambda: disk.put(("a", 1)), lambda: disk.store({"a": 1}, read=False)):
        with pytest.raises(TypeError):
            refused()
    with pytest.raises(Damaged):
        disk.get(pickle.dumps(Touch(tmp_path / "touched")), raw=False)
    assert not (tmp_path / "touched").exists()
