"""What an older IVAN kept, scores and facts in one file of diskcache, is taken over once."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import diskcache
import pytest
from given.support import without_rights

from ivan_core.domain.models import Reward
from ivan_core.runs import cache as caches
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.older_cache import take_over

REWARDS = {f"{n:032x}": Reward(n / 4, n % 2 == 0) for n in range(300)}
IDENTITY = "org/model|revision|512"


def older(folder: Path) -> Path:
    """A folder as an older IVAN left it."""
    with diskcache.Cache(str(folder), disk=diskcache.JSONDisk, eviction_policy="none") as cache:
        for text_hash, reward in REWARDS.items():
            cache.set(f"score|{IDENTITY}|{text_hash}", [reward.value, reward.truncated])
        cache.set("fact|model|org/model", {"texts_per_second": 12.5})
    return folder


def test_scores_and_facts_are_taken_over_and_the_older_file_goes(tmp_path: Path) -> None:
    folder = older(tmp_path / "scores")
    cache = ScoreCache(folder)
    assert cache.get_many(IDENTITY, REWARDS) == REWARDS
    assert cache.recall("model|org/model") == {"texts_per_second": 12.5}
    assert cache.notes == [] and len(cache) == 301
    cache.close()
    assert {path.name for path in folder.iterdir()} == {"scores.sqlite", "facts"}


def test_large_facts_are_read_from_the_files_beside_and_their_folders_go_too(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "scores"
    large = [float(n) ** 0.5 for n in range(9_000)]
    with diskcache.Cache(str(folder), disk=diskcache.JSONDisk) as cache:
        cache.set("fact|large", large)
    assert len(list(folder.glob("??/??/*.val"))) == 1
    taken = ScoreCache(folder)
    assert (taken.recall("large"), taken.notes) == (large, [])
    taken.close()
    assert {path.name for path in folder.iterdir()} == {"scores.sqlite", "facts"}


@pytest.mark.parametrize("file", ["../elsewhere.val", "00/00/0000.val"])
def test_a_large_fact_whose_file_lies_elsewhere_or_nowhere_is_damage(
    tmp_path: Path, file: str
) -> None:
    folder = older(tmp_path / "scores")
    (tmp_path / "elsewhere.val").write_bytes(zlib.compress(b"7"))
    (folder / "ab" / "cd").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "cache.db")) as db, db:
        db.execute(
            "UPDATE Cache SET value = NULL, filename = ? WHERE rowid = "
            "(SELECT max(rowid) FROM Cache)",
            (file,),
        )
    cache = ScoreCache(folder)
    assert (cache.recall("model|org/model"), len(cache), len(cache.notes)) == (None, 300, 1)
    (aside,) = tmp_path.glob("scores-damaged-*")
    assert {path.name for path in aside.iterdir()} == {"cache.db", "ab"}


def test_what_is_no_number_is_not_taken_over(tmp_path: Path) -> None:
    folder = older(tmp_path / "scores")
    with diskcache.Cache(str(folder), disk=diskcache.JSONDisk) as cache:
        for name, value in (("aa", float("nan")), ("bb", float("inf"))):
            cache.set(f"score|{IDENTITY}|{name}", [value, False])
    taken = ScoreCache(folder)
    assert taken.get_many(IDENTITY, [*REWARDS, "aa", "bb"]) == REWARDS
    assert taken.notes == []


def test_a_plan_that_makes_no_cache_knows_the_older_scores(tmp_path: Path) -> None:
    cache = ScoreCache(older(tmp_path / "scores"), makes=False)
    assert cache.get_many(IDENTITY, REWARDS) == REWARDS


def test_a_copy_that_was_cut_off_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = older(tmp_path / "scores")

    def cut_off(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(caches, "take_over", cut_off)
        ScoreCache(folder)
    twice = ScoreCache(folder)
    assert twice.get_many(IDENTITY, REWARDS) == REWARDS


def test_copying_twice_changes_nothing(tmp_path: Path) -> None:
    folder = older(tmp_path / "scores")
    cache = ScoreCache(tmp_path / "new")
    for _ in range(2):
        assert take_over(folder, cache._scores.opened(), cache._facts.opened())
    assert len(cache) == 301


def test_what_can_be_read_of_a_damaged_one_is_taken_over_and_the_rest_set_aside(
    tmp_path: Path,
) -> None:
    folder = older(tmp_path / "scores")
    with closing(sqlite3.connect(folder / "cache.db")) as db, db:
        db.execute("UPDATE Cache SET value = ? WHERE rowid <= 100", (b"\x00garbage",))
        db.execute("UPDATE Cache SET value = ? WHERE rowid = 101", (zlib.compress(b"7"),))
    cache = ScoreCache(folder)
    assert len(cache.get_many(IDENTITY, REWARDS)) == 199
    (aside,) = tmp_path.glob("scores-damaged-*")
    assert (aside / "cache.db").exists() and not (folder / "cache.db").exists()
    assert cache.notes == [
        "A part of the older score cache was damaged. It was set aside as "
        f"{tmp_path.name}/{aside.name}; what could be read was taken over."
    ]
    assert ScoreCache(folder).notes == []


def test_one_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    folder = older(tmp_path / "scores")
    (folder / "cache.db").write_bytes(b"no database at all" * 100)
    assert len(ScoreCache(folder)) == 0
    assert len(list(tmp_path.glob("scores-damaged-*/cache.db"))) == 1


def test_one_that_cannot_be_written_stays_as_it_is(open_folder: Path) -> None:
    folder = older(open_folder / "scores")
    was = (folder / "cache.db").read_bytes()
    folder.chmod(0o555)
    with without_rights():
        assert ScoreCache(folder).get_many(IDENTITY, REWARDS) == {}
    assert (folder / "cache.db").read_bytes() == was
