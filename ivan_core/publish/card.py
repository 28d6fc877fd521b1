"""The card of a repository: what the hub and `datasets` read of it, and what people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ivan_core.domain.words import one_line
from ivan_core.publish.forms import Part
from ivan_core.publish.licences import identifiers
from ivan_core.publish.markdown import words

NAME = "README.md"
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
_LARGEST = "100M<n<1B"
_MOST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Told:
    """What a card tells: its title in plain words, then Markdown under heads that are plain too."""

    title: str
    lead: Sequence[str]
    sections: Mapping[str, Sequence[str]]
    licence: str
    tags: Sequence[str]


def card(told: Told, parts: Sequence[Part]) -> str:
    """The whole card: a head for machines, then the page."""
    blocks = [f"# {words(told.title, _MOST_TITLE)}", *told.lead]
    for head, own in told.sections.items():
        blocks += [f"## {words(head)}", *own]
    return "\n\n".join([f"---\n{_head(told, parts)}\n---", *blocks]) + "\n"


def _head(told: Told, parts: Sequence[Part]) -> str:
    """The head as YAML: names and words from outside are quoted by what writes it."""
    from huggingface_hub import DatasetCardData

    facts: dict[str, Any] = {
        "pretty_name": one_line(told.title, _MOST_TITLE),
        "tags": list(told.tags),
        "size_categories": [size_category(max(part.rows for part in parts))],
        "configs": [_config(part, first=part is parts[0]) for part in parts],
        # A list that stands twice in a file would be written as a reference, which nobody reads.
        "dataset_info": deepcopy(
            [{"config_name": part.name, "features": part.features} for part in parts]
        ),
    }
    if licences := identifiers(told.licence):
        facts["license"] = licences if len(licences) > 1 else licences[0]
    return str(DatasetCardData(**facts).to_yaml()).rstrip()


def _config(part: Part, *, first: bool) -> dict[str, Any]:
    files = [{"split": part.split, "path": part.place}]
    default = {"default": True} if first else {}
    return {"config_name": part.name, **default, "data_files": files}


def size_category(rows: int) -> str:
    """How the hub names so many rows."""
    return next((name for most, name in _SIZES if rows < most), _LARGEST)
