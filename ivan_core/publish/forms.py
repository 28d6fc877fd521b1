"""The files that are published: formats that the hub reads as tables, and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivan_core.domain.pairs import SIDES
from ivan_core.interchange.content import Content

Feature = dict[str, Any]
_DTYPES: dict[type, str] = {bool: "bool", int: "int64", float: "float64", str: "string"}


def feature(name: str, kind: type) -> Feature:
    """A column of plain values, as `datasets` has it on a card."""
    return {"name": name, "dtype": _DTYPES.get(kind, "string")}


def _messages(name: str) -> Feature:
    return {"name": name, "list": [feature("role", str), feature("content", str)]}


@dataclass(frozen=True, slots=True)
class Form:
    """The columns that a format has of its own, and what they hold; with `beside` others follow."""

    texts: Mapping[str, bool]
    """The columns with texts; whether each is a list of chat messages."""
    values: Mapping[str, type] = field(default_factory=dict)
    beside: bool = True

    def features(self, content: Content) -> list[Feature]:
        """All columns of such a file, in their order."""
        found = [
            _messages(name) if whole else feature(name, str) for name, whole in self.texts.items()
        ]
        kinds = {**self.values, **(content.columns if self.beside else {})}
        return [*found, *(feature(name, kind) for name, kind in kinds.items())]


_THREE = ("prompt", *SIDES)
_SCORES = {f"score_{side}": float for side in SIDES}
FORMS: Mapping[str, Form] = {
    "dpo": Form(dict.fromkeys(_THREE, True)),
    "trl-standard": Form(dict.fromkeys(_THREE, False)),
    "kto": Form({"prompt": True, "completion": True}, {"label": bool}),
    "reward-trainer": Form(dict.fromkeys(SIDES, True)),
    "hh-rlhf": Form(dict.fromkeys(SIDES, False), beside=False),
    "csv": Form(dict.fromkeys(SIDES, False), _SCORES),
    "parquet": Form(dict.fromkeys(SIDES, True), _SCORES),
}
"""The formats that `datasets` reads as a table, by the names of `ivan export`."""


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the repository: one file, which the card names so that it loads by itself.

    `place` is its path there, `path` where it lies here, `rows` counts lines or rows of it.
    """

    name: str
    split: str
    path: Path
    place: str
    rows: int
    features: list[Feature]

    @property
    def bytes(self) -> int:
        return self.path.stat().st_size
