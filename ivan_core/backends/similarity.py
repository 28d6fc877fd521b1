"""Similarity models: the embedded MiniLM, and any sentence-transformers model of the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ivan_core.backends.embedded.encoder_files import WEIGHTS_SHA256
from ivan_core.backends.embedded.model import MAX_TOKENS, Encoder
from ivan_core.datasets.hub_client import UNREACHABLE, guard_hub, hub_problem, hub_reason
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import SimilarityCard
from ivan_core.domain.specs import MINILM


def cosines(vectors: Any, count: int) -> list[float]:
    """Cosines of the first `count` rows with the `count` rows after them; rows have length 1.

    `vectors` is an array of shape (2 * count, dimensions). Sums are made in float64, so that equal
    texts give exactly 1.
    """
    import numpy as np

    ones, others = vectors[:count].astype(np.float64), vectors[count:].astype(np.float64)
    lengths = np.linalg.norm(ones, axis=1) * np.linalg.norm(others, axis=1)
    found = (ones * others).sum(axis=1) / np.where(lengths > 0, lengths, 1.0)
    return [float(value) for value in np.clip(found, -1.0, 1.0)]


def once(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[int]]:
    """Each text once, and where those of the pairs lie: all first ones, then all second ones.

    An original is compared with each of its rewordings, and embedding it takes the time.
    """
    place: dict[str, int] = {}
    both = [one for one, _ in pairs] + [other for _, other in pairs]
    places = [place.setdefault(text, len(place)) for text in both]
    return list(place), places


class MiniLM:
    """The embedded all-MiniLM-L6-v2; it reads the first 256 tokens of a text."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self.card = SimilarityCard(MINILM, WEIGHTS_SHA256[:16], MAX_TOKENS)

    def similarity(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        if not pairs:
            return []
        texts, places = once(pairs)
        vectors, _ = self._encoder.embed(texts)
        return cosines(vectors[places], len(pairs))


class SentenceModel:
    """A model of sentence-transformers. No code of a model is ever run."""

    def __init__(self, name: str) -> None:
        guard_hub()  # a local one too may name another model that the library then looks for
        local = Path(name).expanduser().exists()
        model_id, _, revision = (name, "", "") if local else name.partition("@")
        commit = "" if local else _commit(model_id, revision)
        self._model = _loaded(model_id, commit or revision)
        self.card = SimilarityCard(name, commit or revision, self._model.max_seq_length)

    def similarity(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        if not pairs:
            return []
        texts, places = once(pairs)
        vectors = self._model.encode(
            texts, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return cosines(vectors[places], len(pairs))


def _commit(model_id: str, revision: str) -> str:
    """The commit that a name stands for now; empty where the hub does not answer."""
    from huggingface_hub import HfApi

    try:
        return str(HfApi().model_info(model_id, revision=revision or None).sha)
    except Exception as error:
        if hub_reason(error) in UNREACHABLE:
            return ""  # a copy in the cache may do
        raise hub_problem(error, "model", model_id, revision) from error


def _loaded(model_id: str, revision: str) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(model_id, revision=revision or None, trust_remote_code=False)
    except Exception as error:  # its files may hold anything
        if Path(model_id).expanduser().exists():
            raise BackendUnavailable(
                f"{model_id} cannot be loaded as a similarity model.",
                "It must be a model of sentence-transformers.",
            ) from error
        raise hub_problem(error, "model", model_id, revision) from error
