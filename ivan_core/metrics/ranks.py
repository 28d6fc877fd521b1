"""Places in a list that is ordered by reward, and how far two such orders go together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ivan_core.metrics.models.judged import Floats


def places(rewards: Floats) -> np.ndarray:
    """The place of each reward, shape (n,), 1 for the highest; equal rewards share the best place.

    A reward that is NaN has place 0, and counts for nothing.
    """
    ranks = pd.Series(rewards).rank(method="min", ascending=False)
    found: np.ndarray = ranks.fillna(0).to_numpy(dtype=np.int64)
    return found


def average_ranks(values: Floats) -> Floats:
    """Ranks from 1 for the lowest, shape (n,); equal values share the mean of their ranks."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: Floats = (last - (counts - 1) / 2)[where]
    return mean


def rank_correlation(first: Floats, second: Floats) -> tuple[float | None, int]:
    """Spearman's rho of two lists of rewards of the same things, and over how many of them.

    Pearson's correlation of the ranks, equal values with their mean rank (Spearman 1904, American
    Journal of Psychology 15:72-101; Kendall 1945, Biometrika 33:239-251, for ties). What either
    lacks (NaN) is left out. None where fewer than two are left or one list is all equal.
    """
    both = ~(np.isnan(first) | np.isnan(second))
    n = int(both.sum())
    ranks = [average_ranks(values[both]) for values in (first, second)]
    centred = [one - one.mean() for one in ranks] if n else ranks
    spread = [float(one @ one) for one in centred]
    if n < 2 or min(spread) == 0:
        return None, n
    return float(centred[0] @ centred[1]) / float(np.sqrt(spread[0] * spread[1])), n


def from_best(rewards: Floats) -> np.ndarray:
    """Indices from the highest reward to the lowest; equal ones as they stand, NaN left out."""
    order = np.argsort(-rewards, kind="stable")
    return order[: int((~np.isnan(rewards)).sum())]
