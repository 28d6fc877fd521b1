"""Studies: runs on the same rows of the same dataset, and how far their four stages are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from ivan_core.annotations.queues import Queues
from ivan_core.datasets.prepared import PreparedDataset, choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import alike, experiments, kind_of
from ivan_core.engine.opened import dataset_of
from ivan_core.engine.work import BEGUN
from ivan_core.experiments import EXPERIMENTS
from ivan_core.runs.context import Parts
from ivan_core.settings import data_dir

REVIEW = "Review"
_DONE = (RunState.DONE,)
_OTHERS = tuple(state for state in RunState if state is not RunState.DONE)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a study: how many pairs it has done (None: not begun) of how many.

    Of the reviews, items that have the opinions they need, of those that are asked for. `reworded`
    is how many pairs of a finished rewording got one; the others were looked at and cannot.
    """

    name: str
    done: int | None
    total: int
    reworded: int | None = None

    @property
    def finished(self) -> bool:
        return self.done is not None and self.done >= self.total

    @property
    def sentence(self) -> str:
        """As in "Compare ✓ 480", "Reworded ✓ 298 of 480 pairs", "Compare 120/480" or "Labels –"."""
        if self.done is None:
            return f"{self.name} –"
        if self.finished and self.reworded is not None and self.reworded < self.total:
            return f"{self.name} ✓ {self.reworded:,} of {self.total:,} pairs"
        count = f"✓ {self.done:,}" if self.finished else f"{self.done:,}/{self.total:,}"
        return f"{self.name} {count}"


@dataclass(frozen=True, slots=True)
class Study:
    """One dataset and one set of its rows, with the runs on them, newest first."""

    id: str
    dataset: str
    fingerprint: str
    rows: int
    runs: tuple[str, ...]
    stages: tuple[Stage, ...]
    newest: Mapping[str, str]
    """The newest run of each kind that there is, by its kind."""

    @property
    def sentence(self) -> str:
        return " · ".join(stage.sentence for stage in self.stages)


@dataclass(frozen=True, slots=True)
class _Joined:
    """A run and the rows it is about."""

    run: Run
    study: str
    label: str
    fingerprint: str
    rows: int


def studies() -> list[Study]:
    """All studies, those with the newest run first.

    A run belongs to none before it has read its dataset, or once that was removed.
    """
    found: dict[str, list[_Joined]] = {}
    for joined in _all_joined():
        found.setdefault(joined.study, []).append(joined)
    return [_study(study_id, joined) for study_id, joined in found.items()]


def study_of(run_id: str) -> Study | None:
    """The study of a run; None before it has read its dataset.

    Raises:
        BadInput: there is no such run.
    """
    own = _joined(runs.get(run_id))
    if own is None:
        return None
    return _study(own.study, [one for one in _all_joined() if one.study == own.study])


def _all_joined() -> list[_Joined]:
    """All runs that are part of a study, newest first."""
    registry = runs.registry()
    done = _joined_done(data_dir(), registry.stamp(tuple(EXPERIMENTS), _DONE))
    here = {one for one in {run.fingerprint for run in done} if _label(_folder(one)) is not None}
    others = (_joined(run) for run in registry.some(tuple(EXPERIMENTS), states=_OTHERS))
    found = [*(run for run in done if run.fingerprint in here), *(run for run in others if run)]
    return sorted(found, key=lambda one: (one.run.created, one.run.id), reverse=True)


@lru_cache(maxsize=2)
def _joined_done(root: Path, stamp: object) -> list[_Joined]:
    """The finished runs as they were when the registry had a stamp."""
    found = (_joined(run) for run in runs.registry().some(tuple(EXPERIMENTS), states=_DONE))
    return [one for one in found if one is not None]


def beside(first: str, second: str) -> str:
    """Two runs of one kind on the rows they share, in words.

    Raises:
        BadInput: there is no such run or nothing is finished, it is the same run twice, the runs
            have no row in common, or runs of their kinds are not set beside each other.
    """
    if first == second:
        raise BadInput(f"{first} was named twice.", "Name two runs.")
    one, other = kind_of(runs.get(first)), kind_of(runs.get(second))
    if other.name not in alike(one.name):
        raise BadInput(
            f"Run {first} is a {one.noun}, run {second} is a {other.noun}.",
            "Name two runs of one kind.",
        )
    if one.beside is None:
        raise BadInput(
            f"Run {first} is a {one.noun}, which is set beside no other in words.",
            f"Open both on the page {one.page.capitalize()}." if one.page else "Name other runs.",
        )
    return one.beside(first, second)


def _study(study_id: str, joined: list[_Joined]) -> Study:
    one = joined[0]
    done: dict[str, int | None] = {}
    for entry in joined:
        stage, pairs = kind_of(entry.run).stage, _pairs_done(entry)
        done[stage] = max(pairs, done.get(stage) or 0) or None
    reached = _reached(joined)
    return Study(
        id=study_id,
        dataset=one.label,
        fingerprint=one.fingerprint,
        rows=one.rows,
        runs=tuple(entry.run.id for entry in joined),
        newest={entry.run.kind: entry.run.id for entry in reversed(joined)},
        stages=(
            *(
                Stage(name, done.get(name), one.rows, reached.get(name))
                for name in dict.fromkeys(kind.stage for kind in experiments())
                if name
            ),
            _review(one),
        ),
    )


def _reached(joined: list[_Joined]) -> dict[str, int | None]:
    """For how many pairs something came of the newest finished run of a stage, where that counts.

    A kind that takes pairs through all steps without a result tells.
    """
    found: dict[str, int | None] = {}
    for entry in joined:
        kind = kind_of(entry.run)
        if kind.reached and entry.run.state is RunState.DONE and kind.stage not in found:
            found[kind.stage] = kind.reached(entry.run.id)
    return found


def _review(joined: _Joined) -> Stage:
    """How many items of queues on these rows have the opinions they need; companions apart."""
    queues = Queues(data_dir())
    found = queues.all(joined.fingerprint)
    first = {queue.companion for queue in found}
    spec = runs.any_spec_of(joined.run)
    total = done = 0
    if found and isinstance(spec, RowsSpec):
        dataset = PreparedDataset(data_dir() / "datasets" / joined.fingerprint)
        rows = set(choose_rows(_rows_only(spec), dataset).row_ids)
        for queue in found:
            if queue.id in first:
                continue
            items = [item for item in queues.items(queue.id) if item.row_id in rows]
            given = queues.given(queue)
            total += len(items)
            done += sum(given[item.row_id, item.side] >= queue.opinions for item in items)
    return Stage(REVIEW, done, total) if total else Stage(REVIEW, None, joined.rows)


def _pairs_done(joined: _Joined) -> int:
    """Pairs that a run has taken through all of its steps, at least."""
    if joined.run.state is RunState.DONE:
        return joined.rows
    spec = runs.any_spec_of(joined.run)
    return min(joined.rows, joined.run.done // kind_of(joined.run).weight(spec))


def _joined(run: Run) -> _Joined | None:
    fingerprint = dataset_of(run.id) or _begun_with(run)
    if fingerprint is None:
        return None
    folder = _folder(fingerprint)
    label = _label(folder)
    if label is None:
        return None
    try:
        spec = runs.any_spec_of(run)
    except runs.Damaged:
        return None
    rows = _row_set(folder, _rows_only(spec)) if isinstance(spec, RowsSpec) else None
    return _Joined(run, rows[0], label, fingerprint, rows[1]) if rows else None


def _folder(fingerprint: str) -> Path:
    return data_dir() / "datasets" / fingerprint


def _label(folder: Path) -> str | None:
    """What a dataset is called; None if it is gone."""
    try:
        return _label_at(folder, (folder / "dataset.json").stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=256)
def _label_at(folder: Path, _: int) -> str:
    return str(PreparedDataset(folder).about["label"])


def _begun_with(run: Run) -> str | None:
    """The dataset that a run without a manifest has read; None if it has not yet."""
    folder = data_dir() / "runs" / run.id
    try:
        return _begun_at(folder, (folder / "parts.jsonl").stat().st_ino)
    except (_NotBegun, FileNotFoundError):
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


def _rows_only(spec: RowsSpec) -> RowsSpec:
    """What of a spec decides the rows."""
    seed = spec.seed if spec.sample else 0
    return RowsSpec(limit=spec.limit, sample=spec.sample, row_ids=spec.row_ids, seed=seed)


@lru_cache(maxsize=1024)
def _row_set(folder: Path, spec: RowsSpec) -> tuple[str, int] | None:
    """The name of a set of rows, equal for equal rows of one dataset, and its size."""
    try:
        row_ids = choose_rows(spec, PreparedDataset(folder)).row_ids
    except BadInput:  # a run that failed for its row ids is about no rows
        return None
    name = sha256(f"{folder.name}|{','.join(map(str, row_ids))}".encode()).hexdigest()[:16]
    return name, len(row_ids)
