"""Numbers by the rules that were published, to set beside those of this package.

Regressions are ordinary least squares with classical errors, p-values adjusted by Bonferroni; the
reward shift is an angle. What these rules cannot tell is why this package has others: errors that
know no pairs and no prompts, and an angle that depends on where a model's zero lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from ivan_core.metrics.distributions import student_p
from ivan_core.metrics.imprint.groups import Floats
from ivan_core.metrics.imprint.least_squares import independent

BARS = 2
"""Published bars are so many standard errors to each side."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient with its classical standard error and its p, times the tests of its family.

    NaN where columns before it determine it, or where rows do not suffice.
    """

    estimate: float = nan
    se: float = nan
    p: float = nan


def ordinary(columns: Floats, outcome: Floats, tested: Sequence[int]) -> tuple[Coefficient, ...]:
    """Coefficients of all columns (n, p) on an outcome (n) beside a constant, in their order.

    `tested` are the places of the columns over which p-values are adjusted; others have none.
    A column that the constant and those before it determine has no coefficient.
    """
    found = [Coefficient()] * columns.shape[1]
    if not len(columns):
        return tuple(found)
    centred = columns - columns.mean(axis=0)  # which takes the constant's part away
    size = np.sqrt((centred**2).sum(axis=0))
    centred /= np.where(size > 0, size, 1)
    kept, _ = independent(centred)
    free = len(columns) - len(kept) - 1
    if not kept or free < 1:
        return tuple(found)
    own = centred[:, kept]
    inverse = np.linalg.inv(own.T @ own)
    estimates = inverse @ (own.T @ outcome)
    left = outcome - outcome.mean() - own @ estimates
    errors = np.sqrt(float(left @ left) / free * np.diag(inverse))
    tests = sum(place in kept for place in tested)
    scaled = estimates / size[kept], errors / size[kept]
    for place, value, error in zip(kept, *scaled, strict=True):
        p = nan
        if place in tested and error > 0:
            p = min(1.0, tests * student_p(float(value / error), free))
        found[place] = Coefficient(float(value), float(error), p)
    return tuple(found)


def angles(before: Floats, after: Floats) -> Floats:
    """The signed angle in degrees from one pair of rewards (n, 2) to another, in (-180, 180].

    The chosen reply's reward lies on x and the rejected one's on y; counter-clockwise is positive.
    """
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    along = (before * after).sum(axis=1)
    found = np.degrees(np.arctan2(cross, along))
    return np.asarray(np.where(found == -180, 180.0, found), dtype=np.float64)
