"""Finished runs that were made elsewhere: checked, then entered as if they had been made here."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import DatasetRequest, RowsSpec
from ivan_core.engine import datasets, handling as runs
from ivan_core.engine.kind import kind_for
from ivan_core.engine.work import BEGUN, dataset_facts, write_manifest, write_table
from ivan_core.runs.context import Parts
from ivan_core.runs.storage import storage_errors
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
SLUG = "run"
"""How files for people begin before the run has an id."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A run that was entered: its id here, who judged or labelled, and what a reader should see.

    `rows` counts pairs.
    """

    run_id: str
    rows: int
    models: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        told = f"Imported run {self.run_id}: {self.rows:,} pairs, {', '.join(self.models)}."
        return " ".join([told, *self.notes])


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a run: its files for people, and what the manifest says of its kind.

    The paths are those of the manifest, in folders of the data folder; each file's name begins with
    `SLUG`, in place of an id that is not known yet.
    """

    files: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a run that was made elsewhere: read and checked, but not yet written here.

    `who` judged, labelled or reworded; `rows` counts pairs. `done` of `total` units of work count
    as done, all where no total is given. `facts` are units of the run's parts, by their keys, and
    `tables` go into its folder, by their names. `write` is given a folder that stands for the data
    folder, with the run's own in it as `SLUG` and those in that, and writes the rest. `last`, if it
    is given, writes into the run's own folder what names the files as they are called in the end.
    """

    who: tuple[str, ...]
    rows: int
    done: int
    write: Callable[[Path], Written] = lambda _: Written()
    notes: tuple[str, ...] = ()
    total: int | None = None
    chunk: int = 256
    facts: Mapping[str, list[Any]] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    last: Callable[[Path, list[str]], None] | None = None


@dataclass(frozen=True)
class Elsewhere:
    """All that is needed to enter a run; its id is a new one if it is empty or taken.

    `manifest` holds what is kept of the run beside what is written here, `notes` what was noted
    where it was made.
    """

    spec: RowsSpec
    dataset: PreparedDataset
    came: Came
    manifest: Mapping[str, Any]
    created: float
    finished: float
    id: str = ""
    name: str = ""
    started: float | None = None
    computed: int = 0
    notes: tuple[str, ...] = ()


def read_dataset(request: DatasetRequest) -> DatasetRequest:
    """Read a dataset into the data folder, so that a run on it can be imported; its whole request.

    Raises:
        IvanError: it cannot be had.
    """
    whole = located(request)
    prepare(data_dir(), whole)
    return whole


def located(request: DatasetRequest) -> DatasetRequest:
    """The request with a whole path."""
    return runs.located_dataset(request)


def named_dataset(request: DatasetRequest) -> PreparedDataset:
    """The dataset that a person named for an import.

    Raises:
        BadInput: there is no such dataset, or it has not been read on this machine.
    """
    found = datasets.find(located(request))
    if found is None:
        raise BadInput(
            f"{request.label} has not been read on this machine yet.",
            "Compare a few of its pairs first: that reads it.",
        )
    return found


def dataset_of(
    spec: RowsSpec, fingerprint: str, content: str, asked: DatasetRequest | None
) -> PreparedDataset:
    """The dataset here that holds the very pairs that a run is about, the one asked for if any.

    Raises:
        BadInput: there is none, or it holds other pairs.
    """
    if asked is not None:
        found: PreparedDataset | None = named_dataset(asked)
    elif (
        _FINGERPRINT.fullmatch(fingerprint)
        and (data_dir() / "datasets" / fingerprint / "dataset.json").exists()
    ):
        found = datasets.by_fingerprint(fingerprint)
    else:
        found = _same_request(spec.dataset)
    if found is None:
        raise BadInput(
            f"The dataset of this run, {spec.dataset.label}, is not on this machine.",
            "Compare a few of its pairs first: that reads it. On the command line, another one can "
            "be named that holds the same pairs.",
        )
    if found.about["content"] != content:
        raise BadInput(
            f"{found.about['label']} holds other pairs than this run judged.",
            "Name the dataset that it was made on, in the same revision.",
        )
    return found


def _same_request(request: DatasetRequest) -> PreparedDataset | None:
    """The dataset that the run's own words name here; None if they name none."""
    try:
        return datasets.find(request)
    except BadInput:  # a path of another machine
        return None


def check_file_name(path: Path) -> None:
    """Refuse a file whose name cannot be shown, for runs tell from which file they came.

    Raises:
        BadInput: its name holds control characters, or bytes that are no text.
    """
    if not path.name.isprintable():
        raise BadInput(f"The name of the file {path.name!a} cannot be read.", "Rename it.")


def enter(run: Elsewhere) -> Imported:
    """Write the files of a run and register it as done.

    Raises:
        BadInput: somebody in it has a name by which no file can be called.
        StorageProblem: the data folder cannot be written.
    """
    root, came = data_dir(), run.came
    staged = root / "runs" / f".importing-{uuid4().hex[:8]}"
    begun = {"dataset": run.dataset.fingerprint, "chunk": came.chunk}
    with storage_errors(root):
        (staged / SLUG).mkdir(parents=True)
        try:
            parts = Parts(staged / SLUG)
            for key, rows in {BEGUN: [begun], **came.facts}.items():
                parts.append(key, rows)
            for name, table in came.tables.items():
                write_table(staged / SLUG / name, table)
            written = came.write(staged)
            with runs.registry().entering(_row(run), run.spec.fingerprint) as run_id:
                _put_in_place(staged, root, run_id, run, written)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise BadInput(
                "A model or labeler of this run has a name that is too long for a file.",
                "Name it shorter where the run was made, or here (--model). Nothing was imported.",
            ) from error
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return Imported(run_id, came.rows, came.who, came.notes)


def _row(run: Elsewhere) -> Run:
    came = run.came
    return Run(
        id=run.id,
        kind=kind_for(run.spec).name,
        spec=run.spec.model_dump_json(),
        state=RunState.DONE,
        created=run.created,
        started=run.started,
        finished=run.finished,
        heartbeat=None,
        doing="",
        done=came.done,
        total=came.done if came.total is None else came.total,
        computed=run.computed,
        rate=None,
        problem="",
        hint="",
        notes=_notes(run),
        name=run.name,
    )


def _notes(run: Elsewhere) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*run.notes, *run.came.notes)))


def _put_in_place(staged: Path, root: Path, run_id: str, run: Elsewhere, written: Written) -> None:
    names = [_named(name, run_id) for name in written.files]
    manifest = {
        **run.manifest,
        "run": run_id,
        "spec": run.spec.model_dump(mode="json"),
        "dataset": dataset_facts(run.dataset),
        "rows": run.came.rows,
        "notes": list(_notes(run)),
        **written.facts,
        "files": names,
    }
    moment = str(manifest.pop("written", ""))
    if run.came.last is not None:
        run.came.last(staged / SLUG, names)
    write_manifest(staged / SLUG, manifest, moment)
    for old, new in zip(written.files, names, strict=True):
        (root / new).parent.mkdir(exist_ok=True)
        (staged / old).rename(root / new)
    (staged / SLUG).rename(root / "runs" / run_id)


def _named(name: str, run_id: str) -> str:
    """The path of a file with the run's id where the slug stood."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/{run_id}{file.removeprefix(SLUG)}"
