"""Which labels go together: how often a text with one also has the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.label_answers import LIST_KEYS, answers, in_order
from ivan_core.metrics.prompts import PROMPT, effect_of_equals, effect_of_squares

Floats = NDArray[np.float64]

LEAST = 20
"""With fewer texts that have the first label, a share says too little."""
CO_OCCURRENCE = [
    "first_key", "first_value", "second_key", "second_value", "n", "first", "second", "both",
    "share", "low", "high", "overall", "too_few", "effective_n",
]  # fmt: skip


def co_occurrence(
    table: pd.DataFrame, keys: Sequence[str], words: Sequence[str] = ()
) -> pd.DataFrame:
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
    given = [answers(ordered, key, words) for key in keys]
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
