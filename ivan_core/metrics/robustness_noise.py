"""Is a change more than noise? Rewording beside the surface change and beside a second rewording.

Reward models are deterministic, so nothing moves unless the text does. What a change of punctuation
and space moves, and how far two rewordings of one text lie apart, are the two references; both are
taken on the same pairs as the rewording.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
import pandas as pd

from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.paired_shares import Difference, difference_of_counts
from ivan_core.metrics.resampling import TIMES, percentile_interval, resampled_sums
from ivan_core.metrics.robustness import (
    REWORDED,
    SECOND,
    SURFACE,
    Bools,
    changes,
    flipped,
    unit_of,
)

Reference = Literal["surface", "second"]
FLIPS_WANTED = 20
"""Below so many flipped verdicts a share of flips says little."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """Rewording against a reference, on the pairs that have both.

    `flips` compares the shares of flipped verdicts (first: reworded). `change` and
    `reference_change` are mean absolute changes of the margin in typical margins, `excess` their
    difference with its 95% interval by bootstrap over pairs.
    """

    reference: Reference
    n: int
    flips: Difference
    change: float
    reference_change: float
    excess: float
    low: float
    high: float

    @property
    def more_flips(self) -> bool:
        """Whether more verdicts flip than in the reference, beyond its interval."""
        return self.flips.low > 0

    @property
    def larger(self) -> bool:
        """Whether margins move further than in the reference, beyond the interval."""
        return self.low > 0


def beyond_noise(
    table: pd.DataFrame,
    model: str,
    reference: Reference,
    generator: np.random.Generator,
    unit: float | None = None,
    times: int = TIMES,
) -> Beyond | None:
    """Compare one model's rewording with a reference, pair by pair; None without a common pair.

    The reference "surface" is the change from the original to the surface variant; "second" is the
    change from one rewording to the other. `unit` is the typical margin to report in; by default
    that of the table's originals. Draws depend on the generator alone.
    """
    ours = changes(table, model, REWORDED)
    theirs = (
        changes(table, model, SURFACE)
        if reference == "surface"
        else changes(table, model, SECOND, before=REWORDED)
    )
    _, at_ours, at_theirs = np.intersect1d(
        ours["row_id"].to_numpy(), theirs["row_id"].to_numpy(), return_indices=True
    )
    ours, theirs = ours.iloc[at_ours], theirs.iloc[at_theirs]
    difference = _difference(flipped(ours), flipped(theirs))
    if difference is None:
        return None
    n = len(ours)
    scale = (unit_of(table, model) if unit is None else unit) or float("nan")
    moved = np.column_stack(
        [
            (part["margin_after"] - part["margin_before"]).abs().to_numpy(float) / scale
            for part in (ours, theirs)
        ]
    )
    change, reference_change = (float(value) for value in moved.mean(axis=0))
    sums = resampled_sums(moved, generator, times)
    low, high = percentile_interval((sums[:, 0] - sums[:, 1]) / n)
    return Beyond(
        reference, n, difference, change, reference_change, change - reference_change, low, high
    )


def pairs_for_flips(rate: Rate, wanted: int = FLIPS_WANTED) -> int | None:
    """How many pairs would show so many flips at this rate; None where none flipped."""
    return ceil(wanted * rate.n / rate.count) if rate.count else None


def least_pairs_for_flips(rate: Rate, wanted: int = FLIPS_WANTED) -> int:
    """How many pairs it takes at the very least: at the upper end of the rate's interval."""
    return ceil(wanted / rate.high)


def _difference(ours: Bools, theirs: Bools) -> Difference | None:
    return difference_of_counts(
        int((ours & theirs).sum()),
        int((ours & ~theirs).sum()),
        int((~ours & theirs).sum()),
        int((~ours & ~theirs).sum()),
    )
