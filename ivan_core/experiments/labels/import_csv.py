"""Importing the original's CSV of labels: labels given elsewhere, joined to a dataset by text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import get_args

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, Label, TextKey
from ivan_core.domain.models import AnswererCard
from ivan_core.domain.specs import LabelSpec
from ivan_core.domain.words import number_of
from ivan_core.engine.csvs.files import (
    CsvFiles,
    FromCsv,
    Given,
    Line,
    Part,
    each,
    lines_of,
    name_of,
    of_others,
    rows_note,
    rows_of_file,
    same_text,
    with_beside,
)
from ivan_core.engine.imports import SLUG
from ivan_core.engine.work import versions
from ivan_core.experiments.labels.archive import labelling
from ivan_core.experiments.labels.authored import as_written, card
from ivan_core.experiments.labels.files import FAILED_COLUMNS, FOLDER, texts_of
from ivan_core.labels.reconcile import USABLE, Reconciled
from ivan_core.labels.repair import TWICE, Fix, Problem, cut, shown
from ivan_core.labels.table import CSV_COLUMNS, read_cell
from ivan_core.labels.validate import Outcome, Status
from ivan_core.models import labelers
from ivan_core.models.names import AUTHORED, is_authored

_ENDING = "-control"
_UNUSABLE: dict[str, Status] = {one: one for one in get_args(Status) if one not in USABLE}
_Cell = tuple[Label, Problem | None]
"""The label that a cell holds, and what is wrong with it."""
_EMPTY: _Cell = (None, None)
_TRIES = frozenset(str(number) for number in range(1, 100))


@dataclass
class _Labels:
    """What the files of one labeler hold, and what was left aside."""

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
        keys = sorted({*self.outcomes, *self.missing}, key=attrgetter("row_id", "preference"))
        return Reconciled(tuple(keys), self.outcomes, self.attempts)


def _part(header: list[str]) -> Part | None:
    if header == list(FAILED_COLUMNS):
        return "beside"
    labels = {"row_id", "preference"} <= set(header) and set(FEATURES) & set(header)
    return "results" if labels else None


def _read(given: Given) -> list[FromCsv]:
    """Each file of labels as a finished run, with the texts that failed from the file beside it."""
    pairs = with_beside(given.paths, _part, "labels")
    return each(pairs, lambda pair: _run(given, pair[0], pair[1]))


def _run(given: Given, path: Path, failed: Path | None) -> FromCsv:
    dataset = given.dataset
    name = labelers.from_slug(given.names.get(path) or name_of(path, _ENDING))
    labels = _labels(path, dataset)
    if failed is not None:
        _add_failed(labels, failed, dataset)
    if labels.others and not given.force:
        raise of_others(path, labels.others, dataset)
    found, who, keys = labels.reconciled, AnswererCard(name, kind="import"), labels.keys
    if not found.submitted:
        raise BadInput(f"{path.name} holds no label of a text of {dataset.about['label']}.")
    row_ids = sorted({key.row_id for key in found.submitted})
    if is_authored(name):
        found, who, keys = _authored(path, found, dataset, row_ids), card(dataset), FEATURES
        labels.invalid = 0
    spec = LabelSpec(
        dataset=given.request,
        labeler=name,
        keys=keys,
        row_ids=None if len(row_ids) == dataset.rows else tuple(row_ids),
    )
    manifest = {
        "labeler": {"id": name, "revision": who.revision, "kind": who.kind, "settings": {}},
        "prompt": {"version": "", "hash": ""},
        "spend_usd": 0,
        "versions": versions(),
    }
    came = replace(
        labelling(name, found, dataset, FOLDER, f"{SLUG}-{AnswererCard(name).slug}{_ENDING}"),
        notes=tuple(_notes(labels, len(row_ids), dataset.rows)),
    )
    return FromCsv([path, *([failed] if failed else [])], [name], spec, came, manifest)


def _authored(
    path: Path, given: Reconciled, dataset: PreparedDataset, row_ids: list[int]
) -> Reconciled:
    """The authored labels of a file's rows, which are the file's own."""
    labels = {key: outcome.labels for key, outcome in given.outcomes.items()}
    found = as_written(labels, dataset, row_ids)
    if found is None:
        raise BadInput(
            f"{path.name} is called as {AUTHORED} are, and holds other labels than the author's.",
            "Name who labelled. On the command line: --model.",
        )
    return found


def _labels(path: Path, dataset: PreparedDataset) -> _Labels:
    """The labels of a file whose texts are the dataset's; the other lines are counted."""
    found, text_of = _Labels(), texts_of(dataset)
    header, rows = rows_of_file(path)
    asked = tuple(name for name in FEATURES if name in header)
    places = [header.index(name) for name in asked]
    where = {name: header.index(name) for name in ("row_id", "preference")}
    text_at = header.index("text") if "text" in header else None
    lines: dict[TextKey, tuple[int, tuple[str, ...]]] = {}
    read: dict[tuple[str, ...], list[_Cell]] = {}
    others: set[TextKey] = set()
    for number, fields in rows:
        key = _key(Line(path, number, {name: fields[at] for name, at in where.items()}))
        if key in lines:
            found.twice += 1
        if key in lines or key in others:
            continue
        cells = tuple([fields[place] for place in places])
        if cells not in read:  # very many texts have the same labels
            read[cells] = [read_cell(*one) for one in zip(asked, cells, strict=True)]
        text = "" if text_at is None else fields[text_at]
        if key.row_id < dataset.rows and same_text(text, text_of(key)):
            lines[key] = number, cells
        else:
            others.add(key)
            found.others.append(number)
    labels = zip(*read.values(), strict=True)
    found.keys = tuple(
        name for name, own in zip(asked, labels, strict=False) if set(own) != {_EMPTY}
    )
    if not found.keys:
        raise BadInput(f"{path.name} holds no label.", "Every cell of it is empty.")
    shared: dict[tuple[str, ...], Outcome] = {}
    for key, (number, cells) in lines.items():
        outcome = shared.get(cells)
        if outcome is None:
            whole = dict(zip(asked, read[cells], strict=True))
            outcome = _outcome(number, {name: whole[name] for name in found.keys})
            if outcome.status != "invalid":  # which names its line
                shared[cells] = outcome
        found.invalid += outcome.status == "invalid"
        found.outcomes[key], found.attempts[key] = outcome, 1
    return found


def _key(line: Line) -> TextKey:
    """The text that a line is about."""
    row_id, side = line.cell("row_id").removesuffix(".0"), line.cell("preference")
    key = TextKey.from_custom_id(f"{row_id}.{side}")
    if key is None:
        raise line.wrong(
            f"no text is meant by row {cut(row_id)!r}, side {cut(side)!r}.",
            "A row is a whole number from 0, a side chosen or rejected.",
        )
    return key


def _outcome(number: int, cells: Mapping[str, _Cell]) -> Outcome:
    """What a line says of a text: its labels, and by line what is wrong with the others."""
    where = f"Line {number}: "
    labels: dict[str, Label] = {}
    fixes: list[Fix] = []
    problems: list[Problem] = []
    for key, (label, wrong) in cells.items():
        if wrong is not None:
            problems.append(Problem(key, where + wrong.message, wrong.found))
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
    for line in lines_of(path):
        key, state = _key(line), line.cells["state"]
        if key.row_id >= dataset.rows:
            labels.others.append(line.number)
        elif key in labels.outcomes or key in labels.missing:
            labels.twice += 1
        elif state == "missing":
            labels.missing.append(key)
        elif state in _UNUSABLE:
            tries, reason = line.cells["attempt"], Problem("", line.cells["reason"])
            raw = line.cells["raw"]
            labels.outcomes[key] = Outcome(_UNUSABLE[state], {}, problems=(reason,), raw=raw)
            labels.attempts[key] = int(tries) if tries in _TRIES else 1
        else:
            raise line.wrong(f"{state[:40]!r} is no state of a text.")


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
