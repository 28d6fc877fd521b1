"""Importing the original's `data/compare/*.csv`: checked line by line, joined to a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.datasets.chosen_rows import seeded_chunks
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.pairs import IDENTICAL, TIED
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.csvs.columns import cells_of, decimals, whole_numbers, yes_or_no
from ivan_core.engine.csvs.files import (
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
from ivan_core.experiments.compare.tables import KEPT, table_of, with_prompts
from ivan_core.metrics.summary import summarise
from ivan_core.models import reward_models

if TYPE_CHECKING:
    import pandas as pd

_CHUNK = 4_096
SCORE_COLUMNS = ("row_id", "chosen_score", "rejected_score", "agreement")
FAILED_COLUMNS = ["row_id", "reason"]
_NAME = "model_name"
"""The first column of a file of stats."""


@dataclass(frozen=True)
class Scores:
    """One model's file: its rows, and how many verdicts the file gives otherwise than its scores.

    `rows` has the columns KEPT. `identical` counts rows whose sides are the same text here: the
    original rated those too.
    """

    path: Path
    rows: pd.DataFrame
    otherwise: int
    identical: int


def _scores(
    path: Path, failed: Path | None, dataset: PreparedDataset, unrated: Mapping[int, str]
) -> Scores:
    rows, said = _rated(path, unrated)
    _check_twice(path, rows["row_id"].to_numpy())
    reasons = rows["row_id"].map(unrated)
    apart = reasons.notna().to_numpy()
    rows["failure"] = rows["failure"].mask(apart, reasons)
    rows.loc[apart, ["chosen_reward", "rejected_reward"]] = np.nan
    chosen, rejected = (rows[name].to_numpy() for name in KEPT[1:3])
    judged = ~np.isnan(chosen - rejected)
    otherwise = np.count_nonzero(judged & (said != (chosen > rejected)))
    if failed is not None:
        rows = _with_failed(rows, failed, unrated)
    row_ids = rows["row_id"].to_numpy()
    dataset.check_row_ids(row_ids[(row_ids < 0) | (row_ids >= dataset.rows)].tolist())
    return Scores(path, rows, int(otherwise), int(reasons.eq(IDENTICAL).sum()))


def _rated(path: Path, unrated: Mapping[int, str]) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """The rows of a file as it gives them, and whether it says that the model agrees."""
    import pandas as pd

    row_id, chosen, rejected, said, plain = _columns(path)
    failure = np.full(len(row_id), None, object)
    for index, line in _lines(path, np.flatnonzero(~plain)):
        row_id[index] = line.row_id
        if line.row_id in unrated:
            continue
        sides = [_reward(line, column) for column in SCORE_COLUMNS[1:3]]
        chosen[index], rejected[index] = (
            np.nan if side.value is None else side.value for side in sides
        )
        failure[index] = "; ".join(side.failure for side in sides if side.failure) or None
        if failure[index] is None:
            said[index] = _agreement(line)
    cut = np.zeros(len(row_id), np.bool_)
    rows = dict(zip(KEPT, (row_id, chosen, rejected, cut, cut, failure), strict=True))
    return pd.DataFrame(rows), said


def _columns(path: Path) -> tuple[NDArray[Any], ...]:
    """Row ids, both rewards, what the file says of the verdict, and which lines are all plain."""
    cells = cells_of(path)
    if cells is None:
        count = sum(1 for _ in lines_of(path))
        kinds = (np.int64, np.float64, np.float64, np.bool_, np.bool_)
        return tuple(np.zeros(count, kind) for kind in kinds)
    row_id = whole_numbers(cells["row_id"])
    said = yes_or_no(cells["agreement"])
    rewards, plain = [], row_id.plain & said.plain
    for name in SCORE_COLUMNS[1:3]:
        column = decimals(cells[name])
        with np.errstate(over="ignore"):
            rewards.append(column.values.astype(np.float32).astype(np.float64))
        plain &= column.plain & np.isfinite(rewards[-1])
    return np.array(row_id.values), *rewards, said.values, plain


def _lines(path: Path, places: NDArray[np.intp]) -> Iterator[tuple[int, Line]]:
    """Some lines of a file and their places among all; the file is not read for none."""
    wanted = set(places.tolist())
    if wanted:
        yield from ((at, line) for at, line in enumerate(lines_of(path)) if at in wanted)


def _check_twice(path: Path, row_ids: NDArray[np.int64]) -> None:
    first = np.unique(row_ids, return_index=True)[1]
    again = np.setdiff1d(np.arange(len(row_ids)), first, assume_unique=True)
    for _, line in _lines(path, again[:1]):
        raise _twice(line)


def _twice(line: Line) -> BadInput:
    return line.wrong(f"row {line.row_id} comes twice.")


def _with_failed(rows: pd.DataFrame, failed: Path, unrated: Mapping[int, str]) -> pd.DataFrame:
    """The rows of a model, and those that its file of failures lists."""
    import pandas as pd

    known, listed, records = np.sort(rows["row_id"].to_numpy()), set[int](), []
    for line in lines_of(failed):
        at = np.searchsorted(known, line.row_id)
        if line.row_id in listed or line.row_id in known[at : at + 1]:
            raise _twice(line)
        listed.add(line.row_id)
        reason = unrated.get(line.row_id) or line.cell("reason")[:300] or "failed"
        records.append((line.row_id, np.nan, np.nan, False, False, reason))
    if not records:
        return rows
    more = pd.DataFrame.from_records(records, columns=list(KEPT)).astype(rows.dtypes)
    return pd.concat([rows, more], ignore_index=True)


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
    there = np.zeros(found.rows, np.bool_)
    for one in scores:
        there[one.rows["row_id"].to_numpy()] = True
    row_ids = np.flatnonzero(there)
    if not len(row_ids):
        raise BadInput("These files of scores hold no row.", "Give files that were not cut.")
    spec = CompareSpec(
        dataset=given.request,
        models=tuple(names),
        row_ids=None if len(row_ids) == found.rows else tuple(row_ids.tolist()),
    )
    of_run = list(cards.values())
    table = table_of(_scored(of_run, scores), [one.id for one in of_run], found, of_run)
    summaries = summarise(with_prompts(table, found))
    came = replace(
        comparison(found, cards, table, summaries),
        who=tuple(names),
        notes=tuple(_notes(scores, found.rows, len(row_ids))),
    )
    trust = trust_strips(table, summaries, of_run, found, {})
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


def _scored(cards: Sequence[ModelCard], scores: Sequence[Scores]) -> pd.DataFrame:
    """The scores of all files, in the chunks in which a run of our own would make them."""
    import pandas as pd

    steps = {rows: _steps(rows) for rows in {len(one.rows) for one in scores}}
    of_models = [one.rows.assign(step=steps[len(one.rows)]) for one in scores]
    codes = np.repeat(np.arange(len(scores)), [len(one.rows) for one in scores])
    models = pd.Categorical.from_codes(codes, [card.id for card in cards])
    return pd.concat(of_models, ignore_index=True).assign(model=models)


def _steps(rows: int) -> NDArray[np.int64]:
    """The chunk of each of so many rows."""
    found = np.empty(rows, np.int64)
    for step, chunk in enumerate(seeded_chunks(list(range(rows)), 0, _CHUNK)):
        found[chunk] = step
    return found


CSVS = CsvFiles(begins=",".join(SCORE_COLUMNS), part=_part, read=_read)
