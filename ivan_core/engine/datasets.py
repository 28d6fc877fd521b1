"""Datasets as people handle them: the sample, what has been prepared, what a run read."""

from __future__ import annotations

import json
from contextlib import suppress

from ivan_core import catalog
from ivan_core.datasets.prepare import find_prepared, prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.sources import SAMPLE, check_source
from ivan_core.domain.errors import ODD_DATA, BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access
from ivan_core.runs.storage import can_only_be_read
from ivan_core.settings import data_dir


def find(request: DatasetRequest) -> PreparedDataset | None:
    """The prepared dataset of a request; the sample on the spot, others after their first run.

    Where nothing can be written the sample too is there only if it was prepared before.

    Raises:
        BadInput: the request makes no sense (no such file, options that do not fit).
        NotAllowed: it is not known here, and the visitor may not name files outside.
    """
    if not catalog.dataset_facts(request.source):
        access.check_name(request.source, _known_sources)
    check_source(request)
    found = find_prepared(data_dir(), request)
    if found is None and request.source == SAMPLE and not can_only_be_read(data_dir()):
        return prepare(data_dir(), request)
    return found


def by_fingerprint(fingerprint: str) -> PreparedDataset:
    """A dataset by the name of its folder.

    Raises:
        BadInput: it is gone.
    """
    folder = data_dir() / "datasets" / fingerprint
    if not (folder / "dataset.json").exists():
        raise BadInput(
            "The texts of this run's dataset are no longer in the data folder.",
            "Run the same comparison again to read them anew.",
        )
    return PreparedDataset(folder)


def known() -> list[DatasetRequest]:
    """Every request that has been prepared here and still can be read, each once, by label."""
    found: set[DatasetRequest] = set()
    for pointer in (data_dir() / "datasets" / "requests").glob("*.json"):
        with suppress(OSError, *ODD_DATA):  # a damaged one is left out
            content = json.loads(pointer.read_text("utf-8"))
            if (data_dir() / "datasets" / content.pop("fingerprint") / "dataset.json").exists():
                found.add(DatasetRequest(**content))
    return sorted(found, key=lambda one: (one.label, one.model_dump_json()))


def _known_sources() -> set[str]:
    return {SAMPLE, *(request.source for request in known())}


def content_of(fingerprint: str) -> str | None:
    """Which pairs a dataset holds, equal for equal pairs; None once it was removed."""
    try:
        return str(by_fingerprint(fingerprint).about["content"])
    except BadInput:
        return None
