"""Result files of any engine that reads batch files, entered as a finished run."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ivan_core.datasets.chosen_rows import RowChoice
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import DEMO_NAME, FEATURES
from ivan_core.domain.specs import DatasetRequest, TaxonomySpec
from ivan_core.engine import access
from ivan_core.engine.imports import (
    SLUG,
    Came,
    Elsewhere,
    Written,
    enter,
    named_dataset,
    read_dataset,
)
from ivan_core.engine.work import Begun, manifest_of
from ivan_core.experiments.batches.job import OUTPUT
from ivan_core.experiments.batches.results import lines_of, summary_of, write_summary
from ivan_core.experiments.labels.files import TABLE, count_dict, texts_of, write_label_files
from ivan_core.labels.reconcile import Reconciled, reconcile, refuse_unknown
from ivan_core.labels.result_files import merge_raw, read_result_lines
from ivan_core.labels.table import labels_table, write_labels
from ivan_core.models import labelers

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
    named = {line.key for line in lines_of(paths) if line.key is not None}
    asked = {key for key in named if key.row_id < found.rows}
    _refuse_requests(paths)
    keys = _keys(paths)
    result = reconcile(asked, lines_of(paths), keys)
    if not force:
        refuse_unknown(result)
    if not asked:
        raise BadInput(
            f"{paths[0].name} holds no line about a text of {request.label}.",
            "A line looks like a batch's: custom_id, response, error.",
        )
    spec = TaxonomySpec(
        dataset=request,
        model=_labeler(paths, model),
        keys=keys,
        row_ids=tuple(sorted({key.row_id for key in asked})),
    )
    return ImportedLabels(_enter(spec, found, result, paths), spec.model, result.sentence)


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
                    "Import what came back of it. On the command line, `ivan taxonomy run-file` "
                    "has it answered.",
                )
            break


def _keys(paths: Sequence[Path]) -> tuple[str, ...]:
    """The labels that the answers name; all if none can be made out."""
    said = "\n".join(
        line.reply.text for line in islice(lines_of(paths), _LOOKED_AT) if line.reply is not None
    )
    return tuple(key for key in FEATURES if f'"{key}"' in said) or FEATURES


def _labeler(paths: Sequence[Path], given: str) -> str:
    """Who labelled; answers of the demo server stay known as its own, whatever the model."""
    name = given or _model(paths)
    labelers.check_provided(name)
    replies = (line.reply for line in islice(lines_of(paths), _LOOKED_AT))
    demo = any(reply is not None and reply.demo for reply in replies)
    return DEMO_NAME.format(name) if demo else name


def _model(paths: Sequence[Path]) -> str:
    """The model that the answers name first."""
    for line in islice(lines_of(paths), _LOOKED_AT):
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
    moment, row_ids = time.time(), list(spec.row_ids or ())
    choice = RowChoice(row_ids, (), len(row_ids) == dataset.rows)
    facts = {
        "labeler": {"id": spec.model, "revision": "", "kind": "import", "settings": {}},
        "prompt": {"version": "", "hash": ""},
        "counts": count_dict(result),
        "reconciliation": result.sentence,
        "imported": {"files": [path.name for path in paths]},
        "attempts": [],
        "batches": [],
    }

    def write(staged: Path) -> Written:
        table = labels_table(result.outcomes, result.attempts, result.keys_of("missing"))
        write_labels(staged / SLUG / TABLE, table)
        raw = f"{OUTPUT}/{SLUG}.jsonl"
        merge_raw(list(paths), staged / raw)
        files = write_label_files(staged, Path(OUTPUT), SLUG, result, texts_of(dataset))
        return Written([raw, *files], {"notes": list(_NOTES)})

    came = Came(
        who=(spec.model,),
        rows=len(row_ids),
        done=result.counts.valid + result.counts.repaired,
        total=result.counts.submitted,
        chunk=1,
        notes=(*_NOTES, result.sentence),
        write=write,
        last=lambda folder, names: write_summary(folder, summary_of(result, names, _NOTES)),
    )
    manifest = manifest_of("", spec, Begun(dataset, choice, 1), _NOTES, (), facts)
    return enter(Elsewhere(spec, dataset, came, manifest, moment, moment)).run_id
