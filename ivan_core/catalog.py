"""The catalog: presets, and what is known of models and datasets beforehand (`catalog.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ivan_core.domain.errors import BadInput


@dataclass(frozen=True, slots=True)
class Preset:
    """A named choice of dataset, reward models, and labelers (the second one labels by itself).

    Rewordings are judged by the aligned model, trained on the dataset, and the control, which was
    not; `similarity` tells how alike two texts are in meaning.
    """

    name: str
    title: str
    dataset: str
    models: tuple[str, ...]
    labeler: str
    second_labeler: str
    rewriter: str
    similarity: str
    aligned: str
    control: str


@lru_cache(maxsize=1)
def _catalog() -> dict[str, Any]:
    return tomllib.loads((files("ivan_core") / "catalog.toml").read_text("utf-8"))


def preset_names() -> tuple[str, ...]:
    return tuple(_catalog()["presets"])


def preset(name: str) -> Preset:
    """A preset by name.

    Raises:
        BadInput: there is no such preset.
    """
    facts = _catalog()["presets"].get(name)
    if facts is None:
        raise BadInput(
            f"There is no preset {name!r}.", f"Choose one of {', '.join(preset_names())}."
        )
    return Preset(**{"name": name, **facts, "models": tuple(facts["models"])})


def models() -> dict[str, dict[str, Any]]:
    """What the catalog knows of reward models, by their ids on the hub."""
    return dict(_catalog()["models"])


def dataset_facts(source: str) -> dict[str, Any]:
    """What the catalog knows of a hub dataset: subsets, splits, pairs; empty if nothing."""
    return dict(_catalog()["datasets"].get(source, {}))
