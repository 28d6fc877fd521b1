"""How often each label is given to chosen and rejected replies, where they differ, and with what.

Shares are of the texts with an answer; without one there is no share, never 0. A row of each table
is one value of one key: "yes", a sentiment, or a word of a list.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.intervals import (
    PROMPT,
    design_in,
    effect_of_equals,
    effect_of_squares,
    rate_in,
    wilson,
)
from ivan_core.metrics.labels.answers import LIST_KEYS, Answers, Bools, answers, in_order
from ivan_core.metrics.paired import SIGNIFICANT, Difference, difference_of_counts, holm

Places = NDArray[np.int64]

PREVALENCE = ["key", "value", "side", "count", "n", "share", "low", "high", "effective_n"]
DIFFERENCES = [
    "key",
    "value",
    "n",
    "both",
    "chosen_only",
    "rejected_only",
    "neither",
    "chosen",
    "rejected",
    "difference",
    "low",
    "high",
    "mid_p",
    "holm_p",
    "clear",
    "effective_n",
]
ON_PAIRS = ("both", "chosen_only", "rejected_only", "neither")
"""How a label can stand on the two sides of a pair."""


def prevalences(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """How often each value of some keys holds, one row a value and side, key after key.

    Columns: key, value, side, count, n (texts of the side with an answer), share, low, high (Wilson
    95%; missing if n is 0), effective_n (as if of how many texts where prompts repeat).
    """
    ordered = in_order(table)
    sides = ordered["preference"].to_numpy(object)
    on_side = {side: np.asarray(sides == side, dtype=np.bool_) for side in SIDES}
    found: list[tuple[object, ...]] = []
    groups = ordered[[PROMPT]] if PROMPT in ordered.columns else ordered[[]]
    for key in keys:
        given = answers(ordered, key)
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


def topic_counts(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """`prevalences` of the words of a list, those named most often on both sides together first."""
    found = prevalences(table, [key])
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


Floats = NDArray[np.float64]

LEAST = 20
"""With fewer texts that have the first label, a share says too little."""
CO_OCCURRENCE = [
    "first_key",
    "first_value",
    "second_key",
    "second_value",
    "n",
    "first",
    "second",
    "both",
    "share",
    "low",
    "high",
    "overall",
    "too_few",
    "effective_n",
]


def co_occurrence(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """One row for each ordered pair of different labels.

    Counted are the texts that answer both keys; two sentiments are no pair, since a text has one.
    Columns: first_key, first_value, second_key, second_value, n (texts counted), first, second,
    both (how many have that label), share (both / first: of the texts with the first label, those
    with the second too), low, high (Wilson 95%; both texts of a pair, and all of a prompt, are one
    group), overall (second / n: what the share would be if the labels had nothing to do with each
    other), too_few (fewer than 20 texts have the first), effective_n (as if of how many texts on
    their own the interval is; 0 if none has the first).
    Shares are missing where nothing can have one. A share is read against `overall` rather than as
    a correlation: of two rare labels, phi says little, and a share can be checked by opening its
    texts.
    """
    ordered = in_order(table)
    given = [answers(ordered, key) for key in keys]
    items = [(one.key, value) for one in given for value in one.values]
    if not items:
        return pd.DataFrame(columns=CO_OCCURRENCE)
    has = np.hstack([one.holds for one in given]).astype(np.float64)
    asked = np.hstack([np.repeat(one.answered[:, None], len(one.values), 1) for one in given])
    answered = asked.astype(np.float64)
    both, first, n = has.T @ has, has.T @ answered, answered.T @ answered
    design = _designs(ordered, has, answered)
    found = [
        (
            *items[i],
            *items[j],
            *_counted(
                int(n[i, j]), int(first[i, j]), int(first[j, i]), int(both[i, j]), design[i, j]
            ),
        )
        for i in range(len(items))
        for j in range(len(items))
        if i != j and (items[i][0] != items[j][0] or items[i][0] in LIST_KEYS)
    ]
    return pd.DataFrame(found, columns=CO_OCCURRENCE)


def _designs(texts: pd.DataFrame, has: Floats, answered: Floats) -> Floats:
    """The design effect of each share: texts of one pair, or of one prompt, are one group.

    `has` and `answered` are 1 where a text has a label, and where it was asked for it (texts, k).
    """
    groups = texts[PROMPT if PROMPT in texts.columns else "row_id"].to_numpy(np.int64)
    order = np.argsort(groups, kind="stable")
    groups, has, answered = groups[order], has[order], answered[order]
    found = np.ones((has.shape[1], has.shape[1]))
    for i in range(len(found)):
        own = has[:, i] > 0
        if not own.any():
            continue
        starts = np.flatnonzero(np.diff(groups[own], prepend=-1))
        # By group: how many texts with the first label have the second, and were asked for it.
        count, asked = (np.add.reduceat(part[own], starts, axis=0) for part in (has, answered))
        n, several = asked.sum(axis=0), (asked > 0).sum(axis=0)
        share = count.sum(axis=0) / np.maximum(n, 1)
        between = ((count - share * asked) ** 2).sum(axis=0)
        alone = n * share * (1 - share)
        for j in np.flatnonzero((several > 0) & (several < n)):
            sizes = int(several[j]), int(n[j])
            if sizes[0] == 1 or alone[j] == 0:
                found[i, j] = effect_of_equals(*sizes)
            else:
                found[i, j] = effect_of_squares(float(between[j]), float(alone[j]), *sizes)
    return found


def _counted(n: int, first: int, second: int, both: int, design: float) -> tuple[object, ...]:
    rate = wilson(both, first, design=design)
    ends = (rate.rate, rate.low, rate.high) if rate else (np.nan,) * 3
    alone = rate.effective_n if rate else 0
    return n, first, second, both, *ends, second / n if n else np.nan, first < LEAST, alone
