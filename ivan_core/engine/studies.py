"""Studies: runs on the same rows of the same dataset, and how far their four stages are.

A study begins with its first run, or when somebody takes pairs for it. Runs that were read of files
in one command are of one study, that of all of their rows, although each may have some of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.datasets.chosen_rows import choose_rows, rows_within
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import ODD_DATA, BadInput
from ivan_core.domain.reviews import Item, Queue, by_rule
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import DatasetRequest, RowsSpec
from ivan_core.domain.words import number_of
from ivan_core.engine import access, datasets, handling as runs
from ivan_core.engine.kind import experiments, kind_of, known
from ivan_core.engine.opened import read_by, study_rows
from ivan_core.experiments import EXPERIMENTS
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import data_dir

REVIEW = "Review"
STUDY = "study-"
"""What stands before the id of a study where it is asked for like a run."""
_RECENT_RUNS = 100
"""So many of the newest runs are looked through for studies to offer."""
_DONE = (RunState.DONE,)
_OTHERS = tuple(state for state in RunState if state is not RunState.DONE)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a study: how many pairs it has done (None: not begun) of how many.

    Of the reviews, items that have the opinions they need, of those that are asked for. `reworded`
    is how many pairs of a finished rewording got one; the others were looked at and cannot.
    `by_rules` says of reviews that rules alone have answered.
    """

    name: str
    done: int | None
    total: int
    reworded: int | None = None
    by_rules: bool = False

    @property
    def finished(self) -> bool:
        return self.done is not None and self.done >= self.total


@dataclass(frozen=True, slots=True)
class About:
    """What a study is about: one dataset, by its name and fingerprint, and a set of its rows.

    `spec` asks for just these rows of it.
    """

    id: str
    dataset: str
    fingerprint: str
    rows: int
    spec: RowsSpec

    @property
    def name(self) -> str:
        """As in "my-prefs.jsonl · 60 pairs"."""
        return f"{self.dataset} · {number_of(self.rows, 'pair')}"


@dataclass(frozen=True, slots=True)
class Study(About):
    """A study with the runs on its rows, newest first."""

    runs: tuple[str, ...]
    stages: tuple[Stage, ...]
    newest: Mapping[str, str]
    """The newest run of each kind that there is, by its kind."""


@dataclass(frozen=True, slots=True)
class _Joined:
    """A run and what its study is about."""

    run: Run
    about: About

    @property
    def study(self) -> str:
        return self.about.id


def take(spec: RowsSpec) -> About:
    """Begin a study with rows of a dataset that has been read here; one that is there is kept.

    Raises:
        BadInput: the dataset has not been read, or has no such rows.
        NotAllowed: the visitor may only read and review.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.READ)
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        raise BadInput(f"{spec.dataset.label} has not been read here yet.", "Have it read first.")
    request = runs.located_dataset(spec.dataset)
    rows = choose_rows(spec, dataset).row_ids
    about = About(
        _name_of(dataset.folder, rows),
        request.label,
        dataset.fingerprint,
        len(rows),
        _rows_only(spec).model_copy(update={"dataset": request}),
    )
    path = _taken_folder() / f"{about.id}.json"
    with storage_errors(data_dir()):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            content = {"fingerprint": about.fingerprint, "spec": about.spec.model_dump()}
            temporary.write_text(json.dumps(content), "utf-8")
    return about


def _taken_folder() -> Path:
    return data_dir() / "studies"


def _taken() -> Iterator[tuple[float, About]]:
    """Studies that somebody began by taking pairs, and when."""
    for path in _taken_folder().glob("*.json"):
        with suppress(OSError, *ODD_DATA):  # a damaged one is left out
            found = _taken_at(path, path.stat().st_mtime)
            if _label(_folder(found.fingerprint)) is not None:
                yield path.stat().st_mtime, found


@lru_cache(maxsize=256)
def _taken_at(path: Path, _: float) -> About:
    content = json.loads(path.read_text("utf-8"))
    spec = RowsSpec.model_validate(content["spec"])
    folder = _folder(str(content["fingerprint"]))
    rows = _row_set(folder, _rows_only(spec))
    if rows is None:
        raise ValueError("no such rows")
    return About(path.stem, spec.dataset.label, folder.name, rows[1], spec)


def abouts() -> list[About]:
    """What the studies of the newest runs, and those just begun, are about, the newest first."""
    recent = runs.registry().some(tuple(EXPERIMENTS), limit=_RECENT_RUNS)
    begun = [(one.run.created, one.about) for run in recent if (one := _joined(run))]
    newest: dict[str, About] = {}
    for _, about in sorted((*begun, *_taken()), key=lambda one: one[0], reverse=True):
        newest.setdefault(about.id, about)
    return list(newest.values())


def about(study_id: str) -> About | None:
    """What a study is about; None if there is none."""
    begun = next((one for _, one in _taken() if one.id == study_id), None)
    if begun is not None:
        return begun
    return next((one.about for one in _all_joined() if one.study == study_id), None)


def about_run(run_id: str) -> About | None:
    """What the study of a run is about; None before it has read its dataset.

    Raises:
        BadInput: there is no such run.
    """
    joined = _joined(runs.get(run_id))
    return joined.about if joined else None


def abouts_of(found: Iterable[Run]) -> dict[str, About]:
    """What the study of each of some runs is about, by the run's id; those that have read no
    dataset yet are left out."""
    return {one.run.id: one.about for one in map(_joined, found) if one is not None}


def runs_of(study_id: str) -> list[Run]:
    """The runs of a study, newest first; none where there is no such study."""
    return [joined.run for joined in _all_joined() if joined.study == study_id]


def whole_first(found: Iterable[Run]) -> list[Run]:
    """Some runs in their order, but those last that are about some of their rows only: they stand
    beside one about all of them and not for it, however new they are."""

    def of_some(run: Run) -> bool:
        covers = known(run).counts.covers
        return covers is not None and run.state is RunState.DONE and covers(run.id) is not None

    return sorted(found, key=of_some)


def with_runs(about: About, own: Sequence[Run]) -> Study:
    """A study with its runs, as `runs_of` gives them: how far its stages are.

    Raises:
        StorageProblem: reviews cannot be read.
    """
    done: dict[str, int | None] = {}
    for run in own:
        stage, pairs = kind_of(run).stage, _pairs_done(run, about)
        done[stage] = max(pairs, done.get(stage) or 0) or None
    reached = _reached(own)
    return Study(
        id=about.id,
        dataset=about.dataset,
        fingerprint=about.fingerprint,
        rows=about.rows,
        spec=about.spec,
        runs=tuple(run.id for run in own),
        newest={run.kind: run.id for run in reversed(own)},
        stages=(
            *(
                Stage(name, done.get(name), about.rows, reached.get(name))
                for name in dict.fromkeys(kind.stage for kind in experiments())
                if name
            ),
            _review(about),
        ),
    )


def studies() -> list[Study]:
    """All studies with runs, those with the newest run first.

    A run belongs to none before it has read its dataset, or once that was removed.
    """
    found: dict[str, list[_Joined]] = {}
    for joined in _all_joined():
        found.setdefault(joined.study, []).append(joined)
    return [with_runs(all_of[0].about, [one.run for one in all_of]) for all_of in found.values()]


def study_of(run_id: str) -> Study | None:
    """The study of a run; None before it has read its dataset.

    Raises:
        BadInput: there is no such run.
    """
    own = _joined(runs.get(run_id))
    if own is None:
        return None
    return with_runs(own.about, runs_of(own.study))


def _all_joined() -> list[_Joined]:
    """All runs that are part of a study, newest first."""
    registry = runs.registry()
    done = _joined_done(data_dir(), registry.stamp(tuple(EXPERIMENTS), _DONE), _datasets_stamp())
    named = {run.about.fingerprint for run in done}
    here = {one for one in named if _label(_folder(one)) is not None}
    others = (_joined(run) for run in registry.some(tuple(EXPERIMENTS), states=_OTHERS))
    found = [*(run for run in done if run.about.fingerprint in here)]
    found += [run for run in others if run]
    return sorted(found, key=lambda one: (one.run.created, one.run.id), reverse=True)


@lru_cache(maxsize=2)
def _joined_done(root: Path, stamp: object, datasets_stamp: object) -> list[_Joined]:
    """The finished runs as they were when the registry and the datasets had these stamps."""
    found = (_joined(run) for run in runs.registry().some(tuple(EXPERIMENTS), states=_DONE))
    return [one for one in found if one is not None]


def _reached(own: Sequence[Run]) -> dict[str, int | None]:
    """For how many pairs something came of the newest finished run of a stage, where that counts.

    A kind that takes pairs through all steps without a result tells.
    """
    found: dict[str, int | None] = {}
    for run in own:
        kind = kind_of(run)
        reached = kind.counts.reached
        if reached and run.state is RunState.DONE and kind.stage not in found:
            found[kind.stage] = reached(run.id)
    return found


def queues_on(about: About) -> list[tuple[Queue, list[Item]]]:
    """The queues that ask about rows of a study, newest first, each with those items; companions
    apart, which ask about random rows of the dataset.

    Raises:
        BadInput: the dataset is gone.
        StorageProblem: reviews cannot be read.
    """
    queues = Queues(data_dir())
    found = queues.all(about.fingerprint)
    first = {queue.companion for queue in found}
    own = [queue for queue in found if queue.id not in first]
    rows = _rows(about) if own else frozenset()
    asked = (
        (queue, [item for item in queues.items(queue.id) if item.row_id in rows]) for queue in own
    )
    return [(queue, items) for queue, items in asked if items]


def _rows(about: About) -> frozenset[int]:
    dataset = datasets.by_fingerprint(about.fingerprint)
    return frozenset(choose_rows(_rows_only(about.spec), dataset).row_ids)


def _review(about: About) -> Stage:
    """How many items of queues on these rows have the opinions they need."""
    total = done = 0
    names = set[str]()
    for queue, items in queues_on(about):
        names |= {opinion.reviewer for opinion in Opinions(data_dir()).all(queue.id)}
        given = Queues(data_dir()).given(queue)
        total += len(items)
        done += sum(given[item.row_id, item.side] >= queue.opinions for item in items)
    by_rules = bool(names) and all(map(by_rule, names))
    return Stage(REVIEW, done, total, None, by_rules) if total else Stage(REVIEW, None, about.rows)


def _pairs_done(run: Run, about: About) -> int:
    """Pairs that a run has taken through all of its steps, at least."""
    counts = kind_of(run).counts
    if run.state is not RunState.DONE:
        return min(about.rows, run.done // counts.weight(runs.any_spec_of(run)))
    covered = counts.covers(run.id) if counts.covers else None
    if covered is not None:
        return covered
    found = _about_on(_folder(about.fingerprint), about.dataset, run)
    return found[1] if found else about.rows


def _joined(run: Run) -> _Joined | None:
    """A run with what its study is about; None before its dataset was read, or once that was
    removed."""
    fingerprint = read_by(run)
    label = _label(_folder(fingerprint)) if fingerprint is not None else None
    if fingerprint is None or label is None:
        return None
    found = _about_on(_folder(fingerprint), label, run)
    return _Joined(run, found[0]) if found is not None else None


@lru_cache(maxsize=4096)
def _about_on(folder: Path, label: str, run: Run) -> tuple[About, int] | None:
    """What the study of a run on a dataset is about, and how many rows the run has; None if it was
    never asked for rows that are there."""
    try:
        spec = runs.any_spec_of(run)
    except runs.Damaged:
        return None
    if not isinstance(spec, RowsSpec):
        return None
    only = _rows_only(spec)
    own = _row_set(folder, only)
    if own is None:
        return None
    came_with = study_rows(run.id)
    if came_with is not None and rows_within(only, came_with, PreparedDataset(folder)):
        only = came_with
    rows = _row_set(folder, only) or own
    only = only.model_copy(update={"dataset": spec.dataset})
    return About(rows[0], label, folder.name, rows[1], only), own[1]


def _datasets_stamp() -> object:
    """Something that changes when a dataset comes or goes: one may come back."""
    with suppress(OSError):
        return (data_dir() / "datasets").stat().st_mtime_ns
    return None


def _folder(fingerprint: str) -> Path:
    return data_dir() / "datasets" / fingerprint


def _label(folder: Path) -> str | None:
    """What a dataset is called; None if it is gone, or its card is damaged."""
    try:
        return _label_at(folder, (folder / "dataset.json").stat().st_mtime_ns)
    except (OSError, *ODD_DATA):
        return None


@lru_cache(maxsize=256)
def _label_at(folder: Path, _: int) -> str:
    return DatasetRequest(**PreparedDataset(folder).about["request"]).label


def id_of(spec: RowsSpec) -> str | None:
    """The study that is about some rows, whether it has begun or not; None before their dataset was
    read here, and where it has no such rows.
    """
    dataset = datasets.find(spec.dataset)
    if dataset is None:
        return None
    rows = _row_set(dataset.folder, _rows_only(spec))
    return rows[0] if rows else None


def _rows_only(spec: RowsSpec) -> RowsSpec:
    """What of a spec decides the rows."""
    seed = spec.seed if spec.sample else 0
    return RowsSpec(limit=spec.limit, sample=spec.sample, row_ids=spec.row_ids, seed=seed)


@lru_cache(maxsize=1024)
def _row_set(folder: Path, spec: RowsSpec) -> tuple[str, int] | None:
    """The name of a set of rows, equal for equal rows of one dataset, and its size."""
    try:
        row_ids = choose_rows(spec, PreparedDataset(folder)).row_ids
    except (BadInput, *ODD_DATA):  # a run that failed for its row ids is about no rows
        return None
    return _name_of(folder, row_ids), len(row_ids)


def _name_of(folder: Path, row_ids: Sequence[int]) -> str:
    return sha256(f"{folder.name}|{','.join(map(str, row_ids))}".encode()).hexdigest()[:16]
