"""Finished runs that were made elsewhere: checked, then entered as if they had been made here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import datasets
from ivan_core.engine import handling as runs
from ivan_core.engine.begin import BEGUN
from ivan_core.experiments.compare.files import write_csvs, write_manifest, write_table
from ivan_core.experiments.compare.tables import with_prompts
from ivan_core.metrics.summary import ModelSummary, summarise
from ivan_core.runs.parts import Parts
from ivan_core.runs.storage import storage_errors
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Imported:
    """A run that was entered: its id here, and sentences a reader of it should see."""

    run_id: str
    rows: int
    models: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        told = f"Imported run {self.run_id}: {self.rows:,} pairs, {', '.join(self.models)}."
        return " ".join([told, *self.notes])


@dataclass(frozen=True)
class Elsewhere:
    """All that is needed to enter a run; `cards` by the names that the spec gives the models.

    `manifest` holds what is kept of the run beside what `enter` writes itself.
    """

    id: str
    name: str
    created: float
    started: float | None
    finished: float
    computed: int
    notes: tuple[str, ...]
    spec: CompareSpec
    dataset: PreparedDataset
    cards: dict[str, ModelCard]
    table: pd.DataFrame
    manifest: dict[str, Any]


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
    return runs.located(CompareSpec(dataset=request)).dataset


def named_dataset(request: DatasetRequest) -> PreparedDataset:
    """The dataset that a person named for an import.

    Raises:
        BadInput: there is no such dataset, or it has not been read on this machine.
    """
    found = datasets.find(located(request))
    if found is None:
        raise BadInput(
            f"{request.label} has not been read on this machine yet.",
            "Compare a few of its rows first, or import on the command line, which reads it: "
            f"ivan runs import FILE --dataset {request.source}",
        )
    return found


def enter(run: Elsewhere) -> str:
    """Write the files of a run and register it as done; returns its id, new if the old is taken.

    Raises:
        StorageProblem: the data folder cannot be written.
    """
    root = data_dir()
    staged = root / "runs" / f".importing-{uuid4().hex[:8]}"
    with storage_errors(root):
        staged.mkdir(parents=True)
        try:
            files = _stage(staged, run)
            with runs.registry().entering(_row(run), run.spec.fingerprint) as run_id:
                _put_in_place(staged, root, run_id, run, files)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return run_id


def _row(run: Elsewhere) -> Run:
    judged = len(run.table)
    return Run(
        id=run.id, kind=run.spec.kind, spec=run.spec.model_dump_json(), state=RunState.DONE,
        created=run.created, started=run.started, finished=run.finished, heartbeat=None, doing="",
        done=judged, total=judged, computed=run.computed, rate=None, problem="", hint="",
        notes=run.notes, name=run.name,
    )  # fmt: skip


def _stage(staged: Path, run: Elsewhere) -> list[str]:
    """Write all but the manifest; the CSV files get the run's id when it is known."""
    folder = staged / "run"
    folder.mkdir()
    parts = Parts(folder)
    parts.append(BEGUN, [{"dataset": run.dataset.fingerprint, "chunk": 256}])
    for name, card in run.cards.items():
        parts.append(f"card|{name}", [card.model_dump(mode="json")])
    write_table(folder, run.table)
    cards = list(run.cards.values())
    label = str(run.dataset.about["label"])
    return write_csvs(staged, "run", label, run.dataset.rows, run.table, cards, _summaries(run))


def _summaries(run: Elsewhere) -> list[ModelSummary]:
    return summarise(with_prompts(run.table, run.dataset))


def _put_in_place(staged: Path, root: Path, run_id: str, run: Elsewhere, files: list[str]) -> None:
    about = run.dataset.about
    names = [f"{run_id}{name.removeprefix('run')}" for name in files]
    known = ("fingerprint", "label", "revision", "rows", "chosen_by")
    manifest = {
        **run.manifest,
        "run": run_id,
        "spec": run.spec.model_dump(mode="json"),
        "dataset": {name: about[name] for name in known},
        "rows": int(run.table["row_id"].nunique()),
        "notes": list(run.notes),
        "models": [
            card.model_dump(mode="json", exclude={"seen_hashes"}) for card in run.cards.values()
        ],
        "summaries": [summary.as_dict() for summary in _summaries(run)],
        "files": [f"compare/{name}" for name in names],
    }
    written = run.manifest.get("written")
    write_manifest(
        staged / "run",
        {name: value for name, value in manifest.items() if name != "written"},
        lambda: str(written or datetime.now(UTC).isoformat(timespec="seconds")),
    )
    (root / "compare").mkdir(exist_ok=True)
    for old, new in zip(files, names, strict=True):
        (staged / "compare" / old).rename(root / "compare" / new)
    (staged / "run").rename(root / "runs" / run_id)
