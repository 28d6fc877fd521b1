"""Importing the original's `data/compare/*.csv`: checked line by line, joined to a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ivan_core.datasets.prepared import PreparedDataset, seeded_chunks
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, Reward, verdict
from ivan_core.domain.pairs import IDENTICAL, TIED
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.csv_files import (
    CsvFiles,
    FromCsv,
    Given,
    Line,
    Part,
    each,
    header_of,
    lines_of,
    name_of,
    rows_note,
    with_beside,
)
from ivan_core.experiments.compare.archive import comparison
from ivan_core.experiments.compare.results import trust_strips
from ivan_core.experiments.compare.tables import scores_table, with_prompts
from ivan_core.experiments.compare.units import ScoredRow
from ivan_core.metrics.summary import summarise
from ivan_core.models import reward_models

_CHUNK = 4_096
SCORE_COLUMNS = ("row_id", "chosen_score", "rejected_score", "agreement")
FAILED_COLUMNS = ["row_id", "reason"]
_NAME = "model_name"
"""The first column of a file of stats."""


@dataclass(frozen=True)
class Scores:
    """One model's file: its rows, and how many verdicts the file gives otherwise than its scores.

    `identical` counts rows whose sides are the same text here: the original rated those too.
    """

    path: Path
    rows: dict[int, ScoredRow]
    otherwise: int
    identical: int


def _scores(
    path: Path, failed: Path | None, dataset: PreparedDataset, unrated: Mapping[int, str]
) -> Scores:
    rows: dict[int, ScoredRow] = {}
    otherwise = same = 0
    for line in lines_of(path):
        row_id = _row_id(line, rows)
        if row_id in unrated:
            same += unrated[row_id] == IDENTICAL
            rows[row_id] = ScoredRow(row_id, Reward(None), Reward(None), unrated[row_id])
            continue
        chosen, rejected = (_reward(line, column) for column in SCORE_COLUMNS[1:3])
        reasons = [r.failure for r in (chosen, rejected) if r.failure]
        rows[row_id] = ScoredRow(row_id, chosen, rejected, "; ".join(reasons) or None)
        judged = verdict(chosen, rejected)
        otherwise += judged is not None and _agreement(line) != (judged == "agree")
    for line in lines_of(failed) if failed is not None else ():
        row_id = _row_id(line, rows)
        reason = unrated.get(row_id) or line.cell("reason")[:300] or "failed"
        rows[row_id] = ScoredRow(row_id, Reward(None), Reward(None), reason)
    dataset.check_row_ids(list(rows))
    return Scores(path, rows, otherwise, same)


def _row_id(line: Line, known: Mapping[int, ScoredRow]) -> int:
    if line.row_id in known:
        raise line.wrong(f"row {line.row_id} comes twice.")
    return line.row_id


def _reward(line: Line, column: str) -> Reward:
    cell = line.cell(column)
    if not cell:
        return Reward(None, failure="no score in the imported file")
    try:
        return Reward.measured(float(cell))
    except ValueError:
        raise line.wrong(f"{cell[:40]!r} is no score.") from None


def _agreement(line: Line) -> bool:
    said = line.yes("agreement")
    if said is None:
        raise line.wrong("agreement is True or False.")
    return said


def unrated_rows(dataset: PreparedDataset) -> dict[int, str]:
    """The rows that no model rates, whoever scored them, and why."""
    return dict.fromkeys(dataset.tied_rows, TIED) | dict.fromkeys(dataset.identical_rows, IDENTICAL)


def _part(header: list[str]) -> Part | None:
    if tuple(header[:4]) == SCORE_COLUMNS:
        return "results"
    return "beside" if header[:1] == [_NAME] or header == FAILED_COLUMNS else None


def _read(given: Given) -> list[FromCsv]:
    """One run: a file a model, with the rows that failed from those beside them, and the stats."""
    found = given.dataset
    stats = [path for path in given.paths if header_of(path)[:1] == [_NAME]]
    files = with_beside([path for path in given.paths if path not in stats], _part, "scores")
    trained = {
        line.cell(_NAME): line.yes("model_trained_on_dataset") is True
        for path in stats
        for line in lines_of(path)
        if line.cell(_NAME)
    }
    names = [given.names.get(path) or _model_name(path, list(trained)) for path, _ in files]
    if len(set(names)) < len(names):
        raise BadInput(
            "Two files would be the same model.", "Give each a name of its own (--model)."
        )
    unrated = unrated_rows(found)
    scores = each(files, lambda pair: _scores(pair[0], pair[1], found, unrated))
    cards = {name: _card(name, trained.get(name)) for name in names}
    row_ids = sorted({row_id for one in scores for row_id in one.rows})
    if not row_ids:
        raise BadInput("These files of scores hold no row.", "Give files that were not cut.")
    spec = CompareSpec(
        dataset=given.request,
        models=tuple(names),
        row_ids=None if len(row_ids) == found.rows else tuple(row_ids),
    )
    of_run = list(cards.values())
    table = scores_table(_parts(of_run, scores), [one.id for one in of_run], found, of_run)
    came = replace(
        comparison(found, cards, table),
        who=tuple(names),
        notes=tuple(_notes(scores, found.rows, len(row_ids))),
    )
    trust = trust_strips(table, summarise(with_prompts(table, found)), of_run, found, {})
    return [FromCsv(given.paths, names, spec, came, {"texts_computed": 0, "trust": trust})]


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


def _parts(cards: Sequence[ModelCard], scores: Sequence[Scores]) -> Iterator[tuple[str, list[Any]]]:
    """The scores as a run of our own keeps them."""
    for card, one in zip(cards, scores, strict=True):
        for step, chunk in enumerate(seeded_chunks(list(one.rows), 0, _CHUNK)):
            yield f"scores|{step}|{card.id}", [one.rows[row_id].as_list() for row_id in chunk]


CSVS = CsvFiles(begins=",".join(SCORE_COLUMNS), part=_part, read=_read)
