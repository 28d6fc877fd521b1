"""Two runs on the pairs they share: how far they agree with the choice, and with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ivan_core.metrics.agreement import agreement, count_verdicts, rated
from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.sentences import interval, percent


@dataclass(frozen=True, slots=True)
class ModelPair:
    """A model of the first run beside one of the second, on the pairs that both rated.

    `changed` counts pairs whose verdicts differ; of these `gained` agree only in the second run and
    `lost` only in the first. `correlation` is Pearson's of the margins, None below 3 pairs or where
    one margin is the same everywhere.
    """

    first: str
    second: str
    n: int
    changed: int
    gained: int
    lost: int
    correlation: float | None


@dataclass(frozen=True, slots=True)
class TwoRuns:
    """Two runs on one dataset: `first` and `second` give each model's agreement on shared rows."""

    rows: tuple[int, int]
    shared: int
    first: tuple[tuple[str, Rate | None], ...]
    second: tuple[tuple[str, Rate | None], ...]
    pairs: tuple[ModelPair, ...]


def two_runs(first: pd.DataFrame, second: pd.DataFrame) -> TwoRuns:
    """Set two scores tables of the same dataset beside each other, on the row ids in both.

    A model that is in both runs is paired with itself; the others of each run are paired with each
    other.
    """
    mine, theirs = set(first["row_id"]), set(second["row_id"])
    shared = mine & theirs
    ours = first[first["row_id"].isin(shared)]
    others = second[second["row_id"].isin(shared)]
    names = list(dict.fromkeys(first["model"])), list(dict.fromkeys(second["model"]))
    same = [(name, name) for name in names[0] if name in names[1]]
    rest = [[name for name in own if (name, name) not in same] for own in names]
    paired = same + [(one, other) for one in rest[0] for other in rest[1]]
    return TwoRuns(
        rows=(len(mine), len(theirs)),
        shared=len(shared),
        first=tuple((name, _rate(ours, name)) for name in names[0]),
        second=tuple((name, _rate(others, name)) for name in names[1]),
        pairs=tuple(_pair(ours, others, one, other) for one, other in paired),
    )


def two_runs_sentence(found: TwoRuns, first: str, second: str) -> str:
    """What two runs have in common, in words to be copied; `first` and `second` name them."""
    if not found.shared:
        return f"{first} and {second} share no rows."
    rows = (
        f"all {found.shared:,} rows"
        if found.rows == (found.shared, found.shared)
        else f"{found.shared:,} rows (of {found.rows[0]:,} and {found.rows[1]:,})"
    )
    rates = [dict(found.first), dict(found.second)]
    told = [f"{first} and {second} share {rows}."]
    for pair in found.pairs:
        name = pair.first if pair.first == pair.second else f"{pair.first} and {pair.second}"
        one, other = _told(rates[0][pair.first]), _told(rates[1][pair.second])
        words = f"{name}: agreement {one}, then {other}" if one != other else f"{name}: {one} both"
        words += f"; {pair.changed:,} of {pair.n:,} verdicts differ"
        if pair.changed:
            words += f" ({pair.gained:,} gained, {pair.lost:,} lost)"
        if pair.correlation is not None:
            words += f"; margins correlate at {_correlation(pair.correlation)}"
        told.append(f"{words}.")
    return " ".join(told)


def _rate(table: pd.DataFrame, model: str) -> Rate | None:
    return agreement(count_verdicts(_own(table, model)))


def _own(table: pd.DataFrame, model: str) -> pd.DataFrame:
    return table[table["model"].eq(model).to_numpy(bool, na_value=False)]


def _pair(first: pd.DataFrame, second: pd.DataFrame, one: str, other: str) -> ModelPair:
    columns = ["row_id", "verdict", "margin"]
    both = rated(_own(first, one))[columns].merge(
        rated(_own(second, other))[columns], on="row_id", suffixes=("_first", "_second")
    )
    # As objects: tables read from files keep verdicts as categories, which may differ in number.
    judged = both["verdict_first"].to_numpy(object), both["verdict_second"].to_numpy(object)
    before, after = judged[0] == "agree", judged[1] == "agree"
    return ModelPair(
        first=one,
        second=other,
        n=len(both),
        changed=int((judged[0] != judged[1]).sum()),
        gained=int((after & ~before).sum()),
        lost=int((before & ~after).sum()),
        correlation=_pearson(both["margin_first"], both["margin_second"]),
    )


def _pearson(one: pd.Series, other: pd.Series) -> float | None:
    x, y = one.to_numpy(float), other.to_numpy(float)
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    # Rounded, so that equal margins give exactly 1.
    return round(float(np.corrcoef(x, y)[0, 1]), 12)


def _told(rate: Rate | None) -> str:
    if rate is None:
        return "none rated"
    return f"{percent(rate.rate, rate.n)} {interval(rate)} of {rate.n:,}"


def _correlation(value: float) -> str:
    """Three decimals; only exactly 1 is called so."""
    text = f"{value:.3f}"
    return "over 0.999" if text == "1.000" and value < 1 else text
