"""Two runs on the pairs they share: how far they agree with the choice, and with each other.

Where a model is known to have been trained on some of the pairs, its numbers rest on others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ivan_core.domain.words import number_of
from ivan_core.metrics.agreement import agreement_of, rated
from ivan_core.metrics.intervals import Rate, with_minus
from ivan_core.metrics.sentences import rate_words
from ivan_core.metrics.training import Training, fair_pairs, never_clear, training_of, unseen_rows

CardSays = Mapping[str, bool | None]
"""By model, whether its card says that it was trained on the dataset; None if it says nothing."""


@dataclass(frozen=True, slots=True)
class ModelPair:
    """A model of the first run beside one of the second, on the pairs that both rated.

    `left_out` counts pairs that one of them was trained on, which are no part of `n`;
    `never_clear` says why no difference of two models may be called clear.
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
    left_out: int = 0
    never_clear: str = ""


@dataclass(frozen=True, slots=True)
class TwoRuns:
    """Two runs on one dataset: `first` and `second` give each model's agreement on shared rows.

    `training` says for each run on how many of the shared rows its models were trained.
    """

    rows: tuple[int, int]
    shared: int
    first: tuple[tuple[str, Rate | None], ...]
    second: tuple[tuple[str, Rate | None], ...]
    pairs: tuple[ModelPair, ...]
    training: tuple[dict[str, Training], dict[str, Training]]


def two_runs(
    first: pd.DataFrame, second: pd.DataFrame, card_says: tuple[CardSays, CardSays] = ({}, {})
) -> TwoRuns:
    """Set two scores tables of the same dataset beside each other, on the row ids in both.

    A model that is in both runs is paired with itself; the others of each run are paired with each
    other. `card_says` is what the cards of each run's models say.
    """
    mine, theirs = set(first["row_id"]), set(second["row_id"])
    shared = mine & theirs
    ours = first[first["row_id"].isin(shared)]
    others = second[second["row_id"].isin(shared)]
    names = list(dict.fromkeys(first["model"])), list(dict.fromkeys(second["model"]))
    same = [(name, name) for name in names[0] if name in names[1]]
    rest = [[name for name in own if (name, name) not in same] for own in names]
    training = (training_of(ours, dict(card_says[0])), training_of(others, dict(card_says[1])))
    fair = unseen_rows(ours), unseen_rows(others)
    paired = same + [(one, other) for one in rest[0] for other in rest[1]]
    return TwoRuns(
        rows=(len(mine), len(theirs)),
        shared=len(shared),
        first=tuple((name, _rate(fair[0], name)) for name in names[0]),
        second=tuple((name, _rate(fair[1], name)) for name in names[1]),
        pairs=tuple(
            _pair(
                _own(ours, one),
                _own(others, other),
                training[0].get(one, Training(one, 0, 0, 0)),
                training[1].get(other, Training(other, 0, 0, 0)),
            )
            for one, other in paired
        ),
        training=training,
    )


def two_runs_sentence(found: TwoRuns, first: str, second: str) -> str:
    """What two runs have in common, a sentence a line; `first` and `second` name them."""
    if not found.shared:
        return f"{first} and {second} share no pairs."
    pairs = (
        f"all {number_of(found.shared, 'pair')}"
        if found.rows == (found.shared, found.shared)
        else f"{number_of(found.shared, 'pair')} (of {found.rows[0]:,} and {found.rows[1]:,})"
    )
    rates = [dict(found.first), dict(found.second)]
    told = [f"{first} and {second} share {pairs}."]
    for pair in found.pairs:
        words = _agrees(pair, rates[0][pair.first], rates[1][pair.second], first, second)
        words += f"; {pair.changed:,} of {pair.n:,} verdicts differ"
        if pair.changed:
            words += f" ({pair.gained:,} gained, {pair.lost:,} lost)"
        if pair.correlation is not None:
            words += f"; margins correlate at {_correlation(pair.correlation)}"
        if pair.left_out:
            words += f"; {_left_out(pair)}"
        told.append(f"{words}.")
    told += _trained(found, first, second)
    told += [pair.never_clear for pair in found.pairs if pair.never_clear]
    return "\n".join(told)


def _agrees(
    pair: ModelPair, before: Rate | None, after: Rate | None, first: str, second: str
) -> str:
    """How often a model, or each of two, agrees with the choice in both runs."""
    one, other = (rate_words(rate) if rate else "no pair" for rate in (before, after))
    if pair.first != pair.second:
        return f"{pair.first} agrees with the choice in {one}, {pair.second} in {other}"
    if one == other:
        return f"{pair.first} agrees with the choice in {one}, in both"
    return f"{pair.first} agrees with the choice in {one} ({first}) and {other} ({second})"


def _left_out(pair: ModelPair) -> str:
    """The pairs that are no part of the count of verdicts."""
    one = pair.left_out == 1
    who = "it" if pair.first == pair.second else "one of them"
    pairs = f"{pair.left_out:,} pair{'' if one else 's'}"
    return f"{pairs} that {who} was trained on {'is' if one else 'are'} left out of these"


def _trained(found: TwoRuns, first: str, second: str) -> list[str]:
    """On how many pairs each model was trained; by run where the runs differ in that."""
    told: list[str] = []
    for name in dict.fromkeys([*found.training[0], *found.training[1]]):
        in_runs = [
            (run, training[name].sentence)
            for run, training in zip((first, second), found.training, strict=True)
            if name in training
        ]
        if len({sentence for _, sentence in in_runs}) == 1:
            told.append(in_runs[0][1])
        else:
            told += [f"In {run}: {sentence}" for run, sentence in in_runs]
    return told


def _rate(table: pd.DataFrame, model: str) -> Rate | None:
    return agreement_of(rated(_own(table, model)))


def _own(table: pd.DataFrame, model: str) -> pd.DataFrame:
    return table[table["model"].eq(model).to_numpy(bool, na_value=False)]


def _pair(first: pd.DataFrame, second: pd.DataFrame, one: Training, other: Training) -> ModelPair:
    columns = ["row_id", "verdict", "margin", "seen"]
    shared = (
        rated(first)[columns]
        .merge(rated(second)[columns], on="row_id", suffixes=("_first", "_second"))
        .rename(columns={"seen_first": "first_seen", "seen_second": "second_seen"})
    )
    seen = [
        shared[name].astype("boolean").fillna(False).to_numpy(bool)
        for name in ("first_seen", "second_seen")
    ]
    shared["seen"] = seen[0] | seen[1]
    both = fair_pairs(shared)
    # As objects: tables read from files keep verdicts as categories, which may differ in number.
    judged = both["verdict_first"].to_numpy(object), both["verdict_second"].to_numpy(object)
    before, after = judged[0] == "agree", judged[1] == "agree"
    return ModelPair(
        first=one.model,
        second=other.model,
        n=len(both),
        changed=int((judged[0] != judged[1]).sum()),
        gained=int((after & ~before).sum()),
        lost=int((before & ~after).sum()),
        correlation=_pearson(both["margin_first"], both["margin_second"]),
        left_out=len(shared) - len(both),
        never_clear=never_clear(both, one, other) if one.model != other.model else "",
    )


def _pearson(one: pd.Series, other: pd.Series) -> float | None:
    x, y = one.to_numpy(float), other.to_numpy(float)
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    # Rounded, so that equal margins give exactly 1.
    return round(float(np.corrcoef(x, y)[0, 1]), 12)


def _correlation(value: float) -> str:
    """Three decimals; only exactly 1 is called so."""
    text = with_minus(value, ".3f")
    return "over 0.999" if text == "1.000" and value < 1 else text
