"""Coefficients of agreement between labelers, from counts.

Counts may have leading axes, such as one for each draw of a bootstrap; NaN stands where a
coefficient has no value, which is where every labeler always gives one answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def equal_or_not(k: int) -> Floats:
    """Weights of k answers without an order: 1 for the same, 0 for any other."""
    return np.eye(k)


def linear_weights(k: int) -> Floats:
    """Weights of k ordered answers: 1 for the same, falling evenly to 0 for the two ends.

    Cicchetti and Allison (1971). Quadratic weights would forgive a neighbouring answer more: with
    three sentiments a quarter of a disagreement, where linear ones take half.
    """
    steps = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    return np.asarray(1 - steps / max(k - 1, 1), dtype=np.float64)


def cohen_kappa(table: Floats, weights: Floats) -> Floats:
    """Cohen's kappa of two labelers from their cross table (..., k, k).

    (observed - expected) / (1 - expected), both weighted: Cohen (1960), Educational and
    Psychological Measurement 20:37-46; (1968), Psychological Bulletin 70:213-220. NaN if neither
    labeler ever changes its answer.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = table / table.sum(axis=(-2, -1), keepdims=True)
        rows, columns = shares.sum(axis=-1), shares.sum(axis=-2)
        observed = (weights * shares).sum(axis=(-2, -1))
        expected = (weights * rows[..., :, None] * columns[..., None, :]).sum(axis=(-2, -1))
        return np.where(
            shares.max(axis=(-2, -1)) < 1, (observed - expected) / (1 - expected), np.nan
        )


def gwet_ac(agreement: Floats, shares: Floats, weights: Floats) -> Floats:
    """Gwet's AC1 from the mean agreement of a text's answers and the share of each answer (..., k).

    Chance agreement is T / (k (k - 1)) times the sum of share (1 - share), where T adds all
    weights: Gwet (2008), British Journal of Mathematical and Statistical Psychology 61:29-48. With
    weights other than 0 and 1 it is his AC2. Callers give shares over the texts with two answers or
    more, so that a text answered once counts for nothing; Gwet lets it count in the shares, but not
    in the agreement. Where answers are missing at random both estimate the same.
    """
    k = len(weights)
    chance = weights.sum() / (k * (k - 1)) * (shares * (1 - shares)).sum(axis=-1)
    return np.asarray((agreement - chance) / (1 - chance), dtype=np.float64)


def agreement_by_text(counts: NDArray[np.int64], weights: Floats) -> Floats:
    """Mean weighted agreement over the pairs of answers to each text; 0 with fewer than two.

    `counts` says how often each answer was given to each text (texts, k).
    """
    m = counts.sum(axis=1)
    agreed = (counts * (counts @ weights - 1)).sum(axis=1)
    return np.asarray(np.where(m > 1, agreed / np.maximum(m * (m - 1), 1), 0.0))


def coincidences(counts: NDArray[np.int64]) -> Floats:
    """Krippendorff's coincidences of each text (texts, k, k), 0 with fewer than two answers."""
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(counts.shape[1])
    return np.asarray(pairs / np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None])


def alpha_of_coincidences(table: Floats, *, ordinal: bool) -> Floats:
    """Krippendorff's alpha from summed coincidences (..., k, k), for many draws at once.

    1 - (n - 1) sum(o d) / sum(n_i n_j d). The ordinal distance is the squared distance of mid-ranks
    (Krippendorff, 2004, Content Analysis, chapter 11). NaN if fewer than two different answers
    stand beside another one.
    """
    totals = table.sum(axis=-1)
    if ordinal:
        ranks = totals.cumsum(axis=-1) - totals / 2
        distance = (ranks[..., :, None] - ranks[..., None, :]) ** 2
    else:
        distance = np.broadcast_to(1 - np.eye(table.shape[-1]), table.shape)
    expected = (totals[..., :, None] * totals[..., None, :] * distance).sum(axis=(-2, -1))
    observed = (table * distance).sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 1 - (totals.sum(axis=-1) - 1) * observed / expected
    return np.where(expected > 0, value, np.nan)
