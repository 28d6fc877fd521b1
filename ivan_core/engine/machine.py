"""What this machine has: GPU, Ollama, an OpenAI key. Presence only, never values."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from ivan_core.models.servers import has_key, ollama_address
from ivan_core.settings import has_gpu, memory_bytes


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
