"""The files that the original writes under `data/compare/`, read line by line and checked."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import IDENTICAL, TIED
from ivan_core.domain.rewards import Reward, verdict
from ivan_core.experiments.compare.tables import ScoredRow

SCORE_COLUMNS = ("row_id", "chosen_score", "rejected_score", "agreement")
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
        elif header == ["row_id", "reason"]:
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
