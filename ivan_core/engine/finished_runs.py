"""The finished runs of a kind, and which dataset each read, remembered between visits.

With thousands of runs nobody can look into every folder each time a page is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ivan_core.domain.runs import Run, RunState
from ivan_core.engine import datasets, handling as runs
from ivan_core.settings import data_dir

_DONE = (RunState.DONE,)


def finished(kinds: Sequence[str], content: str | None = None) -> list[Run]:
    """The finished runs of some kinds, newest first; on one dataset's pairs if one is named.

    `content` is the content of a dataset, as its card gives it. Of the runs on a dataset those are
    left out whose dataset is gone, or whose manifest is damaged; of all, those of which the
    registry does not tell what they were asked to do.
    """
    known = _known(tuple(kinds))
    if content is None:
        return [run for run, _ in known]
    fitting = {
        one for one in {one for _, one in known} if one and datasets.content_of(one) == content
    }
    return [run for run, fingerprint in known if fingerprint in fitting]


def datasets_of(*kinds: str) -> list[str]:
    """The fingerprints of the datasets that finished runs read, that of the newest first."""
    return list(dict.fromkeys(fingerprint for _, fingerprint in _known(kinds) if fingerprint))


def dataset_of(run_id: str) -> str | None:
    """The fingerprint of the dataset that a finished run read; None without a whole manifest."""
    folder = data_dir() / "runs" / run_id
    try:
        # The folder's number: a run that was deleted and imported again lies in another one.
        return _fingerprint(folder, folder.stat().st_ino)
    except (_Unknown, FileNotFoundError):
        return None


def _known(kinds: tuple[str, ...]) -> list[tuple[Run, str | None]]:
    return _at(data_dir(), kinds, runs.registry().stamp(kinds, _DONE))


@lru_cache(maxsize=8)
def _at(root: Path, kinds: tuple[str, ...], stamp: object) -> list[tuple[Run, str | None]]:
    """Runs as they were when the registry had a stamp."""
    found = []
    for run in runs.registry().some(kinds, states=_DONE):
        with suppress(runs.Damaged):
            runs.any_spec_of(run)
            found.append((run, dataset_of(run.id)))
    return found


class _Unknown(Exception):
    """No whole manifest tells; raised rather than returned, so that it is not remembered."""


@lru_cache(maxsize=65_536)
def _fingerprint(folder: Path, _: int) -> str:
    try:
        manifest = runs.manifest(folder.name)
    except runs.Damaged:
        manifest = None
    if manifest is None:
        raise _Unknown
    return str(manifest["dataset"]["fingerprint"])
