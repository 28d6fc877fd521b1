"""An imprint corrected by people's labels of some of the pairs.

A labeler's mistakes shrink effects and give some to features that have none. Where people labelled
a random part R of the pairs, β = b_R − K (c_R − c_all): b_R is the imprint by people's labels on R,
c_R and c_all the one by the labeler's on R and on all n pairs. With how far each prompt of R moves
them, S_b and S_c, K = S_b'S_c (S_c'S_c)⁻¹ and the variance is S_b'S_b − (1 − |R| / n) K S_c'S_b:
Chen and Chen (2000), Journal of the Royal Statistical Society B 62:449-460.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.imprint.controls import Control
from ivan_core.metrics.imprint.effects import Effect
from ivan_core.metrics.imprint.least_squares import least_squares, with_interval
from ivan_core.metrics.imprint.rows import CHOSEN, LENGTH, Rows, columns_of
from ivan_core.metrics.paired import holm

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_REVIEWED = 300


def corrected(
    people: Rows, labelled: Rows, outcome: Floats, reviewed: Bools, control: Control = "length"
) -> tuple[Effect, ...] | None:
    """The imprint on an outcome (n) of `labelled` rows, as people would label.

    `people` are the rows that `reviewed` (n) picks, with people's labels. None with fewer than 300
    of them, or where nothing can be told apart on them by both.
    """
    count = int(reviewed.sum())
    if count < LEAST_REVIEWED:
        return None
    own = Rows(
        labelled.features, labelled.differences[reviewed], labelled.length[reviewed], people.groups
    )
    theirs = columns_of(own, control).names
    names = tuple(name for name in columns_of(people, control).names if name in theirs)
    if not names or people.groups.count <= len(names):
        return None

    def columns(rows: Rows) -> Floats:
        return np.stack([rows.column(name) for name in names])

    by_people = least_squares(columns(people).T, outcome[reviewed], people.groups)
    by_labeler = least_squares(columns(own).T, outcome[reviewed], people.groups)
    x = labelled.keep(names, lambda: columns(labelled))
    # What can be told apart on a part of them, can be on all.
    of_all = np.linalg.solve(labelled.keep((names, "squared"), lambda: x @ x.T), x @ outcome)
    cross, square = by_people.moves.T @ by_labeler.moves, by_labeler.variance
    weight = cross @ np.linalg.pinv(square, hermitian=True)
    apart = by_labeler.coefficients - of_all
    found = by_people.coefficients - weight @ apart
    variance = by_people.variance - (1 - count / len(outcome)) * weight @ cross.T
    estimates = {
        name: with_interval(float(found[k]), sqrt(max(variance[k, k], 0.0)), by_people.freedom)
        for k, name in enumerate(names)
    }
    return _adjusted(
        Effect(
            name,
            estimates[name],
            np.nan,
            len(outcome),
            int(people.differing(name).sum()),
            people.groups.of_rows(people.differing(name)),
        )
        for name in names
    )


def corrected_alone(
    people: Rows, labelled: Rows, outcome: Floats, reviewed: Bools
) -> tuple[Effect, ...] | None:
    """The same of each feature, and of length, in a regression by itself."""
    found: list[Effect] = []
    for name in (*(one for one in people.features if one in labelled.features), LENGTH):
        theirs, ours = (
            replace(rows, features=(name,), differences=rows.column(name)[:, None])
            for rows in (people, labelled)
        )
        found += corrected(theirs, ours, outcome, reviewed, "none") or ()
    return _adjusted(found) if found else None


def _adjusted(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Effects with Holm's p over the features."""
    found = tuple(effects)
    tested = {one.feature: one.found.p for one in found if one.feature not in (LENGTH, CHOSEN)}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return tuple(replace(one, p_holm=float(adjusted.get(one.feature, np.nan))) for one in found)
