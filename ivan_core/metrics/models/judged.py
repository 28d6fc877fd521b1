"""What several models made of the same pairs: arrays with a line a model and a place a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.agreement import VERDICTS
from ivan_core.metrics.intervals import Groups, design_effect

AGREE, TIE, DISAGREE = range(len(VERDICTS))
UNRATED = -1
"""Code of a row without a verdict; the others are places in `VERDICTS`."""
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Verdicts and numbers of some models on the same rows, each array (models, rows).

    `verdict` holds places in `VERDICTS`, -1 where there is none. `margin` is in typical margins of
    each model, NaN where it did not rate the row, and so are `chosen` and `rejected`, its rewards
    in its own units. `seen` is 1 where a model was trained on the row, 0 where not, -1 where nobody
    says. `prompts` has a number for each row, the same for one prompt; None if none repeats.
    """

    names: tuple[str, ...]
    verdict: Codes
    margin: Floats
    chosen: Floats
    rejected: Floats
    seen: Codes
    prompts: Groups | None = None

    @property
    def rated(self) -> Bools:
        """Which rows each model rated."""
        return np.asarray(self.verdict != UNRATED)

    @property
    def fair(self) -> Bools:
        """The rows on which figures of one model rest: without those that it was trained on, if
        others are known to be new to it."""
        rated = self.rated
        new = (rated & (self.seen == 0)).any(axis=1, keepdims=True)
        return np.asarray(rated & ~(new & (self.seen == 1)))

    def shared(self, first: int, second: int) -> tuple[Bools, int]:
        """The rows that two models rated, and how many were left out.

        Rows that one of them was trained on are left out where that leaves any.
        """
        both = (self.verdict[first] != UNRATED) & (self.verdict[second] != UNRATED)
        return self._unseen(both, (self.seen[first] == 1) | (self.seen[second] == 1))

    def by_all(self) -> tuple[Bools, int]:
        """The rows that all models rated, in the same way."""
        return self._unseen(
            np.asarray(self.rated.all(axis=0)), np.asarray((self.seen == 1).any(axis=0))
        )

    def _unseen(self, rated: Bools, seen: Bools) -> tuple[Bools, int]:
        new = rated & ~seen
        left_out = int(np.count_nonzero(rated & seen))
        return (new, left_out) if left_out and new.any() else (rated, 0)

    def design(self, values: NDArray[np.bool_] | Floats, rows: Bools) -> float:
        """The design effect of one value for each of some rows; 1 if no prompt repeats."""
        if self.prompts is None:
            return 1.0
        return design_effect(np.asarray(values, dtype=np.float64), self.prompts[rows])
