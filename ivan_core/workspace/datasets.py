"""Datasets as people handle them: the sample, what has been prepared, what a run read."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from ivan_core.datasets.prepare import find_prepared, prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.sources import check_source
from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.settings import data_dir


def find(request: DatasetRequest) -> PreparedDataset | None:
    """The prepared dataset of a request; the sample on the spot, others after their first run.

    Raises:
        BadInput: the request makes no sense (no such file, options that do not fit).
    """
    check_source(request)
    if request.source == "sample":
        return prepare(data_dir(), request)
    return find_prepared(data_dir(), request)


def by_fingerprint(fingerprint: str) -> PreparedDataset:
    """A dataset by the name of its folder.

    Raises:
        BadInput: it is gone.
    """
    dataset = _open(data_dir() / "datasets" / fingerprint)
    if dataset is None:
        raise BadInput(
            "The texts of this run's dataset are no longer in the data folder.",
            "Run the same comparison again to read them anew.",
        )
    return dataset


@lru_cache(maxsize=16)
def _open(folder: Path) -> PreparedDataset | None:
    return PreparedDataset(folder) if (folder / "dataset.json").exists() else None


def known() -> list[DatasetRequest]:
    """Every request that has been prepared here and still can be read, by label."""
    found: dict[str, DatasetRequest] = {}
    for pointer in sorted((data_dir() / "datasets" / "requests").glob("*.json")):
        content = json.loads(pointer.read_text("utf-8"))
        if (data_dir() / "datasets" / content.pop("fingerprint") / "dataset.json").exists():
            request = DatasetRequest(**content)
            found[request.label] = request
    return list(found.values())
