"""What this machine has, can be given and keeps: models and its score cache."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from ivan_core.engine import access
from ivan_core.engine.archive import size
from ivan_core.models import servers
from ivan_core.models.names import is_rules
from ivan_core.models.servers import has_key, ollama_address
from ivan_core.runs.cache import DAMAGED, ScoreCache
from ivan_core.settings import data_dir, has_gpu, memory_bytes


@dataclass(frozen=True, slots=True)
class Equipment:
    """One thing a machine may have, whether it has it, and how to get it."""

    name: str
    present: bool
    hint: str


def equipment() -> list[Equipment]:
    """What is here and what would be needed for more; answers within half a second."""
    memory = memory_bytes() / 2**30
    return [
        Equipment(
            f"{os.cpu_count()} processor cores, {memory:.0f} GiB of memory",
            True,
            "Enough for the demo.",
        ),
        Equipment(
            "An NVIDIA GPU",
            has_gpu(),
            "Makes the large reward models hundreds of times faster; install torch with CUDA.",
        ),
        Equipment(
            "Ollama",
            _answers(ollama_address()),
            "For rewording and a second labeler with open models: "
            "install it and run `ollama serve`.",
        ),
        Equipment(
            "An OpenAI key",
            has_key(),
            "For labels by the OpenAI Batch API: put OPENAI_API_KEY into .env.",
        ),
    ]


def _answers(url: str) -> bool:
    """Whether something listens at a URL's address."""
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        with socket.create_connection(
            (parts.hostname or "localhost", parts.port or 11434), timeout=0.3
        ):
            return True
    except (OSError, ValueError):
        return False


def pull(model: str, progress: Callable[[int, int, str], None]) -> None:
    """Download a model to the Ollama server, unless it is there.

    Raises:
        BackendUnavailable: the server is away, has no such model to give, or stopped half way.
        NotAllowed: the visitor may only read and review.
    """
    access.require(access.Action.PULL)
    if not is_rules(model) and not servers.ollama_has(model):
        servers.pull(model, progress)


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
