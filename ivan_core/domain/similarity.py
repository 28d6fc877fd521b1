"""How alike two texts are in meaning, and the protocol of models that tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SimilarityCard:
    """Facts about a similarity model, kept with every run."""

    id: str
    revision: str = ""
    max_tokens: int | None = None


class SimilarityModel(Protocol):
    """A loaded similarity model."""

    @property
    def card(self) -> SimilarityCard: ...

    def similarity(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The cosine of each pair's embeddings, between -1 and 1, in the same order."""
        ...
