"""From the numbers of pairs, one place a pair, to prompts with their replies and rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.best_of_n.rates import BestOfN
from ivan_core.metrics.best_of_n.replies import Bools, Floats, Ints, Replies, whole_prompts

LENGTHS = ("chosen_length", "rejected_length")


class OfModel(NamedTuple):
    """What one model made of the pairs: rewards, NaN where it has none, and which it was trained
    on (1; 0 where it was not, else below 0)."""

    chosen: Floats
    rejected: Floats
    seen: NDArray[np.int8]


def best_of_pairs(
    numbers: Mapping[str, Ints],
    models: Mapping[str, OfModel],
    identical: Bools,
    subset: Ints,
    subsets: Sequence[str],
    units: Ints,
) -> BestOfN | None:
    """The prompts of pairs; None where none is whole, or none has more than two replies.

    `numbers` has the arrays of `whole_prompts` and of `LENGTHS`; `identical` says where both texts
    are the same; `subset` is a place in `subsets`; equal `units` stand for the same first turn.
    """
    found = whole_prompts(numbers, (numbers[LENGTHS[0]], numbers[LENGTHS[1]]))
    if found is None:
        return None
    rewards = {
        name: found.alike(found.rewards(one.chosen, one.rejected), identical)
        for name, one in models.items()
    }
    counted = {name: _counted(one.seen, found) for name, one in models.items()}
    return BestOfN(found, rewards, counted, subset[found.first], subsets, units[found.first])


def _counted(seen: NDArray[np.int8], found: Replies) -> Bools:
    """Prompts on which a model was not trained; all where it was trained on all of them."""
    trained = np.bincount(found.of_pair, seen[found.pairs] == 1, len(found.items)) > 0
    return np.ones_like(trained) if trained.all() else ~trained
