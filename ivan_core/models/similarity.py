"""Similarity models by name: the embedded one, any of sentence-transformers, directories."""

from __future__ import annotations

from pathlib import Path

from ivan_core import catalog
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import SimilarityModel
from ivan_core.domain.specs import MINILM
from ivan_core.models import reward_models
from ivan_core.models.names import OWN


def known() -> tuple[str, ...]:
    """The embedded one and those of the presets."""
    presets = (catalog.preset(name).similarity for name in catalog.preset_names())
    return tuple(dict.fromkeys((MINILM, *presets)))


def offered(preset: str) -> tuple[str, ...]:
    """The similarity models to offer, that of a preset first."""
    return tuple(dict.fromkeys((preset, MINILM, "BAAI/bge-m3")))


def is_embedded(name: str) -> bool:
    """Whether it ships with IVAN: it is as fast as the embedded reward models, and beside them."""
    return name == MINILM


def check(name: str) -> None:
    """What can be refused before any work.

    Raises:
        BadInput: nothing of that name ships with IVAN, or it is no hub id and no directory.
    """
    if name.startswith(OWN) and not is_embedded(name):
        raise BadInput(
            f"There is no similarity model {name!r}.", f"The one that ships here is {MINILM}."
        )
    if not is_embedded(name):
        reward_models.check(name, (MINILM,))


def make(name: str, revision: str = "") -> SimilarityModel:
    """A similarity model: the embedded one, a hub id (`id@revision` pins one) or a directory.

    `revision` pins a hub id that names none. Only workers call this: it brings in torch.

    Raises:
        BadInput: there is no such model.
        BackendUnavailable: it cannot be had or loaded.
    """
    from ivan_core.backends.similarity import MiniLM, SentenceModel

    if is_embedded(name):
        return MiniLM()
    pinned = not revision or "@" in name or Path(name).expanduser().exists()
    return SentenceModel(name if pinned else f"{name}@{revision}")
