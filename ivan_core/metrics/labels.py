"""How often each label is given to chosen and to rejected replies, and on which pairs they differ.

Shares are of the texts with an answer; without one there is no share, never 0. A row of each table
is one value of one key: "yes", a sentiment, or a word of a list.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.families import SIGNIFICANT, holm
from ivan_core.metrics.label_answers import Answers, Bools, answers, in_order
from ivan_core.metrics.paired_shares import Difference, difference_of_counts
from ivan_core.metrics.prompts import PROMPT, design_in, rate_in

Places = NDArray[np.int64]

PREVALENCE = ["key", "value", "side", "count", "n", "share", "low", "high", "effective_n"]
DIFFERENCES = [
    "key", "value", "n", "both", "chosen_only", "rejected_only", "neither", "chosen", "rejected",
    "difference", "low", "high", "mid_p", "holm_p", "clear", "effective_n",
]  # fmt: skip
ON_PAIRS = ("both", "chosen_only", "rejected_only", "neither")
"""How a label can stand on the two sides of a pair."""


def prevalence(table: pd.DataFrame, key: str, words: Sequence[str] = ()) -> pd.DataFrame:
    """How often each value of one key holds, one row a value and side.

    Columns: key, value, side, count, n (texts of the side with an answer), share, low, high (Wilson
    95%; missing if n is 0), effective_n (as if of how many texts where prompts
    repeat). `words` are those a list can name, as for `answers`.
    """
    return prevalences(table, [key], words)


def prevalences(
    table: pd.DataFrame, keys: Sequence[str], words: Sequence[str] = ()
) -> pd.DataFrame:
    """`prevalence` of several keys, one after the other."""
    ordered = in_order(table)
    sides = ordered["preference"].to_numpy(object)
    on_side = {side: np.asarray(sides == side, dtype=np.bool_) for side in SIDES}
    found: list[tuple[object, ...]] = []
    groups = ordered[[PROMPT]] if PROMPT in ordered.columns else ordered[[]]
    for key in keys:
        given = answers(ordered, key, words)
        for value, holds in zip(given.values, given.holds.T, strict=True):
            for side, on in on_side.items():
                own = given.answered & on
                rate = rate_in(groups[own], holds[own])
                ends: tuple[float, ...] = (np.nan,) * 4
                if rate is not None:
                    ends = (rate.rate, rate.low, rate.high, rate.effective_n)
                counts = (int((holds & on).sum()), int(own.sum()))
                found.append((key, value, side, *counts, *ends))
    return pd.DataFrame(found, columns=PREVALENCE)


def topic_counts(
    table: pd.DataFrame, key: str = "topics", words: Sequence[str] = ()
) -> pd.DataFrame:
    """`prevalence` of the words of a list, those named most often on both sides together first."""
    found = prevalence(table, key, words)
    totals = found.groupby("value", sort=False)["count"].transform("sum")
    order = np.lexsort([np.arange(len(found)), -totals.to_numpy(np.int64)])
    return found.iloc[order].reset_index(drop=True)


def prevalence_differences(
    table: pd.DataFrame,
    keys: Sequence[str],
    words: Sequence[str] = (),
    *,
    chosen_after_looking: bool = False,
) -> pd.DataFrame:
    """How much more often each value holds for the chosen reply, on pairs with both answers.

    Columns: key, value, n (pairs), both, chosen_only, rejected_only, neither, chosen and rejected
    (shares on these pairs), difference, low, high (Newcombe's paired 95% interval), mid_p
    (McNemar), holm_p (over the rows of this table), clear, effective_n (as if of how many pairs
    where prompts repeat; 0 if n is 0). Clear needs holm_p below 5% and an interval without 0. Rows
    chosen after looking have intervals only: no p-value, nothing clear.
    """
    found: list[dict[str, object]] = []
    ordered, chosen, rejected = _pairs(table)
    groups = (ordered[[PROMPT]] if PROMPT in ordered.columns else ordered[[]]).iloc[chosen]
    for key in keys:
        given = answers(ordered, key, words)
        answered = given.answered[chosen] & given.answered[rejected]
        for at, value in enumerate(given.values):
            ours, theirs = (given.holds[side, at] for side in (chosen, rejected))
            counts = _on_pairs(ours, theirs, answered)
            apart = ours.astype(np.float64) - theirs
            design = design_in(groups[answered], apart[answered])
            both, ours_only, theirs_only, neither = counts.values()
            difference = difference_of_counts(both, ours_only, theirs_only, neither, design=design)
            found.append({"key": key, "value": value, **counts, **_told(difference)})
    rows = pd.DataFrame(found, columns=DIFFERENCES)
    if chosen_after_looking:
        return rows.assign(mid_p=np.nan, holm_p=np.nan, clear=False)
    adjusted = holm(rows["mid_p"].to_numpy(float))
    apart = (rows["low"].to_numpy(float) > 0) | (rows["high"].to_numpy(float) < 0)
    return rows.assign(holm_p=adjusted, clear=(adjusted < SIGNIFICANT) & apart)


def pairs_with(table: pd.DataFrame, key: str, value: str, where: str) -> list[int]:
    """Row ids of the pairs that `prevalence_differences` counted in the column `where`."""
    ordered, chosen, rejected = _pairs(table)
    given = answers(ordered, key)
    ours, theirs = (_column(given, value)[own] for own in (chosen, rejected))
    answered = given.answered[chosen] & given.answered[rejected]
    masks = (ours & theirs, ours & ~theirs, ~ours & theirs, ~ours & ~theirs)
    inside = masks[ON_PAIRS.index(where)] & answered
    return [int(row) for row in ordered["row_id"].to_numpy()[chosen][inside]]


def _pairs(table: pd.DataFrame) -> tuple[pd.DataFrame, Places, Places]:
    """The texts in order, and where the two sides of each whole pair stand among them."""
    ordered = in_order(table)
    sides, rows = ordered["preference"].to_numpy(object), ordered["row_id"].to_numpy()
    chosen, rejected = (np.flatnonzero(sides == side) for side in SIDES)
    _, first, second = np.intersect1d(rows[chosen], rows[rejected], return_indices=True)
    return ordered, chosen[first], rejected[second]


def _on_pairs(chosen: Bools, rejected: Bools, answered: Bools) -> dict[str, int]:
    chosen, rejected = chosen[answered], rejected[answered]
    masks = (chosen & rejected, chosen & ~rejected, ~chosen & rejected, ~chosen & ~rejected)
    return {name: int(mask.sum()) for name, mask in zip(ON_PAIRS, masks, strict=True)}


def _told(found: Difference | None) -> dict[str, object]:
    if found is None:
        names = ("chosen", "rejected", "difference", "low", "high", "mid_p")
        return {"n": 0, **dict.fromkeys(names, np.nan), "effective_n": 0}
    return {
        "n": found.n,
        "chosen": found.first.rate,
        "rejected": found.second.rate,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "mid_p": found.mid_p,
        "effective_n": found.effective_n,
    }


def _column(given: Answers, value: str) -> Bools:
    """Where a value holds; nowhere if nobody gave it."""
    if value not in given.values:
        return np.zeros(len(given.answered), dtype=np.bool_)
    return given.holds[:, given.values.index(value)]
