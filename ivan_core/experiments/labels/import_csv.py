"""Importing the original's CSV of labels: labels given elsewhere, joined to a dataset by text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, get_args

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, Label, TextKey
from ivan_core.domain.models import AnswererCard
from ivan_core.domain.plurals import number_of
from ivan_core.domain.specs import LabelSpec
from ivan_core.engine.csv_files import (
    CsvFiles,
    FromCsv,
    Given,
    Part,
    name_of,
    of_others,
    read_rows,
    rows_note,
    same_text,
    started,
    with_beside,
)
from ivan_core.engine.imports import SLUG, Elsewhere
from ivan_core.engine.work import versions
from ivan_core.experiments.labels.archive import write_labelling
from ivan_core.experiments.labels.files import FAILED_COLUMNS, FOLDER, texts_of
from ivan_core.experiments.labels.results import labels_of
from ivan_core.labels.labels_csv import CSV_COLUMNS, read_labels_csv
from ivan_core.labels.reconcile import USABLE, Reconciled
from ivan_core.labels.repair import TWICE, Fix, Problem, shown
from ivan_core.labels.validate import Outcome, Status
from ivan_core.models import labelers

_ENDING = "-control"
_UNUSABLE: dict[str, Status] = {one: one for one in get_args(Status) if one not in USABLE}
_TRIES = frozenset(str(number) for number in range(1, 100))


@dataclass
class _Labels:
    """What the files of one labeler hold, and what was left aside."""

    path: Path
    keys: tuple[str, ...] = ()
    outcomes: dict[TextKey, Outcome] = field(default_factory=dict)
    attempts: dict[TextKey, int] = field(default_factory=dict)
    missing: list[TextKey] = field(default_factory=list)
    invalid: int = 0
    twice: int = 0
    others: list[int] = field(default_factory=list)
    """The lines whose text is not the dataset's."""

    @property
    def reconciled(self) -> Reconciled:
        keys = sorted({*self.outcomes, *self.missing}, key=lambda one: (one.row_id, one.preference))
        return Reconciled(tuple(keys), self.outcomes, self.attempts)


def _part(header: list[str]) -> Part | None:
    if header == list(FAILED_COLUMNS):
        return "beside"
    labels = {"row_id", "preference"} <= set(header) and set(FEATURES) & set(header)
    return "results" if labels else None


def _read(given: Given) -> list[FromCsv]:
    """Each file of labels as a finished run, with the texts that failed from the file beside it."""
    pairs = with_beside(given.paths, _part, "labels")
    return [_run(given, path, failed) for path, failed in pairs]


def _run(given: Given, path: Path, failed: Path | None) -> FromCsv:
    dataset = given.dataset
    name = labelers.from_slug(given.names.get(path) or name_of(path, _ENDING))
    labels = _labels(path, dataset)
    if failed is not None:
        _add_failed(labels, failed, dataset)
    if labels.others and not given.force:
        raise of_others(path, labels.others, dataset)
    found = labels.reconciled
    if not found.submitted:
        raise BadInput(f"{path.name} holds no label of a text of {dataset.about['label']}.")
    row_ids = sorted({key.row_id for key in found.submitted})
    spec = LabelSpec(
        dataset=given.request,
        labeler=name,
        keys=labels.keys,
        row_ids=None if len(row_ids) == dataset.rows else tuple(row_ids),
    )
    began, slug = started(path)
    stem = f"{SLUG}-{AnswererCard(name).slug}{_ENDING}"
    files = [path.name, *([failed.name] if failed else [])]
    run = Elsewhere(
        id=slug,
        name="",
        created=began,
        started=None,
        finished=time.time(),
        computed=0,
        notes=tuple(_notes(labels, len(row_ids), dataset.rows)),
        kind=spec.kind,
        spec=spec,
        dataset=dataset,
        rows=len(row_ids),
        done=len(found.submitted),
        total=len(found.submitted),
        chunk=1,
        write=partial(write_labelling, folder=FOLDER, stem=stem, found=found, dataset=dataset),
        manifest={
            "seed": spec.seed,
            "random_sample": spec.row_ids is None,
            "labeler": {"id": name, "revision": "", "kind": "import", "settings": {}},
            "prompt": {"version": "", "hash": ""},
            "spend_usd": 0,
            "versions": versions(),
            "imported": {"files": files, "names": [name]},
        },
    )
    return FromCsv(run, (name,))


def _labels(path: Path, dataset: PreparedDataset) -> _Labels:
    """The labels of a file whose texts are the dataset's; the other lines are counted."""
    table = read_labels_csv(path)
    given = [key for key in FEATURES if table[key].notna().any()]
    invalid = {problem.key for row in table["problems"] for problem in row if problem.key}
    found = _Labels(path, tuple(key for key in FEATURES if key in given or key in invalid))
    if not found.keys:
        raise BadInput(f"{path.name} holds no label.", "Every cell of it is empty.")
    text_of = texts_of(dataset)
    for row in table.to_dict("records"):
        key = TextKey(int(row["row_id"]), row["preference"])
        if key.row_id >= dataset.rows or not same_text(row["text"], text_of(key)):
            found.others.append(int(row["line"]))
            continue
        outcome = _outcome(row, found.keys)
        found.twice += sum(not problem.key for problem in row["problems"])
        found.invalid += outcome.status == "invalid"
        found.outcomes[key], found.attempts[key] = outcome, 1
    return found


def _outcome(row: dict[str, Any], keys: tuple[str, ...]) -> Outcome:
    """What a line says of a text: its labels, and by line what is wrong with the others."""
    where = f"Line {row['line']}: "
    wrong = {problem.key: problem for problem in row["problems"] if problem.key}
    labels: dict[str, Label] = {}
    fixes: list[Fix] = []
    problems: list[Problem] = []
    for key, label in labels_of(row, keys).items():
        if key in wrong:
            problems.append(Problem(key, where + wrong[key].message, wrong[key].found))
        elif label is None:
            problems.append(Problem(key, f"{where}The label is missing."))
        else:
            if isinstance(label, tuple) and len(set(label)) < len(label):
                once = tuple(dict.fromkeys(label))
                fixes.append(Fix(key, TWICE, shown(list(label)), shown(list(once))))
                label = once
            labels[key] = label
    status: Status = "invalid" if problems else "repaired" if fixes else "valid"
    return Outcome(status, labels, tuple(fixes), tuple(problems))


def _add_failed(labels: _Labels, path: Path, dataset: PreparedDataset) -> None:
    """Add the texts without usable labels, as IVAN lists them beside those that have some."""
    for number, row in read_rows(path):
        key = TextKey.from_custom_id(f"{row['row_id'].strip()}.{row['preference'].strip()}")
        if key is None:
            raise BadInput(
                f"{path.name}, line {number}: no text is meant.",
                "A row is a whole number from 0, a side chosen or rejected.",
            )
        state = row["state"]
        if key.row_id >= dataset.rows:
            labels.others.append(number)
        elif key in labels.outcomes or key in labels.missing:
            labels.twice += 1
        elif state == "missing":
            labels.missing.append(key)
        elif state in _UNUSABLE:
            tries = int(row["attempt"]) if row["attempt"] in _TRIES else 1
            reason = Problem("", row["reason"])
            labels.outcomes[key] = Outcome(_UNUSABLE[state], {}, problems=(reason,), raw=row["raw"])
            labels.attempts[key] = tries
        else:
            raise BadInput(f"{path.name}, line {number}: {state[:40]!r} is no state of a text.")


def _notes(labels: _Labels, rows: int, of: int) -> Iterator[str]:
    yield "Labels imported from CSV; nothing was asked from here."
    yield from rows_note(rows, of)
    if labels.others:
        yield f"{number_of(len(labels.others), 'line')} with other texts left aside."
    if labels.invalid:
        texts = number_of(labels.invalid, "text")
        yield f"{texts} with a label that is missing or not allowed: see the lines named there."
    if labels.twice:
        yield f"{number_of(labels.twice, 'text')} came twice; the first line counts."


CSVS = CsvFiles(begins=",".join(CSV_COLUMNS[:4]) + ",…", part=_part, read=_read)
