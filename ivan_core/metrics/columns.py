"""Agreement by the values of any column that a dataset brings along.

Values come as a series with the row ids as its index. A column of numbers with many values is cut
into quarters of the pairs; any other is taken value by value, the 12 most frequent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.agreement import ALL_SUBSETS, VERDICTS, bar_parts
from ivan_core.metrics.prompts import PROMPT, design_in

MOST_VALUES = 12
NO_VALUE = "(no value)"
COLUMNS = ["model", "subset", "verdict", "count", "share", "n", "rate", "low", "high"]
COLUMNS += ["rule", "rule_rate", "effective_n"]
_PARTS = (0.25, 0.5, 0.75)

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Groups:
    """Which group each row is in.

    `codes` has the row ids as its index and holds the place of the row's group in `names`, or -1
    where the value is too rare to be shown; `left_out` counts the values that are not shown.
    """

    codes: pd.Series
    names: tuple[str, ...]
    kind: Literal["values", "quarters"]
    left_out: int


def column_groups(values: pd.Series, row_ids: pd.Series | None = None) -> Groups:
    """Put the rows into at most 12 groups by their values, and those without a value into another.

    `row_ids` are the rows that count towards frequencies and quarters; all by default. Numbers with
    more than 12 different values become quarters, named by their smallest and largest value;
    infinite numbers count as no value.
    """
    shown = values if row_ids is None else values.reindex(pd.unique(row_ids))
    if pd.api.types.is_numeric_dtype(shown) and not pd.api.types.is_bool_dtype(shown):
        numbers = shown.to_numpy(float, na_value=np.nan)
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        found = np.unique(numbers[~np.isnan(numbers)])
        if len(found) > MOST_VALUES:
            codes, names = _quarters(numbers)
            return _groups(codes, names, shown.index, "quarters", 0)
        codes = np.where(np.isnan(numbers), len(found), np.searchsorted(found, numbers))
        return _groups(codes, _spans([(value, value) for value in found]), shown.index, "values", 0)
    return _by_value(shown)


def by_column(
    table: pd.DataFrame, values: pd.Series, row_ids: pd.Series | None = None
) -> pd.DataFrame:
    """Agreement by the values of a column, in the columns of `metrics.agreement.by_subset`.

    One row per model, group (in the column subset) and verdict; all pairs of a model come first,
    rare values among them. Groups are listed only if there are several. Columns: model, subset,
    verdict, count, share, n, rate, low, high, rule, rule_rate, effective_n. `row_ids` are the rows
    that groups are made of, those of the table by default: where pairs are left out of the count,
    groups stay those of all rows.
    """
    groups = column_groups(values, table["row_id"] if row_ids is None else row_ids)
    group = _codes_of(table, groups)
    model, models = pd.factorize(table["model"])
    verdict = np.asarray(pd.Categorical(table["verdict"], VERDICTS).codes, dtype=np.int64)
    longer = np.sign(
        table["chosen_length"].to_numpy(np.int64) - table["rejected_length"].to_numpy(np.int64)
    )
    # Every row in one cell of model, group, verdict and which reply is longer; rare values last.
    shape = (len(models), len(groups.names) + 1, len(VERDICTS), 3)
    own = verdict >= 0
    place = (model, np.where(group < 0, len(groups.names), group), verdict, longer + 1)
    cell = np.ravel_multi_index(tuple(part[own] for part in place), shape)
    counts = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    rows: list[dict[str, object]] = []
    for number, (name, cells) in enumerate(zip(models, counts, strict=True)):
        of_model = own & (model == number)
        design = _design(table, of_model, verdict)
        rows += _bar(str(name), ALL_SUBSETS, cells.sum(axis=0), design)
        if len(groups.names) > 1:
            for at, (label, part) in enumerate(zip(groups.names, cells, strict=False)):
                design = _design(table, of_model & (group == at), verdict)
                rows += _bar(str(name), label, part, design)
    return pd.DataFrame(rows, columns=COLUMNS)


def _codes_of(table: pd.DataFrame, groups: Groups) -> Codes:
    at = groups.codes.index.get_indexer(table["row_id"])
    return np.asarray(groups.codes.to_numpy(np.int64)[at], dtype=np.int64)


def _quarters(numbers: NDArray[np.float64]) -> tuple[Codes, list[str]]:
    """Four groups of about as many rows each; equal values stay together, so there may be fewer."""
    missing = np.isnan(numbers)
    known = np.sort(numbers[~missing])
    edges = np.unique(np.quantile(known, _PARTS, method="lower"))
    ends = np.searchsorted(known, edges, side="right")
    starts = [start for start in (0, *ends.tolist()) if start < len(known)]
    last = [*(start - 1 for start in starts[1:]), len(known) - 1]
    spans = [(float(known[a]), float(known[b])) for a, b in zip(starts, last, strict=True)]
    codes = np.searchsorted(edges, numbers, side="left")
    return np.where(missing, len(spans), codes), _spans(spans)


def _by_value(values: pd.Series) -> Groups:
    missing = values.isna().to_numpy(bool)
    # Lists and other values that cannot be compared are told apart by their words.
    known = values[~missing].map(str)
    found, words = pd.factorize(known)
    names = [_word(str(word)) for word in words]
    counts: dict[str, int] = {}
    for name, count in zip(names, np.bincount(found, minlength=len(names)).tolist(), strict=True):
        counts[name] = counts.get(name, 0) + count
    without = counts.pop(NO_VALUE, 0) + int(missing.sum())
    most = MOST_VALUES - (without > 0)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))[:most]
    place = {name: i for i, name in enumerate([*ranked, NO_VALUE])}
    codes = np.full(len(values), len(ranked), dtype=np.int64)
    codes[~missing] = np.array([place.get(name, -1) for name in names], dtype=np.int64)[found]
    return _groups(codes, ranked, values.index, "values", len(counts) - len(ranked))


def _word(word: str) -> str:
    # A value that is itself called "all" must not be drawn as the bar of all pairs.
    return "all (value)" if word == ALL_SUBSETS else word.strip() or NO_VALUE


def _groups(
    codes: Codes,
    names: list[str],
    row_ids: pd.Index,
    kind: Literal["values", "quarters"],
    left_out: int,
) -> Groups:
    """The groups; rows without a value, coded one past the names, become a group if there are."""
    if (codes == len(names)).any():
        names = [*names, NO_VALUE]
    return Groups(pd.Series(codes.astype(np.int64), row_ids), tuple(names), kind, left_out)


def _design(table: pd.DataFrame, rows: NDArray[np.bool_], verdict: Codes) -> float:
    """The design effect of the agreement on these rows."""
    if PROMPT not in table.columns:
        return 1.0
    return design_in(table.loc[rows, [PROMPT]], verdict[rows] == VERDICTS.index("agree"))


def _bar(model: str, subset: str, cells: Codes, design: float) -> list[dict[str, object]]:
    """The three parts of one bar from counts by verdict and by which reply is longer."""
    counts, (shorter, _, longer) = cells.sum(axis=1).tolist(), cells.sum(axis=0).tolist()
    n, better = sum(counts), "shorter" if shorter > longer else "longer"
    rule = (better, max(shorter, longer) / n) if n else None
    return bar_parts(model, subset, dict(zip(VERDICTS, counts, strict=True)), rule, design)


def _spans(spans: list[tuple[float, float]]) -> list[str]:
    """The spans in words, with as many digits as tell them apart."""
    for digits in (3, 4, 6, 9, 17):
        words = [(_number(low, digits), _number(high, digits)) for low, high in spans]
        names = [low if low == high else f"{low} to {high}" for low, high in words]
        if len(set(names)) == len(names):
            break
    return names


def _number(value: float, digits: int) -> str:
    if abs(value) < 1e15 and (value.is_integer() or abs(value) >= 10**digits):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
