"""Result files of any engine that reads batch files, entered as a finished run."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.rows import RowChoice
from ivan_core.domain.errors import BadInput
from ivan_core.domain.label_specs import TaxonomySpec
from ivan_core.domain.labels import DEMO_NAME, FEATURES, TextKey
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access
from ivan_core.engine import handling as runs
from ivan_core.engine.begin import BEGUN, Begun
from ivan_core.engine.imports import named_dataset, read_dataset
from ivan_core.engine.work import manifest_of, write_manifest
from ivan_core.experiments.batches.job import KIND
from ivan_core.experiments.batches.results import OUTPUT, summary_of, write_summary
from ivan_core.experiments.labels.files import TABLE, texts_of, write_label_files
from ivan_core.labels.downloads import merge_raw
from ivan_core.labels.reconcile import Reconciled, reconcile, refuse_unknown
from ivan_core.labels.result_files import ResultLine, read_result_lines
from ivan_core.labels.table import labels_table, write_labels
from ivan_core.runs.parts import Parts
from ivan_core.runs.storage import storage_errors

_LOOKED_AT = 200
_UNNAMED = "imported"
_NOTES = ("Labels imported from files; nothing was sent from here.",)


@dataclass(frozen=True, slots=True)
class ImportedLabels:
    """A run that was entered: its id, and what came of every text that the files name."""

    run_id: str
    model: str
    sentence: str


def import_files(
    paths: Sequence[Path], dataset: DatasetRequest, force: bool = False, model: str = ""
) -> ImportedLabels:
    """Enter result files as one finished run. Nothing is sent, and the files stay as they are.

    The texts are those that the files name. `force` leaves lines of other texts aside that would
    else be refused; `model` says who labelled where the files do not.

    Raises:
        BadInput: a file is missing, names no text of the dataset, or others too.
        NotAllowed: the visitor may not import, or not from there.
        StorageProblem: the data folder cannot be written.
    """
    access.require(access.Action.IMPORT)
    if not paths:
        raise BadInput("No file was given.", "Name one or more result files.")
    request = read_dataset(dataset)
    found = named_dataset(request)
    named = {line.key for line in _lines(paths) if line.key is not None}
    asked = {key for key in named if key.row_id < found.rows}
    _refuse_requests(paths)
    keys = _keys(paths)
    result = reconcile(asked, _lines(paths), keys)
    if not force:
        refuse_unknown(result)
    if not asked:
        raise BadInput(
            f"{paths[0].name} holds no line about a text of {request.label}.",
            "A line looks like a batch's: custom_id, response, error.",
        )
    spec = TaxonomySpec(
        dataset=request, model=_labeler(paths, model), keys=keys,
        row_ids=tuple(sorted({key.row_id for key in asked})),
    )  # fmt: skip
    return ImportedLabels(_enter(spec, found, result, paths), spec.model, result.sentence)


def _lines(paths: Sequence[Path]) -> Iterator[ResultLine]:
    for path in paths:
        yield from read_result_lines(path)


def _refuse_requests(paths: Sequence[Path]) -> None:
    """Refuse a file of requests, whose ids are those of its results.

    Raises:
        BadInput: the first line that can be read asks for something.
    """
    for path in paths:
        for line in read_result_lines(path):
            if line.reply is None:
                continue
            record = json.loads(line.raw)
            if "body" in record and "response" not in record and "error" not in record:
                raise BadInput(
                    f"{path.name} holds requests, not results.",
                    "Import what came back of it: `ivan taxonomy run-file` has it answered.",
                )
            break


def _keys(paths: Sequence[Path]) -> tuple[str, ...]:
    """The labels that the answers name; all if none can be made out."""
    said = "\n".join(
        line.reply.text for line in islice(_lines(paths), _LOOKED_AT) if line.reply is not None
    )
    return tuple(key for key in FEATURES if f'"{key}"' in said) or FEATURES


def _labeler(paths: Sequence[Path], given: str) -> str:
    """Who labelled; answers of the demo server stay known as its own, whatever the model."""
    name = given or _model(paths)
    replies = (line.reply for line in islice(_lines(paths), _LOOKED_AT))
    demo = any(reply is not None and reply.demo for reply in replies)
    return DEMO_NAME.format(name) if demo else name


def _model(paths: Sequence[Path]) -> str:
    """The model that the answers name first."""
    for line in islice(_lines(paths), _LOOKED_AT):
        try:
            name = json.loads(line.raw)["response"]["body"]["model"]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(name, str) and name:
            return name[:200]
    return _UNNAMED


def _enter(
    spec: TaxonomySpec, dataset: PreparedDataset, result: Reconciled, paths: Sequence[Path]
) -> str:
    """Write everything aside, then put it in place while the run is registered."""
    registry = runs.registry()
    root = registry.data_dir
    staged = root / "runs" / f".importing-{uuid4().hex[:8]}"
    moment = time.time()
    usable = result.counts.valid + result.counts.repaired
    run = Run(
        id="", kind=KIND, spec=spec.model_dump_json(), state=RunState.DONE, created=moment,
        started=None, finished=moment, heartbeat=None, doing="", done=usable,
        total=result.counts.submitted, computed=0, rate=None, problem="", hint="",
        notes=(*_NOTES, result.sentence),
    )  # fmt: skip
    with storage_errors(root):
        (staged / "run").mkdir(parents=True)
        try:
            files = _stage(staged, dataset, result, paths)
            with registry.entering(run, spec.fingerprint) as run_id:
                names = [name.replace("/run", f"/{run_id}", 1) for name in files]
                write_summary(staged / "run", summary_of(result, names, _NOTES))
                manifest = _manifest(run_id, spec, dataset, result, names, paths)
                write_manifest(staged / "run", manifest)
                (root / OUTPUT).mkdir(exist_ok=True)
                for old, new in zip(files, names, strict=True):
                    (staged / old).rename(root / new)
                (staged / "run").rename(registry.folder(run_id))
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    return run_id


def _stage(
    staged: Path, dataset: PreparedDataset, result: Reconciled, paths: Sequence[Path]
) -> list[str]:
    Parts(staged / "run").append(BEGUN, [{"dataset": dataset.fingerprint, "chunk": 1}])
    missing: list[TextKey] = result.keys_of("missing")
    table = labels_table(result.outcomes, result.attempts, missing)
    write_labels(staged / "run" / TABLE, table)
    merge_raw(list(paths), staged / OUTPUT / "run.jsonl")
    written = write_label_files(staged, Path(OUTPUT), "run", result, texts_of(dataset))
    return [f"{OUTPUT}/run.jsonl", *written]


def _manifest(
    run_id: str,
    spec: TaxonomySpec,
    dataset: PreparedDataset,
    result: Reconciled,
    files: Sequence[str],
    paths: Sequence[Path],
) -> dict[str, Any]:
    summary = summary_of(result, files, ())
    row_ids = list(spec.row_ids or ())
    choice = RowChoice(row_ids, (), len(row_ids) == dataset.rows)
    facts = {
        "labeler": {"id": spec.model, "revision": "", "kind": "import", "settings": {}},
        "prompt": {"version": "", "hash": ""},
        "counts": summary["counts"],
        "reconciliation": summary["sentence"],
        "imported": {"files": [path.name for path in paths]},
        "attempts": [],
        "batches": [],
    }
    return manifest_of(run_id, spec, Begun(dataset, choice, 1), _NOTES, files, facts)
