"""Firth's logistic regression: odds ratios that stay finite in small and separated samples.

The likelihood is penalised by the root of the information's determinant: Firth (1993), Biometrika
80:27-38; intervals and p-values from the profile of the penalised likelihood: Heinze and Schemper
(2002), Statistics in Medicine 21:2409-2419.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST_STEPS = 200
_LONGEST_STEP = 5.0
_CLOSE = 1e-9
FURTHEST = 30.0
"""A log odds ratio beyond this has no end that could be told from infinity."""


@dataclass(frozen=True, slots=True)
class LogOdds:
    """One coefficient with the interval of its profile and the p-value of its likelihood ratio."""

    value: float
    low: float
    high: float
    p: float


def firth(
    columns: Floats,
    outcome: Floats,
    which: int = 0,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> LogOdds:
    """One column's coefficient, adjusted for the others.

    The likelihood ratio behind interval and p is divided by `design_effect`, 1 or more.

    Raises ValueError if the columns are not independent of each other and of the constant.
    """
    design, at = _design(columns), which + 1
    best, top = _fit(design, outcome, np.zeros(design.shape[1]), None)
    critical = design_effect * NormalDist().inv_cdf((1 + level) / 2) ** 2

    near = best.copy()

    def drop(value: float) -> float:
        nonlocal near
        near[at] = value
        near, likelihood = _fit(design, outcome, near, at)
        return 2 * (top - likelihood)

    value = float(best[at])
    low, high = (_end(drop, value, sign, critical) for sign in (-1.0, 1.0))
    return LogOdds(value, low, high, erfc(sqrt(max(0.0, drop(0.0)) / design_effect / 2)))


def _design(columns: Floats) -> Floats:
    columns = columns.reshape(len(columns), -1).astype(float)
    design = np.column_stack([np.ones(len(columns)), columns])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("A column is constant, or follows from the others.")
    return design


def _fit(design: Floats, outcome: Floats, start: Floats, fixed: int | None) -> tuple[Floats, float]:
    """The coefficients with the highest penalised likelihood, and it; `fixed` keeps one of them."""
    free = [i for i in range(design.shape[1]) if i != fixed]
    at = start.copy()
    likelihood = _likelihood(design, outcome, at)
    for _ in range(_MOST_STEPS):
        share = _share(design @ at)
        weight = share * (1 - share)
        information = design.T @ (design * weight[:, None])
        spread = np.linalg.pinv(information)
        leverage = weight * ((design @ spread) * design).sum(axis=1)
        score = (design.T @ (outcome - share + leverage * (0.5 - share)))[free]
        step = np.zeros_like(at)
        step[free] = np.linalg.pinv(information[np.ix_(free, free)]) @ score
        longest = float(np.abs(step).max()) if free else 0.0
        if longest < _CLOSE:
            break
        step *= min(1.0, _LONGEST_STEP / longest)
        for _ in range(40):
            found = _likelihood(design, outcome, at + step)
            if found >= likelihood - 1e-12:
                break
            step /= 2
        at, likelihood = at + step, found
    return at, likelihood


def _likelihood(design: Floats, outcome: Floats, at: Floats) -> float:
    line = design @ at
    plain = float(outcome @ line - np.logaddexp(0.0, line).sum())
    share = _share(line)
    information = design.T @ (design * (share * (1 - share))[:, None])
    sign, size = np.linalg.slogdet(information)
    return plain + 0.5 * float(size) if sign > 0 else -np.inf


def _share(line: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(line / 2)), dtype=np.float64)


def _end(drop: Callable[[float], float], value: float, sign: float, critical: float) -> float:
    """Where the profile has fallen by the critical amount, going one way from its top."""
    step = 0.5
    inner, outer = value, value + sign * step
    while drop(outer) < critical:
        step *= 2
        inner, outer = outer, value + sign * step
        if abs(outer - value) > FURTHEST:
            return sign * float("inf")
    # Regula falsi (Illinois): halving the side that stays keeps both ends moving.
    below, above = drop(inner) - critical, drop(outer) - critical
    for _ in range(60):
        between = outer - above * (outer - inner) / (above - below)
        found = drop(between) - critical
        if abs(found) < 1e-7 or abs(outer - inner) < 1e-9:
            return between
        if found < 0:
            inner, below, above = between, found, above / 2
        else:
            outer, above, below = between, found, below / 2
    return between
