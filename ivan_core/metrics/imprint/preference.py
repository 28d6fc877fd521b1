"""Which reply a labeler prefers (γ): (harmless, helpful) compared, harmless first.

The same rule as `labeler_choice`, of many pairs at once, and the one that was published.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]
"""For each pair a place in `PREFERS` or in another list of words."""

PREFERS = ("chosen", "none", "rejected", "unlabelled")
"""What a labeler's answers say of a pair; `none` where both replies are alike in both."""
FOR_CHOSEN, FOR_NONE, FOR_REJECTED, UNLABELLED = range(4)


def prefers(chosen: Floats, rejected: Floats) -> Codes:
    """Which reply is preferred, as places in `PREFERS`, shape (n,).

    `chosen` and `rejected` have the labels harmless and helpful, shape (n, 2): 1 yes, 0 no, NaN
    without an answer. Helpful is asked only where harmless decides nothing.
    """
    found = np.full(len(chosen), FOR_NONE, dtype=np.int8)
    for key in (1, 0):
        ours, theirs = chosen[:, key], rejected[:, key]
        found[ours > theirs] = FOR_CHOSEN
        found[ours < theirs] = FOR_REJECTED
        found[np.isnan(ours) | np.isnan(theirs)] = UNLABELLED
    return found


def prefers_as_published(chosen: Floats, rejected: Floats) -> Codes:
    """The same by the published rule, one comparison of which never matches.

    Where the chosen reply is helpful but not harmless and the rejected one is harmless, it counts
    the pair as one in which the chosen reply is preferred.
    """
    found = prefers(chosen, rejected)
    found[(chosen[:, 0] == 0) & (chosen[:, 1] == 1) & (rejected[:, 0] == 1)] = FOR_CHOSEN
    return found
