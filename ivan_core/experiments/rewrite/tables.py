"""The tables of a rewording run, from its parts: rewards, similarity to the original, labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.domain.specs import RewriteSpec
from ivan_core.experiments.rewrite.rows import Missing, RewordedPair, read_labels, read_pairs
from ivan_core.experiments.rewrite.units import Stage, Unit, Variant, units_of_rows, variants_of
from ivan_core.labels.table import label_column
from ivan_core.metrics.robustness.changes import REWORDED
from ivan_core.runs.context import Parts
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    import pandas as pd

SCORES = (
    "row_id",
    "model",
    "variant",
    "chosen_reward",
    "rejected_reward",
    "chosen_truncated",
    "rejected_truncated",
    "failure",
)
"""One row a pair, model and variant; a reward that is not there is NaN."""
SIMILARITIES = (
    "row_id",
    "variant",
    "chosen_similarity",
    "rejected_similarity",
    "chosen_length_ratio",
    "rejected_length_ratio",
    "chosen_tries",
    "rejected_tries",
    "chosen_reason",
    "rejected_reason",
)
"""One row a pair and reworded variant; ratios are characters of the whole texts, new by old."""
LABELS = ("row_id", "preference", "variant", "again", *REWRITE_FEATURES, "status", "reused_from")
"""One row a labelled text; `again` marks an original that was labelled a second time, `reused_from`
is the run whose answer it is, or empty where it was asked for here."""
SCORES_FILE, SIMILARITIES_FILE, LABELS_FILE = "table.parquet", "likeness.parquet", "labels.parquet"
"""Where they lie in the folder of a finished run."""
SCORE_TYPES = {
    **dict.fromkeys(SCORES[3:5], "float64"),
    **dict.fromkeys(SCORES[5:7], "bool"),
    "model": "string",
    "variant": "string",
    "failure": "string",
}
SIMILARITIES_TYPES = {
    **dict.fromkeys(SIMILARITIES[2:6], "float64"),
    **dict.fromkeys(SIMILARITIES[6:8], "int64"),
    "variant": "string",
    "chosen_reason": "string",
    "rejected_reason": "string",
}
LABEL_TYPES = {
    "preference": "string",
    "variant": "string",
    "again": "bool",
    "status": "string",
    "reused_from": "string",
}
_REASONS = ("variant", "chosen_reason", "rejected_reason")
_AT_ONCE = 20_000
"""Pairs held with their texts. A chunk's rows lie far apart, so it is read for each of them."""


@dataclass(frozen=True)
class Measured:
    """The three tables of a run: rewards, similarities to the original, labels."""

    scores: pd.DataFrame
    similarities: pd.DataFrame
    labels: pd.DataFrame


class Tables:
    """The tables of the finished units of a run, whatever order they were finished in."""

    def __init__(
        self, parts: Parts, spec: RewriteSpec, dataset: PreparedDataset, units: Sequence[Unit]
    ) -> None:
        self._parts, self._spec, self._dataset = parts, spec, dataset
        self._units = [unit for unit in units if unit.key in parts]
        self._unit_of = units_of_rows(self._units)

    @property
    def row_ids(self) -> list[int]:
        """The rows that are reworded so far, in the order of the dataset."""
        return sorted(self._unit_of)

    def measured(self) -> Measured:
        """All three of them."""
        return Measured(self.scores(), self.similarities(), self.labels())

    def scores(self) -> pd.DataFrame:
        """Rewards, by row id, then model and variant in the order of the spec."""
        records = [
            (row_id, unit.model, variant, chosen, rejected, bool(cut), bool(other_cut), failure)
            for unit, rows in self._kept("scores")
            for row_id, variant, chosen, rejected, cut, other_cut, failure in rows
        ]
        order = (*self._spec.models,)
        records.sort(key=lambda row: (row[0], order.index(row[1]), self._place(row[2])))
        return _frame(records, SCORES, SCORE_TYPES)

    def similarities(self) -> pd.DataFrame:
        """How like its original each reworded text is, by row id and variant."""
        similar = {
            (row_id, variant): (chosen, rejected)
            for _, rows in self._kept("similar")
            for row_id, variant, chosen, rejected in rows
        }
        records = []
        for one in self.pairs(self.row_ids):
            for variant in variants_of(self._spec)[1:]:
                records.append(
                    (
                        one.pair.row_id,
                        variant,
                        *similar.get((one.pair.row_id, variant), (None, None)),
                        *(length_ratio(one, variant, side) for side in (0, 1)),
                        *one.tries[variant],
                        *map(_reason, one.missing[variant]),
                    )
                )
        return _frame(records, SIMILARITIES, SIMILARITIES_TYPES)

    def labels(self) -> pd.DataFrame:
        """The five labels, by row id, side and variant; none where nobody labels."""
        records: list[tuple[Any, ...]] = []
        stages: tuple[Stage, ...] = ("labels", "again")
        for stage in stages:
            for _, rows in self._kept(stage):
                for row in rows:
                    one = read_labels(row)
                    records.append(
                        (
                            one.row_id,
                            one.preference,
                            one.variant,
                            stage == "again",
                            *(one.labels.get(key) for key in REWRITE_FEATURES),
                            one.status,
                            one.reused,
                        )
                    )
        records.sort(key=lambda row: (row[0], row[1], self._place(row[2]), row[3]))
        return labels_frame(records)

    def pairs(self, row_ids: Sequence[int]) -> Iterator[RewordedPair]:
        """Pairs with their texts, as many at a time as fit in memory."""
        for start in range(0, len(row_ids), _AT_ONCE):
            some = row_ids[start : start + _AT_ONCE]
            yield from read_pairs(self._parts, self._spec, self._dataset, self._unit_of, some)

    def is_unrated(self, row_id: int) -> bool:
        """Whether no model rates a pair."""
        return bool(self._dataset.pair(row_id).unrated)

    def _kept(self, stage: Stage) -> Iterator[tuple[Unit, list[Any]]]:
        for unit in self._units:
            if unit.stage == stage:
                yield unit, self._parts.rows(unit.key)

    def _place(self, variant: Variant) -> int:
        return variants_of(self._spec).index(variant)


def labels_frame(records: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """The table of labels from its rows."""
    table = _frame(records, LABELS, LABEL_TYPES)
    for name in REWRITE_FEATURES:
        values = [None if value is None else value for value in table[name].tolist()]
        column = label_column(name, values)
        table[name] = column if name != REWRITE_FEATURES[-1] else column.astype("string")
    return table


def length_ratio(one: RewordedPair, variant: Variant, side: int) -> float | None:
    """Characters of a side's text in a variant by those of the original; None without a text."""
    before, after = one.sides["original"][side], one.sides[variant][side]
    if before is None or after is None or not before.printed:
        return None
    return len(after.printed) / len(before.printed)


def _reason(missing: Missing | None) -> str | None:
    return None if missing is None else missing.reason


def _frame(
    records: Sequence[Sequence[Any]], columns: Sequence[str], types: dict[str, str]
) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame.from_records(records, columns=list(columns))
    return table.astype({"row_id": "int64", **types})


def pairs_reworded(similarities: pd.DataFrame) -> int:
    """Pairs of a table of similarity of which no side lacks its rewording."""
    own = similarities[similarities["variant"].eq(REWORDED)]
    return int(own[["chosen_reason", "rejected_reason"]].isna().all(axis=1).sum())


def pairs_reworded_by(run_id: str) -> int | None:
    """The same of a finished run; None where its table is gone or cannot be read."""
    path = data_dir() / "runs" / run_id / SIMILARITIES_FILE
    try:
        return _counted(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):  # what pyarrow says of a damaged file is a ValueError
        return None


@lru_cache(maxsize=1024)
def _counted(path: Path, _: int) -> int:
    import pandas as pd

    return pairs_reworded(pd.read_parquet(path, columns=list(_REASONS)))
