"""The models that the demo's Ollama has, and what it tells about them."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from ivan_core.demo.fault_names import MODEL_MISSING
from ivan_core.demo.faults import Faults

INSTALLED = (
    "gemma4:e4b",
    "mistral:7b-instruct-fp16",
    "gemma:7b-instruct-fp16",
    "llama2:13b-instruct-fp16",
    "llama3:8b-instruct-fp16",
)
"""Those that the commands of README and handbook name, so that all of them can be tried."""
_THINKING = ("gemma4", "qwen3.5", "gpt-oss")
_CONTEXT_LENGTH = 32_768


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A model by name: all that is told of it follows from the name."""

    name: str

    @property
    def family(self) -> str:
        return self.name.partition(":")[0].rpartition("/")[2]

    @property
    def thinks(self) -> bool:
        return self.family in _THINKING

    def layers(self) -> tuple[tuple[str, int], ...]:
        """Digest and bytes of the parts that a pull loads."""
        return tuple(
            ("sha256:" + hashlib.sha256(f"{self.name} {part}".encode()).hexdigest(), size)
            for part, size in (("weights", 4_000_000_000), ("template", 2_000))
        )

    def details(self) -> dict[str, object]:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": "7B",
            "quantization_level": "F16" if "fp16" in self.name else "Q4_K_M",
        }

    def as_json(self) -> dict[str, object]:
        """The model in a list."""
        return {
            "name": self.name,
            "model": self.name,
            "modified_at": "2026-11-01T12:00:00Z",
            "size": sum(size for _, size in self.layers()),
            "digest": hashlib.sha256(self.name.encode()).hexdigest(),
            "details": self.details(),
        }

    def as_loaded(self) -> dict[str, object]:
        facts = self.as_json()
        del facts["modified_at"]
        return facts | {"expires_at": now(), "size_vram": 0, "context_length": 4096}

    def as_shown(self) -> dict[str, object]:
        """The model by itself, with its context length."""
        return {
            "modelfile": f"FROM {self.name}\n",
            "parameters": "",
            "template": "{{ .Prompt }}",
            "details": self.details(),
            "model_info": {
                "general.architecture": self.family,
                "general.parameter_count": 7_000_000_000,
                f"{self.family}.context_length": _CONTEXT_LENGTH,
            },
            "capabilities": ["completion", *(["thinking"] if self.thinks else [])],
            "modified_at": "2026-11-01T12:00:00Z",
        }


class ModelShelf:
    """Which models are there, and which are loaded; pulling adds one."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._pulled: list[str] = []
        self._loaded: list[str] = []

    def installed(self) -> list[DemoModel]:
        """All models; with the fault "model-missing" only those pulled since."""
        at_first = () if self._faults.is_on(MODEL_MISSING) else INSTALLED
        with self._lock:
            return [DemoModel(name) for name in dict.fromkeys((*at_first, *self._pulled))]

    def find(self, name: str) -> DemoModel | None:
        full = _full(name)
        return next((model for model in self.installed() if model.name == full), None)

    def loaded(self) -> list[DemoModel]:
        there = self.installed()
        return [model for model in there if model.name in self._loaded]

    def load(self, model: DemoModel) -> None:
        with self._lock:
            if model.name not in self._loaded:
                self._loaded.append(model.name)

    def add(self, name: str) -> None:
        with self._lock:
            self._pulled.append(_full(name))


def _full(name: str) -> str:
    return name if ":" in name or not name else f"{name}:latest"
