"""What a labelling says of both texts of each pair, and of how they differ, as numbers.

Yes is 1 and no 0, a sentiment −1, 0 or 1. Authored labels know of a minimal pair that all features
but one are the same on both sides, and not which value they have there: of these the difference is
0 and the values are not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ivan_core.domain.labels import REGRESSION_FEATURES
from ivan_core.domain.pairs import SIDES
from ivan_core.experiments.labels.results import LabelResults
from ivan_core.lists.conditions import Ints
from ivan_core.metrics.labels.answers import SENTIMENT, SENTIMENTS

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PairLabels:
    """The labels of pairs of which a labelling has both texts.

    `row_ids` (n,) are in order; `chosen`, `rejected` and `difference` (n, keys) are NaN where
    nothing is known. `difference` is chosen − rejected, and is known wherever both sides are; of
    authored labels also where they were written to be equal.
    """

    keys: tuple[str, ...]
    row_ids: Ints
    chosen: Floats
    rejected: Floats
    difference: Floats


def pair_labels(
    results: LabelResults, keys: Sequence[str] = REGRESSION_FEATURES, *, first_try: bool = False
) -> PairLabels:
    """The labels of each pair as numbers; with `first_try` only of texts valid as they came.

    Pairs in which the data prefers neither reply are among them. `keys` are of one answer each; one
    that was not asked for is not known of any text.
    """
    table = results.table
    valid = table["status"].eq("valid").to_numpy(bool)
    values = np.full((len(table), len(keys)), np.nan)
    for place, key in enumerate(keys):
        if key in results.keys:
            values[:, place] = _numbers(table[key], key)
    if first_try:
        values[~valid | table["attempt"].ne(1).fillna(True).to_numpy(bool)] = np.nan
    row_ids = table["row_id"].to_numpy(np.int64)
    chosen, rejected = (np.flatnonzero(table["preference"].eq(side)) for side in SIDES)
    both, ours, theirs = np.intersect1d(row_ids[chosen], row_ids[rejected], return_indices=True)
    chosen, rejected = chosen[ours], rejected[theirs]
    difference = values[chosen] - values[rejected]
    if results.authored:
        minimal = valid[chosen] & valid[rejected]
        written = np.isin(keys, results.keys)
        difference[np.isnan(difference) & minimal[:, None] & written] = 0.0
    return PairLabels(tuple(keys), both, values[chosen], values[rejected], difference)


def _numbers(given: pd.Series, key: str) -> Floats:
    """The labels of one key; NaN where there is none."""
    if key == SENTIMENT:
        given = given.map({word: place - 1 for place, word in enumerate(SENTIMENTS)})
        return np.asarray(given.to_numpy(np.float64, na_value=np.nan))
    return np.asarray(given.astype("boolean").to_numpy(np.float64, na_value=np.nan))
