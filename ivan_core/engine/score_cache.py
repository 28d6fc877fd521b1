"""The score cache as people handle it: how large it is, and emptying it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from ivan_core.engine import access
from ivan_core.engine.archive import size
from ivan_core.runs.cache import DAMAGED, ScoreCache
from ivan_core.settings import data_dir


@dataclass(frozen=True, slots=True)
class CacheSize:
    """What the cache holds: rewards (and a few facts on models' speed), and its size on disk."""

    entries: int
    bytes: int
    damaged: tuple[str, ...] = ()
    """Caches that were damaged and set aside, by their place in the data folder."""

    @property
    def sentence(self) -> str:
        told = (
            f"The cache holds {self.entries:,} rewards in {size(self.bytes)}. Clearing it deletes "
            "no run; the next run of a model computes its rewards again."
        )
        if not self.damaged:
            return told
        return f"{told} Set aside as damaged, for you to keep or delete: {', '.join(self.damaged)}."


def cache_size() -> CacheSize:
    """How large the cache is; nothing is made where there is none.

    Raises:
        StorageProblem: it cannot be read.
    """
    folder = data_dir() / "cache"
    if not (folder / "scores").exists():
        return CacheSize(0, 0)
    with closing(ScoreCache(folder / "scores")) as cache:
        entries = len(cache)
    taken = sum(path.stat().st_size for path in (folder / "scores").rglob("*") if path.is_file())
    damaged = sorted(f"cache/{path.name}" for path in folder.glob(f"scores{DAMAGED}*"))
    return CacheSize(entries, taken, tuple(damaged))


def clear_cache() -> CacheSize:
    """Empty the cache; returns what it held before.

    Raises:
        NotAllowed: the visitor may only read and review.
        StorageProblem: it cannot be written.
    """
    access.require(access.Action.CLEAR)
    before = cache_size()
    if before.entries:
        with closing(ScoreCache(data_dir() / "cache" / "scores")) as cache:
            cache.clear()
    return before
