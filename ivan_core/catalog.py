"""The catalog: presets, and what is known of models and datasets beforehand (`catalog.toml`)."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ivan_core.backends.embedded import model as embedded
from ivan_core.backends.reward_models.model_files import parameters_in
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard


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


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether this machine can run a model, and why, in words."""

    runs: bool | None
    reason: str


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
    return Preset(
        name, facts["title"], facts["dataset"], tuple(facts["models"]), facts["labeler"],
        facts["second_labeler"], facts["rewriter"], facts["similarity"], facts["aligned"],
        facts["control"],
    )  # fmt: skip


def model_names() -> tuple[str, ...]:
    """All models of the catalog, the embedded ones first."""
    return (*embedded.NAMES, *_catalog()["models"])


def dataset_facts(source: str) -> dict[str, Any]:
    """What the catalog knows of a hub dataset: subsets, splits, pairs; empty if nothing."""
    return dict(_catalog()["datasets"].get(source, {}))


def split_revision(name: str) -> tuple[str, str]:
    """`id@revision` as (id, revision); a local path keeps its `@`."""
    if Path(name).expanduser().exists():
        return name, ""
    model_id, _, revision = name.partition("@")
    return model_id, revision


def card(name: str) -> ModelCard:
    """What is known of a model by its name, catalog or not; nothing is loaded.

    Raises:
        BadInput: an `ivan/` name that does not exist.
    """
    model_id, _ = split_revision(name)
    if is_embedded(model_id):
        return embedded.card(model_id)
    if is_local(name):
        return ModelCard(id=model_id, parameters=parameters_in(Path(name).expanduser()))
    return ModelCard(id=model_id, **_catalog()["models"].get(model_id, {}))


def is_embedded(model_id: str) -> bool:
    return model_id.startswith("ivan/")


def is_local(name: str) -> bool:
    """Whether a model's name is a path rather than a hub id."""
    return Path(name).expanduser().exists() or name.startswith(("/", "./", "../", "~"))


def check_model(name: str) -> None:
    """What can be refused before any work.

    Raises:
        BadInput: the name is no catalog name, no hub id and no directory.
    """
    model_id, _ = split_revision(name)
    if is_embedded(model_id):
        embedded.read_head(model_id)
    elif is_local(name):
        if not (Path(name).expanduser() / "config.json").exists():
            raise BadInput(
                f"There is no model in {name}.",
                "A local model is a directory with config.json and weights.",
            )
    elif model_id.count("/") != 1 or any(c.isspace() for c in model_id):
        raise BadInput(
            f"{name!r} is neither in the catalog, nor a hub id, nor a directory.",
            f"The catalog has {', '.join(model_names())}.",
        )


def memory_bytes() -> int:
    """Main memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def has_gpu() -> bool:
    """Whether an NVIDIA driver is at work here; no CUDA library is loaded to find out."""
    return Path("/proc/driver/nvidia/version").exists() and any(Path("/dev").glob("nvidia[0-9]*"))


def fit(model: ModelCard) -> Fit:
    """Whether this machine can run a model, by size and memory."""
    if is_embedded(model.id):
        return Fit(True, "runs here, ships with IVAN")
    if model.parameters is None:
        return Fit(None, "size unknown")
    needed = model.parameters * 4 * 1.3
    if has_gpu():
        return Fit(True, "runs here on the GPU")
    if needed > memory_bytes() * 0.8:
        return Fit(False, f"needs about {needed / 2**30:.0f} GiB of memory or a GPU")
    download = "" if is_local(model.id) else "; download needed"
    return Fit(True, f"runs here on the CPU, slowly{download}")
