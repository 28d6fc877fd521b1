"""Importing the original's CSV of labels: labels given elsewhere, joined to a dataset by text."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, get_args

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.label_specs import LabelSpec
from ivan_core.domain.labels import FEATURES, Label, LabelerCard, TextKey
from ivan_core.domain.plurals import number_of
from ivan_core.domain.transcripts import text_hash
from ivan_core.engine.csv_files import (
    CsvFiles,
    FromCsv,
    Given,
    Part,
    name_of,
    rows_note,
    started,
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
_FAILED = "-failed"
_UNUSABLE: dict[str, Status] = {one: one for one in get_args(Status) if one not in USABLE}
_MOST_NAMED = 5
_MOST_TRIES = 1_000


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
    files = {path: _part(_header(path)) for path in given.paths}
    mains = [path for path, part in files.items() if part == "results"]
    failed = {path.stem: path for path, part in files.items() if part == "beside"}
    if alone := set(failed) - {f"{path.stem}{_FAILED}" for path in mains}:
        name = failed[min(alone)].name
        raise BadInput(
            f"{name} holds texts without labels, and no file of labels goes with it.",
            f"Give {name.replace(_FAILED, '')} too.",
        )
    return [_run(given, path, failed.get(f"{path.stem}{_FAILED}")) for path in mains]


def _run(given: Given, path: Path, failed: Path | None) -> FromCsv:
    dataset = given.dataset
    name = labelers.from_slug(given.names.get(path) or name_of(path, _ENDING))
    labels = _labels(path, dataset)
    if failed is not None:
        _add_failed(labels, failed, dataset)
    if labels.others and not given.force:
        raise _of_others(labels, dataset)
    found = labels.reconciled
    if not found.submitted:
        raise BadInput(f"{path.name} holds no label of a text of {dataset.about['label']}.")
    row_ids = sorted({key.row_id for key in found.submitted})
    spec = LabelSpec(
        dataset=given.request, labeler=name, keys=labels.keys,
        row_ids=None if len(row_ids) == dataset.rows else tuple(row_ids),
    )  # fmt: skip
    began, slug = started(path)
    stem = f"{SLUG}-{LabelerCard(name).slug}{_ENDING}"
    files = [path.name, *([failed.name] if failed else [])]
    run = Elsewhere(
        id=slug, name="", created=began, started=None, finished=time.time(), computed=0,
        notes=tuple(_notes(labels, len(row_ids), dataset.rows)), kind=spec.kind, spec=spec,
        dataset=dataset, rows=len(row_ids), done=len(found.submitted),
        total=len(found.submitted), chunk=1,
        write=partial(write_labelling, folder=FOLDER, stem=stem, found=found, dataset=dataset),
        manifest={
            "seed": spec.seed,
            "random_sample": spec.row_ids is None,
            "labeler": {"id": name, "revision": "", "kind": "import", "settings": {}},
            "prompt": {"version": "", "hash": ""},
            "spend_usd": 0,
            "versions": versions(),
            "imported": {"files": files},
        },
    )  # fmt: skip
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
        if key.row_id >= dataset.rows or not _same(row["text"], text_of(key)):
            found.others.append(int(row["line"]))
            continue
        outcome = _outcome(row, found.keys)
        found.twice += sum(not problem.key for problem in row["problems"])
        found.invalid += outcome.status == "invalid"
        found.outcomes[key], found.attempts[key] = outcome, 1
    return found


def _same(read: str, own: str) -> bool:
    """Whether a text of a file is the dataset's, as it is written to files."""
    written = own.encode("utf-8", "replace").decode()
    return text_hash(read) == text_hash(written)


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
    for number, line in _lines(path):
        key = TextKey.from_custom_id(f"{line[0].strip()}.{line[1].strip()}")
        if key is None or len(line) != len(FAILED_COLUMNS):
            raise BadInput(
                f"{path.name}, line {number}: no text is meant.",
                "A row is a whole number from 0, a side chosen or rejected.",
            )
        if key.row_id >= dataset.rows:
            labels.others.append(number)
        elif key in labels.outcomes or key in labels.missing:
            labels.twice += 1
        elif line[2] == "missing":
            labels.missing.append(key)
        elif (state := _UNUSABLE.get(line[2])) is not None:
            tries = int(line[3]) if line[3].isdecimal() and len(line[3]) < 5 else 1
            reason = Problem("", line[4])
            labels.outcomes[key] = Outcome(state, {}, problems=(reason,), raw=line[5])
            labels.attempts[key] = min(max(tries, 1), _MOST_TRIES)
        else:
            raise BadInput(f"{path.name}, line {number}: {line[2][:40]!r} is no state of a text.")


def _header(path: Path) -> list[str]:
    return [name.strip() for name in next(_csv(path), (1, [""]))[1]]


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    lines = _csv(path)
    next(lines)
    return lines


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not empty, each with the number of its last line in the file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            yield from ((reader.line_num, line) for line in reader if line)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path.name} is no CSV file in UTF-8.") from error


def _of_others(labels: _Labels, dataset: PreparedDataset) -> BadInput:
    named = ", ".join(str(line) for line in labels.others[:_MOST_NAMED])
    more = ", …" if len(labels.others) > _MOST_NAMED else ""
    lines = number_of(len(labels.others), "line")
    return BadInput(
        f"{labels.path.name}: {lines} (line {named}{more}) with another text than "
        f"{dataset.about['label']} has there, or with none.",
        "Name the dataset that was labelled; --force leaves these lines aside.",
    )


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
