"""OpenAI's models: which are offered, how they count tokens and reason, when they are shut down."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

_DATED = re.compile(r"-(\d.*|preview)")


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """Models whose names begin alike.

    `encoding` is how they cut text into tokens, only `assumed` for some; `effort` is the least
    reasoning they accept, empty where they do not reason.
    """

    prefix: str
    encoding: str
    effort: str = ""
    assumed: bool = False


def model_family(model: str) -> ModelFamily | None:
    """The family of a model by the longest prefix; None for a model of another provider."""
    known = [family for family in _families() if model.startswith(family.prefix)]
    return max(known, key=lambda family: len(family.prefix), default=None)


def least_effort(model: str) -> str:
    """The least reasoning that a model accepts; empty for one that does not reason."""
    family = model_family(model)
    return family.effort if family is not None else ""


def shutdown(model: str) -> date | None:
    """The day after which the provider no longer serves the model; None if none is known."""
    ends: dict[str, date] = _table()["shutdown"]
    for name, day in ends.items():
        if model == name or (model.startswith(name) and _DATED.fullmatch(model[len(name) :])):
            return day
    return None


def suggested_models() -> tuple[str, ...]:
    """Models to offer, the default first."""
    return tuple(_table()["suggested"])


def default_model() -> str:
    """The model that is used where none is named."""
    return suggested_models()[0]


@lru_cache(maxsize=1)
def _families() -> tuple[ModelFamily, ...]:
    return tuple(ModelFamily(**entry) for entry in _table()["families"])


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    text = files("ivan_core.backends.openai").joinpath("models.toml").read_text("utf-8")
    return tomllib.loads(text)
