"""Pairs that share a prompt are alike, so that shares of them vary more than those of others.

Tables may have the column `PROMPT`: equal numbers stand for pairs with the same first Human turn.
It is there only if a prompt repeats. The design effect is how many times the variance of a share is
that of as many independent pairs: both with the linearised variance of a mean over groups (Kish,
1965, Survey Sampling, chapter 5; Cochran, 1977, Sampling Techniques, chapter 9).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.intervals import Rate, wilson

PROMPT = "prompt_group"
Groups = NDArray[np.int64]
"""A number for each row of a dataset, the same for rows with the same first Human turn."""
WIDENED_FROM = 1.05
"""A smaller design effect changes no interval that one could see."""


def design_effect(values: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """The design effect of the mean of values in groups; 1 where it is below 1.05.

    `groups` has a number from 0 on for each value. Where all values are the same, or of one group,
    nothing tells how alike a group is: then a group counts as one value.
    """
    n = len(values)
    if n < 2:
        return 1.0
    several = int(np.count_nonzero(np.bincount(groups)))
    if several == n:
        return 1.0
    off = values - values.mean()
    own = float((off**2).sum())
    if own <= 0 or several == 1:
        return effect_of_equals(several, n)
    between = float((np.bincount(groups, off) ** 2).sum())
    return effect_of_squares(between, own, several, n)


def effect_of_squares(between: float, own: float, groups: int, n: int) -> float:
    """The design effect from the squares of deviations, summed by group and one by one."""
    return _counts(between * groups / (groups - 1) / (own * n / (n - 1)))


def effect_of_equals(groups: int, n: int) -> float:
    """The design effect where nothing tells how alike a group is: it counts as one value."""
    return _counts(n / groups)


def rate_in(rows: pd.DataFrame, holds: NDArray[np.bool_]) -> Rate | None:
    """The share of rows for which something holds, its interval as wide as repeated prompts ask."""
    return wilson(int(holds.sum()), len(rows), design=design_in(rows, holds))


def units_of(row_ids: Sequence[int] | NDArray[np.int64], prompts: Groups | None) -> Groups:
    """From 0 on, what is drawn together: rows of one prompt; each row alone if none is known."""
    rows = np.asarray(row_ids, dtype=np.int64)
    found, _ = pd.factorize(rows if prompts is None else prompts[rows])
    return np.asarray(found, dtype=np.int64)


def units_in(rows: pd.DataFrame) -> Groups:
    """The same of a table that has the column row_id, and `PROMPT` if a prompt repeats."""
    named = rows[PROMPT if PROMPT in rows.columns else "row_id"]
    return units_of(named.to_numpy(np.int64), None)


def share_in(holds: NDArray[np.bool_], units: Groups) -> Rate | None:
    """The share of values for which something holds, each value of a group."""
    design = design_effect(holds.astype(np.float64), units)
    return wilson(int(holds.sum()), len(holds), design=design)


def design_in(rows: pd.DataFrame, values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    """The design effect of one value a row; 1 if no prompt repeats."""
    if PROMPT not in rows.columns:
        return 1.0
    return design_effect(np.asarray(values, dtype=np.float64), rows[PROMPT].to_numpy(np.int64))


def _counts(effect: float) -> float:
    return effect if effect > WIDENED_FROM else 1.0
