"""Results of runs as they are opened: each kind reads its own, the checks and the memory are one.

Results are those of the whole run once it is done, and before that of what it has finished. Which
dataset each run read is remembered too: with thousands of runs nobody can look into every
folder each time a page is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from ivan_core.datasets.prepare import find_prepared
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import RowsSpec
from ivan_core.domain.words import number_of
from ivan_core.engine import datasets, handling as runs
from ivan_core.engine.kind import OfRows, alike, kind_of
from ivan_core.engine.work import BEGUN
from ivan_core.runs.context import Parts
from ivan_core.settings import data_dir

STUDY = "study"
"""Where a manifest says which rows the study has that a run came with, if not just its own."""
_Results = TypeVar("_Results")
Stamp = tuple[Path, str, float | None, int, tuple[int, int] | None]
"""What tells the results of a run from those that it had before: see `stamp_of`."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a kind reads its results from. `whole` says that the run's tables are written."""

    run: Run
    spec: Any
    folder: Path
    manifest: dict[str, Any] | None
    whole: bool

    @property
    def parts(self) -> Parts:
        """What the run has kept so far."""
        return Parts(self.folder)

    @property
    def dataset(self) -> PreparedDataset:
        """What the run read, not what its source holds now: that may have changed or gone.

        Raises:
            BadInput: it has read nothing yet, or what it read is gone.
        """
        if self.whole and self.manifest is not None:
            return datasets.by_fingerprint(self.manifest["dataset"]["fingerprint"])
        parts = self.parts
        if BEGUN not in parts:
            raise nothing_yet(self.run)
        return datasets.by_fingerprint(parts.rows(BEGUN)[0]["dataset"])


class Opener(Generic[_Results]):
    """Opens the results of runs of one kind by their ids, and keeps the `keep` opened last.

    `read` makes the results, or raises `nothing_yet`; `table` is the file without which a run is
    not whole. Results are read anew once the stamp of their run is another.
    """

    def __init__(
        self, kind: str, read: Callable[[Found], _Results], *, table: str, keep: int
    ) -> None:
        self._kind, self._read, self._table = kind, read, table
        self._kept = lru_cache(maxsize=keep)(self._open)
        self.cache_clear = self._kept.cache_clear

    def __call__(self, run_id: str) -> _Results:
        """The results of a run, as far as it is.

        Raises:
            BadInput: there is no such run, it is of another kind, or nothing is finished yet.
            Damaged: files of a finished run are gone, or make no sense.
        """
        run = runs.get(run_id)
        if run.state is not RunState.DAMAGED and run.kind not in alike(self._kind):
            raise runs.other_kind(run, self._kind)
        return self._kept(stamp_of(run))

    def on_pairs(self, content: str) -> Iterator[_Results]:
        """The results on the pairs of a dataset, newest first; damaged ones are left out."""
        return runs.opened(runs_of(self._kind, content), self)

    def _open(self, stamp: Stamp) -> _Results:
        root, run_id, *_ = stamp
        run = runs.get(run_id)
        spec, manifest = runs.any_spec_of(run), runs.manifest(run_id)
        folder = root / "runs" / run_id
        written = manifest is not None and (folder / self._table).exists()
        whole = run.state is RunState.DONE or written
        with runs.whole(run_id, "manifest"):
            if whole and manifest is None:
                raise FileNotFoundError
        results = self._read(Found(run, spec, folder, manifest, whole))
        _give_back()
        return results


def _give_back() -> None:
    """Give memory back that reading tables took: Arrow keeps it, which may be as much again."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def stamp_of(run: Run) -> Stamp:
    """What changes once a run has gone on, or was deleted and imported again.

    All that the registry tells of it may then be as before, so its manifest counts too. Whatever
    remembers what it made of a run's results goes by this, as their opener does.
    """
    ended = None if run.state.live else run.finished
    return data_dir(), run.id, ended, run.done, _written(run.id)


def _written(run_id: str) -> tuple[int, int] | None:
    """Which file the manifest of a run is, and of when; None where there is none."""
    try:
        found = (data_dir() / "runs" / run_id / "manifest.json").stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def nothing_yet(run: Run, what: str = "results") -> BadInput:
    """The error that nothing of a run is finished yet."""
    what_to_do = "Wait for it" if run.state.live else "Resume it"
    return BadInput(f"Run {run.id} has no {what} yet.", f"{what_to_do}, or start another one.")


def runs_of(kind: str, content: str | None = None) -> list[Run]:
    """The finished runs that end with what a kind ends with, newest first.

    `content` is the content of a dataset, as its card gives it: then those on its pairs alone.
    """
    return finished(alike(kind), content)


def named_runs(kind: str) -> Callable[[str], dict[str, str]]:
    """What the runs of `runs_of` on the pairs of a dataset are called, by id, newest first."""
    return lambda content: {run.id: f"run {run.label}" for run in runs_of(kind, content)}


def shared_pairs(ours: OfRows, theirs: OfRows) -> str:
    """How many pairs the results of two runs share, in words, as in "all 40 pairs".

    Raises:
        BadInput: the runs are about different datasets, or share no pair.
    """
    one, other = runs.names_apart(ours.run.id, theirs.run.id)
    if ours.content != theirs.content:
        raise BadInput(
            f"{one} is about {ours.dataset.about['label']}, {other} about "
            f"{theirs.dataset.about['label']}, which holds other pairs.",
            "Only runs on the same dataset can be set beside each other pair by pair.",
        )
    mine, others = set(ours.row_ids), set(theirs.row_ids)
    shared = len(mine & others)
    if not shared:
        raise BadInput(f"{one} and {other} share no pairs.", "Do the same pairs again.")
    if shared == len(mine) == len(others):
        return f"all {number_of(shared, 'pair')}"
    return f"{number_of(shared, 'pair')} (of {len(mine):,} and {len(others):,})"


def with_row(content: str, row_id: int, *, kind: str) -> str | None:
    """The newest finished run of a kind that has a row of these pairs; None if there is none."""
    open_one = kind_of(kind).open
    found = runs.opened(runs_of(kind, content), open_one) if open_one is not None else ()
    return next((one.run.id for one in found if row_id in one.row_ids), None)


def files(manifest: Mapping[str, Any] | None, own: Iterable[Path] = ()) -> list[Path]:
    """The files of a finished run for people, then its own; those that are still there."""
    if manifest is None:
        return []
    named = [data_dir() / name for name in manifest.get("files", ())]
    return [path for path in (*named, *own) if path.exists()]


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
        return _of_manifest(folder, folder.stat().st_ino)[0]
    except (_Unknown, FileNotFoundError):
        return None


def study_rows(run_id: str) -> RowsSpec | None:
    """The rows of the study that a finished run came with from elsewhere, if not just its own."""
    folder = data_dir() / "runs" / run_id
    try:
        return _of_manifest(folder, folder.stat().st_ino)[1]
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
def _of_manifest(folder: Path, _: int) -> tuple[str, RowsSpec | None]:
    """The dataset that a run read, and the rows of the study that it came with."""
    try:
        manifest = runs.manifest(folder.name)
    except runs.Damaged:
        manifest = None
    if manifest is None:
        raise _Unknown
    rows = None
    with suppress(ValidationError):  # of a manifest that somebody else wrote
        rows = RowsSpec(**manifest[STUDY]) if isinstance(manifest.get(STUDY), dict) else None
    return str(manifest["dataset"]["fingerprint"]), rows


def read_by(run: Run) -> str | None:
    """The dataset of a run, by its fingerprint: that which it has read, else the one it asks for,
    where it was read here before; None if there is neither."""
    with suppress(_NotBegun):
        return _read_at(data_dir(), run.id, run.created)
    return _asked_for(run)


@lru_cache(maxsize=4096)
def _read_at(_: Path, run_id: str, __: float) -> str:
    """The dataset that a run has read, which never changes once it has.

    Raises:
        _NotBegun: it has not.
    """
    found = dataset_of(run_id) or _begun_with(run_id)
    if found is None:
        raise _NotBegun
    return found


def _begun_with(run_id: str) -> str | None:
    """The dataset that a run without a manifest has read; None if it has not yet."""
    folder = data_dir() / "runs" / run_id
    try:
        return _begun_at(folder, (folder / "parts.jsonl").stat().st_ino)
    except (_NotBegun, FileNotFoundError):
        return None


def _asked_for(run: Run) -> str | None:
    """The dataset that a run asks for, where it was read here before the run has read it."""
    with suppress(BadInput):
        spec = runs.any_spec_of(run)
        found = find_prepared(data_dir(), spec.dataset) if isinstance(spec, RowsSpec) else None
        return found.fingerprint if found is not None else None
    return None


class _NotBegun(Exception):
    """The run has not read its dataset; raised rather than returned, so that it is not cached."""


@lru_cache(maxsize=4096)
def _begun_at(folder: Path, _: int) -> str:
    """The dataset that a run began with, which never changes."""
    parts = Parts(folder)
    if BEGUN not in parts:
        raise _NotBegun
    return str(parts.rows(BEGUN)[0]["dataset"])
