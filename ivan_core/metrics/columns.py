"""Agreement by the values of any column of a dataset, and a user column on both sides.

Values come as a series with the row ids as its index. A column of numbers with many values is cut
into quarters of the pairs; any other is taken value by value, the 12 most frequent.

A user column has one number for each side of a row, NaN where a side has none. Ranges that a click
asks for are made of values that occur, so that they hold exactly the rows that were counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.agreement import ALL_SUBSETS, BARS, bars_by, by_model, rated, says
from ivan_core.metrics.bins import bin_of
from ivan_core.metrics.intervals import rate_in, with_minus
from ivan_core.metrics.sentences import percent

MOST_VALUES = 12
NO_VALUE = "(no value)"
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
    rows: list[dict[str, object]] = []
    for model, own in by_model(table):
        rows += bars_by(model, own, _codes_of(own, groups), groups.names)
    return pd.DataFrame(rows, columns=BARS)


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
    known = values[~missing]
    if not isinstance(known.dtype, pd.StringDtype):
        # Lists and other values that cannot be compared are told apart by their words.
        known = known.map(str)
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


Floats = NDArray[np.float64]

LARGER = ("chosen", "equal", "rejected")
"""Which side has the larger number."""
FEW = 6
"""Up to so many different values have a bar each; more are counted in bins."""
_TAIL = 0.005
_LARGEST = 1e300
_BINS = ["bin", "x0", "x1", "low", "high", "side", "count", "n", "share"]
_AGREEMENT = [
    "model",
    "larger",
    "agree",
    "n",
    "rate",
    "rate_low",
    "rate_high",
    "low",
    "high",
    "effective_n",
]


def column_bins(chosen: Floats, rejected: Floats, bins: int = 30) -> pd.DataFrame:
    """Count the values of both sides, one row a bin and side, in the order of values.

    Columns: bin (from 0), x0 and x1 (where the bin is drawn), low and high (the smallest and the
    largest value in it), side, count, n (values of the side), share (count / n). Up to 6 different
    values have a bin each, with x0 = x1. Else bins are equally wide, and whole numbers never share
    theirs with a part of a number; a thin tail (0.5% at an end that is longer than all the rest)
    is counted in the last bin before it. Bins that are empty on both sides are left out.
    """
    known = {side: _known(v) for side, v in zip(SIDES, (chosen, rejected), strict=True)}
    values = np.concatenate(list(known.values()))
    if not values.size:
        return pd.DataFrame(columns=_BINS)
    distinct = np.unique(values)
    few = len(distinct) <= FEW
    edges = distinct if few else _edges(values, bins)
    place = _place_few if few else bin_of
    parts = {side: place(own, edges) for side, own in known.items()}
    everywhere = np.concatenate(list(parts.values()))
    found: list[tuple[object, ...]] = []
    for number in np.unique(everywhere):
        inside = values[everywhere == number]
        x0, x1 = (edges[number], edges[number]) if few else (edges[number], edges[number + 1])
        for side, own in parts.items():
            count = int(np.count_nonzero(own == number))
            share = count / own.size if own.size else 0.0
            found.append(
                (int(number), x0, x1, inside.min(), inside.max(), side, count, own.size, share)
            )
    return pd.DataFrame(found, columns=_BINS)


def agreement_by_larger(table: pd.DataFrame, difference: pd.Series) -> pd.DataFrame:
    """How often each model agrees where the number is larger on the chosen side, equal, or smaller.

    `table` is the scores table, `difference` chosen minus rejected by row id. Columns: model,
    larger, agree, n (rated pairs), rate with its 95% Wilson interval (rate_low, rate_high), low and
    high (the ends of the differences there), effective_n (how many pairs without shared prompts
    give so wide an interval). Groups without a rated pair are left out.
    """
    own = rated(table)
    apart = difference.reindex(own["row_id"]).to_numpy(float)
    groups = {"chosen": apart > 0, "equal": apart == 0, "rejected": apart < 0}
    agree = says(own["verdict"], "agree")
    code, models = pd.factorize(own["model"])
    found: list[tuple[object, ...]] = []
    for number, model in enumerate(models):
        for larger in LARGER:
            inside = groups[larger] & (code == number)
            rate = rate_in(own[inside], agree[inside])
            if rate is not None:
                ends = _ends(difference, larger)
                found.append(
                    (
                        str(model),
                        larger,
                        rate.count,
                        rate.n,
                        rate.rate,
                        rate.low,
                        rate.high,
                        *ends,
                        rate.effective_n,
                    )
                )
    return pd.DataFrame(found, columns=_AGREEMENT)


def sides_sentence(chosen: Floats, rejected: Floats) -> str:
    """Both means, and how often which side has more, in words."""
    both = ~(np.isnan(chosen) | np.isnan(rejected))
    n, total = int(np.count_nonzero(both)), len(both)
    if not n:
        return "No pair has a value on both sides."
    ours, theirs = chosen[both], rejected[both]
    counts = [np.count_nonzero(found) for found in (ours > theirs, ours == theirs, ours < theirs)]
    more, equal, less = (percent(int(count) / n, n) for count in counts)
    left = total - n
    lack = "pair lacks" if left == 1 else "pairs lack"
    missing = f" {left:,} {lack} a value on a side." if left else ""
    first, second = (with_minus(_mean(values), ".4g") for values in (ours, theirs))
    return (
        f"Mean {first} on the chosen side and {second} on the rejected side; "
        f"larger on the chosen side in {more}, equal in {equal}, larger on the rejected side in "
        f"{less} of {n:,} pairs.{missing}"
    )


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _mean(values: Floats) -> float:
    return float((values / len(values)).sum())  # a sum of the largest numbers would overflow


def _ends(difference: pd.Series, larger: str) -> tuple[float, float]:
    """The smallest and the largest difference of a group, over all rows."""
    values = difference.to_numpy(float)
    if larger == "equal":
        return 0.0, 0.0
    own = values[values > 0] if larger == "chosen" else values[values < 0]
    return float(own.min()), float(own.max())


def _edges(values: Floats, bins: int) -> Floats:
    within = np.clip(values, -_LARGEST, _LARGEST)
    least, low, high, most = (float(q) for q in np.quantile(within, [0, _TAIL, 1 - _TAIL, 1]))
    span = high - low
    low = low if span and low - least > span else least
    high = high if span and most - high > span else most
    if np.all(values == np.floor(values)) and high - low < 1e15:
        width = max(1, int(np.ceil((high - low + 1) / bins)))
        return np.arange(np.floor(low), high + width + 1, width, dtype=np.float64)
    return np.linspace(low, high, bins + 1)


def _place_few(values: Floats, distinct: Floats) -> NDArray[np.int64]:
    return np.searchsorted(distinct, values).astype(np.int64)
