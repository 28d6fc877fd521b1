"""Which labels go together: how often a text with one also has the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.label_answers import LIST_KEYS, answers, in_order

LEAST = 20
"""With fewer texts that have the first label, a share says too little."""
CO_OCCURRENCE = [
    "first_key", "first_value", "second_key", "second_value", "n", "first", "second", "both",
    "share", "low", "high", "overall", "too_few",
]  # fmt: skip


def co_occurrence(
    table: pd.DataFrame, keys: Sequence[str], words: Sequence[str] = ()
) -> pd.DataFrame:
    """One row for each ordered pair of different labels.

    Counted are the texts that answer both keys; two sentiments are no pair, since a text has one.
    Columns: first_key, first_value, second_key, second_value, n (texts counted), first, second,
    both (how many have that label), share (both / first: of the texts with the first label, those
    with the second too), low, high (Wilson 95%), overall (second / n: what the share would be if
    the labels had nothing to do with each other), too_few (fewer than 20 texts have the first).
    Shares are missing where nothing can have one. A share is read against `overall` rather than as
    a correlation: of two rare labels, phi says little, and a share can be checked by opening its
    texts.
    """
    ordered = in_order(table)
    given = [answers(ordered, key, words) for key in keys]
    items = [(one.key, value) for one in given for value in one.values]
    if not items:
        return pd.DataFrame(columns=CO_OCCURRENCE)
    has = np.hstack([one.holds for one in given]).astype(np.float64)
    asked = np.hstack([np.repeat(one.answered[:, None], len(one.values), 1) for one in given])
    answered = asked.astype(np.float64)
    both, first, n = has.T @ has, has.T @ answered, answered.T @ answered
    found = [
        (*items[i], *items[j], *_counted(*(int(m[i, j]) for m in (n, first, first.T, both))))
        for i in range(len(items))
        for j in range(len(items))
        if i != j and (items[i][0] != items[j][0] or items[i][0] in LIST_KEYS)
    ]
    return pd.DataFrame(found, columns=CO_OCCURRENCE)


def texts_with_both(
    table: pd.DataFrame, first: tuple[str, str], second: tuple[str, str]
) -> pd.DataFrame:
    """Row id and side of the texts that `co_occurrence` counted under `both`.

    Each label is its key and value.
    """
    ordered = in_order(table)
    inside = np.ones(len(ordered), dtype=np.bool_)
    for key, value in (first, second):
        given = answers(ordered, key)
        inside &= given.holds[:, [v == value for v in given.values]].any(axis=1)
    return ordered.loc[inside, ["row_id", "preference"]].reset_index(drop=True)


def _counted(n: int, first: int, second: int, both: int) -> tuple[object, ...]:
    rate = wilson(both, first)
    ends = (rate.rate, rate.low, rate.high) if rate else (np.nan,) * 3
    return n, first, second, both, *ends, second / n if n else np.nan, first < LEAST
