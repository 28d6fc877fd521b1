"""The score cache: what a model gave a text, kept for good and shared by all runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diskcache

from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.rewards import Reward
from ivan_core.runs.storage import storage_errors


class ScoreCache:
    """Rewards by model identity and text hash. Failures are not kept: they may be mended next time.

    Every method raises StorageProblem where the cache's folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._errors():
            # The library's defaults would drop the oldest values past 1 GiB and pickle objects.
            self._cache = diskcache.Cache(
                str(folder), disk=diskcache.JSONDisk, eviction_policy="none", size_limit=2**62
            )

    def get_many(self, identity: str, hashes: Iterable[str]) -> dict[str, Reward]:
        """The known rewards among these texts, by text hash."""
        found: dict[str, Reward] = {}
        with self._errors():
            for text_hash in hashes:
                value: Any = self._cache.get(_key(identity, text_hash))
                if value is not None:
                    found[text_hash] = Reward(value[0], bool(value[1]))
        return found

    def put_many(self, identity: str, rewards: Mapping[str, Reward]) -> None:
        """Keep these rewards in one transaction: after a crash either all are there or none."""
        with self._errors(), self._cache.transact():
            for text_hash, reward in rewards.items():
                if reward.value is not None:
                    self._cache.set(_key(identity, text_hash), [reward.value, reward.truncated])

    def recall(self, name: str) -> Any:
        """A small fact about models on this machine (speeds, budgets); None if unknown."""
        with self._errors():
            return self._cache.get(f"fact|{name}")

    def remember(self, name: str, value: Any) -> None:
        """Keep a small fact under a name."""
        with self._errors():
            self._cache.set(f"fact|{name}", value)

    def __len__(self) -> int:
        with self._errors():
            return len(self._cache)

    def clear(self) -> int:
        """Forget everything; returns how many rewards and facts that were.

        A run that is at work meanwhile loses nothing: what it has finished lies in its parts.
        """
        with self._errors():
            return int(self._cache.clear())

    def close(self) -> None:
        self._cache.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with storage_errors(self._folder):
            try:
                yield
            except diskcache.Timeout as error:
                raise StorageProblem(
                    f"The score cache in {self._folder} has been busy for a minute.",
                    "See whether another program holds it, then resume the run.",
                ) from error


def _key(identity: str, text_hash: str) -> str:
    return f"score|{identity}|{text_hash}"
