"""Which pairs are worth a second look: where many voices go against the choice.

A voice is a model, a labeler or a person. The list says where to look first. Models and labels go
against many choices with which nothing is amiss, so its length says nothing about a dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ivan_core.metrics.imprint.groups import Ints
from ivan_core.metrics.imprint.preference import FOR_REJECTED, UNLABELLED, Codes, Floats


@dataclass(frozen=True, eq=False)
class Voices:
    """Of each pair (n): how many voices spoke, and how many of them go against the choice.

    `smallest` is the least |y| among the models that go against it; NaN where no model does.
    """

    spoke: Ints
    against: Ints
    smallest: Floats

    @property
    def ranked(self) -> Ints:
        """The places of the pairs with a voice against the choice, the first to look at first.

        The more voices against it the earlier; of as many, the surer even the least sure model is;
        of equals, those first that come first.
        """
        sure = np.where(np.isnan(self.smallest), -1.0, self.smallest)
        order = np.lexsort((-sure, -self.against))
        return np.asarray(order[self.against[order] > 0], dtype=np.int64)


def voices(
    margins: Sequence[Floats], prefers: Sequence[Codes], spoke: Ints, against: Ints
) -> Voices:
    """The voices on n pairs.

    `margins` are those of each model in its typical margins (n), NaN where it did not rate a pair;
    a tie is a voice that goes against nothing. `prefers` are what each labeler prefers, places in
    `PREFERS` (n). `spoke` and `against` count people who chose a second time, and those among them
    who prefer the other reply (n).
    """
    spoke, against = spoke.astype(np.int64), against.astype(np.int64)
    smallest = np.full(len(spoke), np.inf)
    for margin in margins:
        spoke += ~np.isnan(margin)
        against += margin < 0
        smallest = np.minimum(smallest, np.where(margin < 0, -margin, np.inf))
    for codes in prefers:
        spoke += codes != UNLABELLED
        against += codes == FOR_REJECTED
    return Voices(spoke, against, np.where(np.isinf(smallest), np.nan, smallest))
