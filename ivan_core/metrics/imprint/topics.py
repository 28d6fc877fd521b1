"""Where an imprint differs: a feature's effect among some pairs against the others.

The column D_k · [the pair is among them] is added to the imprint's own columns, one at a time. Its
coefficient is by how much the effect of the feature is larger there. Only cells with at least ten
differing pairs inside and outside; ranked, Benjamini-Hochberg over one list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ivan_core.metrics.imprint.least_squares import Design, Estimate, with_interval
from ivan_core.metrics.imprint.rows import LEAST_DIFFERING, Rows, design_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Cell:
    """By how much more a feature counts among pairs of a topic than among all others.

    `inside` and `outside` are the pairs that differ in it; `q` is adjusted over the list.
    """

    topic: str
    feature: str
    inside: int
    outside: int
    found: Estimate
    q: float


def topics(
    rows: Rows, outcomes: Sequence[Floats], among: Mapping[str, Bools]
) -> list[tuple[Cell, ...]]:
    """The cells of each outcome (n), by q; `among` says of each topic which pairs (n) are of it."""
    columns, design = design_of(rows, "length")
    cells: list[list[Cell]] = [[] for _ in outcomes]
    if design is None or rows.groups.count <= len(columns.names) + 1:
        return [() for _ in outcomes]
    fits = [design.fit(outcome) for outcome in outcomes]
    residuals = np.stack([fit.residuals for fit in fits], axis=1)
    left = design.without_own(residuals)
    freedom = fits[0].freedom - 1
    features = [name for name in columns.names if name in rows.features]
    if not features:
        return [() for _ in outcomes]
    differs = np.stack([rows.differing(name) for name in features], axis=1)
    for topic, inside in among.items():
        within = differs[inside].sum(axis=0)
        without = differs.sum(axis=0) - within
        at = np.flatnonzero(np.minimum(within, without) >= LEAST_DIFFERING)
        if not len(at):
            continue
        added = np.stack([rows.column(features[k]) * inside for k in at], axis=1)
        for own, found in zip(cells, _added(design, added, residuals, left, freedom), strict=True):
            own += [
                Cell(topic, features[k], int(within[k]), int(without[k]), estimate, nan)
                for k, estimate in zip(at, found, strict=True)
                if estimate is not None
            ]
    return [_ranked(own) for own in cells]


def _added(
    design: Design, added: Floats, residuals: Floats, left: Floats, freedom: int
) -> list[list[Estimate | None]]:
    """The coefficient of each column (n, k), added to the design by itself; None if it is told.

    One list for each outcome of `residuals` (n, m). With z the column less what the others say of
    it (Frisch and Waugh, 1933; Lovell, 1963), its coefficient is z'e / z'z. The hat matrix grows by
    z z' / z'z, so that leaving out group g moves it by z_g'K_g(e_g - b z_g) / (z'z - z_g'K_g z_g)
    with K_g = (I - H_g)⁻¹ of the others.
    """
    own = (added**2).sum(axis=0)
    z = added - design.x @ (design.inverse @ (design.x.T @ added))
    square = (z**2).sum(axis=0)
    kept = square > _SAME * own
    away = design.groups.sums(z * design.without_own(z))
    room = np.maximum(square - away, _SAME * own)
    found: list[list[Estimate | None]] = []
    for residual, outside in zip(residuals.T, left.T, strict=True):
        coefficient = np.where(kept, (z.T @ residual) / np.where(kept, square, 1), nan)
        moves = (design.groups.sums(z * outside[:, None]) - coefficient * away) / room
        errors = np.sqrt((moves**2).sum(axis=0))
        found.append(
            [
                with_interval(float(value), float(error), freedom) if there else None
                for value, error, there in zip(coefficient, errors, kept, strict=True)
            ]
        )
    return found


def _ranked(cells: list[Cell]) -> tuple[Cell, ...]:
    """Cells with their q, the smallest first."""
    adjusted = benjamini_hochberg([one.found.p for one in cells])
    found = (replace(one, q=float(q)) for one, q in zip(cells, adjusted, strict=True))
    return tuple(sorted(found, key=lambda one: (one.q, one.topic, one.feature)))


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Each p's false discovery rate: the i-th smallest of m times m / i, none above one after it.

    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289-300. NaN is no
    test and stays NaN.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
