"""Rows of a layout, read from a file end to end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from given.layouts.published import save
from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.transcripts import Role

Messages = tuple[tuple[Role, str], ...]


def read(
    folder: Path, rows: Sequence[Any], ending: str = ".jsonl", layout: str = ""
) -> PreparedDataset:
    """The dataset of a file with these rows."""
    path = save(folder / f"rows{ending}", rows)
    return prepare(folder / "data", DatasetRequest(source=str(path), layout=layout))


def told(dataset: PreparedDataset) -> list[tuple[Messages, Messages]]:
    """The messages of both sides of each pair."""
    pairs = dataset.pairs(range(dataset.rows))
    return [(pair.chosen.messages, pair.rejected.messages) for pair in pairs]


def bad(dataset: PreparedDataset) -> dict[int, str]:
    """Why lines are no pairs, by their numbers."""
    return dict(dataset.about["bad_lines_named"])
