"""Importing the original's `data/compare/*.csv`: checked line by line, joined to a dataset."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from ivan_core.datasets.prepared import PreparedDataset, seeded_chunks
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, Reward, verdict
from ivan_core.domain.pairs import IDENTICAL, TIED
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.csv_files import CsvFiles, FromCsv, Given, Part, name_of, rows_note, started
from ivan_core.engine.imports import Elsewhere
from ivan_core.experiments.compare.archive import write_comparison
from ivan_core.experiments.compare.results import trust_strips
from ivan_core.experiments.compare.tables import scores_table, with_prompts
from ivan_core.experiments.compare.units import ScoredRow
from ivan_core.metrics.summary import summarise
from ivan_core.models import reward_models
from ivan_core.runs.parts import Parts
from ivan_core.runs.storage import storage_errors
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

_CHUNK = 4_096
SCORE_COLUMNS = ("row_id", "chosen_score", "rejected_score", "agreement")
FAILED_COLUMNS = ["row_id", "reason"]
_MOST_BYTES = 2**30
_TRUE, _FALSE = ("true", "1"), ("false", "0")


@dataclass(frozen=True)
class Scores:
    """One model's file: its rows, and how many verdicts the file gives otherwise than its scores.

    `identical` counts rows whose sides are the same text here: the original rated those too.
    """

    path: Path
    rows: dict[int, ScoredRow]
    otherwise: int
    identical: int


@dataclass(frozen=True)
class Kinds:
    """The files of an import by what their headers say."""

    scores: list[Path] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)
    stats: list[Path] = field(default_factory=list)


def by_kind(paths: Sequence[Path]) -> Kinds:
    kinds = Kinds()
    for path in paths:
        with _reading(path) as rows:
            header = next(rows, [])
        if tuple(header[:4]) == SCORE_COLUMNS:
            kinds.scores.append(path)
        elif header[:1] == ["model_name"]:
            kinds.stats.append(path)
        elif header == FAILED_COLUMNS:
            kinds.failed.append(path)
        else:
            raise BadInput(
                f"{path.name} is no scores of a comparison.",
                f"Its first line should be {','.join(SCORE_COLUMNS)}.",
            )
    if not kinds.scores:
        raise BadInput(
            "None of these files holds scores.", "Give the files <time>-<model>.csv of a run."
        )
    return kinds


@contextmanager
def _reading(path: Path) -> Iterator[Iterator[list[str]]]:
    """The lines of a CSV file; what cannot be read is named."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}.")
    if path.stat().st_size > _MOST_BYTES:
        raise BadInput(f"{path.name} is larger than 1 GiB.", "No file of scores is.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield csv.reader(file)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path.name} is no CSV file in UTF-8.") from error


def read_scores(
    path: Path, dataset: PreparedDataset, unrated: Mapping[int, str], failed: Sequence[Path]
) -> Scores:
    rows: dict[int, ScoredRow] = {}
    otherwise = same = 0
    with _reading(path) as lines:
        next(lines)
        for number, line in enumerate(lines, 2):
            if not line:
                continue
            row_id = _row_id(path, number, line, rows)
            if len(line) < len(SCORE_COLUMNS):
                raise BadInput(f"{path.name}, line {number}: columns are missing.")
            if row_id in unrated:
                same += unrated[row_id] == IDENTICAL
                rows[row_id] = ScoredRow(row_id, Reward(None), Reward(None), unrated[row_id])
                continue
            chosen, rejected = (_reward(path, number, cell) for cell in line[1:3])
            reasons = [r.failure for r in (chosen, rejected) if r.failure]
            rows[row_id] = ScoredRow(row_id, chosen, rejected, "; ".join(reasons) or None)
            judged = verdict(chosen, rejected)
            otherwise += judged is not None and _said(path, number, line[3]) != (judged == "agree")
    for other in failed:
        if other.name == f"{path.stem}-failed.csv":
            _add_failed(other, rows, unrated)
    dataset.check_row_ids(list(rows))
    return Scores(path, rows, otherwise, same)


def _add_failed(path: Path, rows: dict[int, ScoredRow], unrated: Mapping[int, str]) -> None:
    with _reading(path) as lines:
        next(lines)
        for number, line in enumerate(lines, 2):
            row_id = _row_id(path, number, line, rows)
            reason = unrated.get(row_id) or " ".join(line[1:])[:300] or "failed"
            rows[row_id] = ScoredRow(row_id, Reward(None), Reward(None), reason)


def _row_id(path: Path, number: int, line: list[str], known: dict[int, ScoredRow]) -> int:
    if not line or not re.fullmatch(r"[0-9]{1,12}", line[0]):
        raise BadInput(f"{path.name}, line {number}: no row id, which is a whole number from 0.")
    row_id = int(line[0])
    if row_id in known:
        raise BadInput(f"{path.name}, line {number}: row {row_id} comes twice.")
    return row_id


def _reward(path: Path, number: int, cell: str) -> Reward:
    if not cell.strip():
        return Reward(None, failure="no score in the imported file")
    try:
        value = float(cell)
    except ValueError:
        raise BadInput(f"{path.name}, line {number}: {cell[:40]!r} is no score.") from None
    return Reward.measured(value)


def _said(path: Path, number: int, cell: str) -> bool:
    word = cell.strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise BadInput(f"{path.name}, line {number}: agreement is True or False.")
    return word in _TRUE


def unrated_rows(dataset: PreparedDataset) -> dict[int, str]:
    """The rows that no model rates, whoever scored them, and why."""
    return dict.fromkeys(dataset.tied_rows, TIED) | dict.fromkeys(dataset.identical_rows, IDENTICAL)


def trained_models(stats: Sequence[Path]) -> dict[str, bool]:
    """The models that the stats name, and whether each was trained on the dataset."""
    found: dict[str, bool] = {}
    for path in stats:
        with _reading(path) as lines:
            header = next(lines)
            for line in lines:
                row = dict(zip(header, line, strict=False))
                if row.get("model_name"):
                    word = row.get("model_trained_on_dataset", "").strip().lower()
                    found[row["model_name"]] = word in _TRUE
    return found


def _part(header: list[str]) -> Part | None:
    if tuple(header[:4]) == SCORE_COLUMNS:
        return "results"
    return "beside" if header[:1] == ["model_name"] or header == FAILED_COLUMNS else None


def _read(given: Given) -> list[FromCsv]:
    """The files of scores as one finished run: one file a model, the stats if given.

    A model is called as it was named, else as the stats or the catalog know the file's name, else
    by that name. Verdicts are computed anew from the scores, as float32; a note counts where the
    file says otherwise. Files `...-failed.csv` add rows without scores.

    Raises:
        BadInput: a row id is not in the dataset or comes twice, or two files are of one model.
    """
    found, kinds = given.dataset, by_kind(given.paths)
    trained = trained_models(kinds.stats)
    names = [given.names.get(path) or _model_name(path, list(trained)) for path in kinds.scores]
    if len(set(names)) < len(names):
        raise BadInput("Two files would be the same model.", "Name each with --model.")
    unrated = unrated_rows(found)
    scores = [read_scores(path, found, unrated, kinds.failed) for path in kinds.scores]
    cards = {name: _card(name, trained.get(name)) for name in names}
    began, slug = started(kinds.scores[0])
    row_ids = sorted({row_id for one in scores for row_id in one.rows})
    if not row_ids:
        raise BadInput("These files of scores hold no row.", "Give files that were not cut.")
    notes = tuple(_notes(scores, found.rows, len(row_ids)))
    spec = CompareSpec(
        dataset=given.request,
        models=tuple(names),
        row_ids=None if len(row_ids) == found.rows else tuple(row_ids),
    )
    table = _table(names, scores, found, list(cards.values()))
    cards_of_run = list(cards.values())
    run = Elsewhere(
        id=slug,
        name="",
        created=began,
        started=None,
        finished=time.time(),
        computed=0,
        notes=notes,
        kind=spec.kind,
        spec=spec,
        dataset=found,
        rows=len(row_ids),
        done=len(table),
        total=len(table),
        write=partial(write_comparison, dataset=found, cards=cards, table=table),
        manifest={
            "seed": spec.seed,
            "random_sample": spec.row_ids is None,
            "texts_computed": 0,
            "trust": trust_strips(
                table, summarise(with_prompts(table, found)), cards_of_run, found, {}
            ),
            "imported": {"files": [path.name for path in given.paths], "names": names},
        },
    )
    return [FromCsv(run, tuple(names))]


def _model_name(path: Path, known: Sequence[str]) -> str:
    """The model of a file: the name among the stats or the catalog that makes it, else its own."""
    slug = name_of(path)
    for name in (*known, *reward_models.offered()):
        if slug.lower() in (
            ModelCard(id=part).slug.lower() for part in (name, name.split("/")[-1])
        ):
            return name
    return slug


def _card(name: str, trained: bool | None) -> ModelCard:
    """What is known of a model whose scores were made elsewhere: not its weights, nor its input."""
    known = reward_models.card(name) if name in reward_models.offered() else ModelCard(id=name)
    return ModelCard(
        id=known.id,
        parameters=known.parameters,
        licence=known.licence,
        trained_on_hh=known.trained_on_hh if trained is None else trained,
        seen_hashes=known.seen_hashes,
        note="Scores imported; the revision of the weights and the input format are not known.",
    )


def _notes(scores: Sequence[Scores], rows: int, judged: int) -> Iterator[str]:
    yield "Scores imported from CSV; nothing was computed here."
    yield from rows_note(judged, rows)
    for one in scores:
        if one.otherwise:
            yield (
                f"{one.path.name} gives {one.otherwise:,} of {len(one.rows):,} verdicts otherwise "
                "than its scores do; the scores count."
            )
        if one.identical:
            rows_are = (
                "row with identical sides is"
                if one.identical == 1
                else ("rows with identical sides are")
            )
            yield f"{one.path.name}: {one.identical:,} {rows_are} left out."


def _table(
    names: Sequence[str],
    scores: Sequence[Scores],
    dataset: PreparedDataset,
    cards: Sequence[ModelCard],
) -> pd.DataFrame:
    """The scores table, made as for a run of our own: from parts."""
    root = data_dir()
    folder = root / "runs" / f".importing-{uuid4().hex[:8]}"
    with storage_errors(root):
        folder.mkdir(parents=True)
        parts = Parts(folder)
        try:
            for name, one in zip((card.id for card in cards), scores, strict=True):
                for step, chunk in enumerate(seeded_chunks(list(one.rows), 0, _CHUNK)):
                    rows = [one.rows[row_id].as_list() for row_id in chunk]
                    parts.append(f"scores|{step}|{name}", rows)
            return scores_table(parts, [card.id for card in cards], dataset, cards)
        finally:
            parts.path.unlink(missing_ok=True)
            folder.rmdir()


CSVS = CsvFiles(begins=",".join(SCORE_COLUMNS), part=_part, read=_read)
