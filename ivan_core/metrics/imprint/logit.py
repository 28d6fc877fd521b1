"""Log odds of an outcome by columns, with errors that allow for rows which share a prompt.

An outcome is a win (1), a loss (0) or half of each for a tie. The likelihood is that of a logistic
regression, climbed by Newton's method (McCullagh and Nelder, 1989, Generalized Linear Models,
chapter 4). Errors are the sandwich's, its middle summed by group (Liang and Zeger, 1986, Biometrika
73:13-22). Where no finite log odds fit best, as where a column tells wins and losses apart without
exception, there is a reason instead of numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, inf, nan, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.imprint.groups import Floats, Groups, Ints
from ivan_core.metrics.imprint.least_squares import Estimate

STILL = 1e-12
"""The climb is over once a step moves no row's log odds by as much."""
NEAR = 1e-9
MOST_STEPS = 30
"""Log odds of n rows are at the most about ln 2n, and a step moves them by about 1."""
MOST_HALVINGS = 30
LEAST_OWN = 1e-10
"""The share of a column's square that the columns before it must leave unexplained."""
_ROWS_AT_ONCE = 4_096
_ROUNDING = 1e-11

DEPENDENT = "some columns determine each other on these rows"
SEPARATED = "no log odds fit best: some columns tell wins and losses apart with hardly an exception"


@dataclass(frozen=True, slots=True)
class Logit:
    """Log odds by column, shape (k,), with their variance (k, k).

    `influence` says how far each row pulls each of them, shape (n, k): its rows sum to zero, and
    `clustered` of it is the variance. `chance` is the fitted share of wins of each row, shape (n,).
    """

    log_odds: Floats
    variance: Floats
    influence: Floats
    chance: Floats


@dataclass(frozen=True, slots=True)
class NoFit:
    """Why no log odds can be told."""

    reason: str


def logit(columns: Floats, outcome: Floats, groups: Ints) -> Logit | NoFit:
    """Fit the log odds of outcomes, shape (n,), by columns, shape (n, k), without a constant.

    `groups` has a number for each row, the same for rows that share a prompt. Raises ValueError if
    an outcome or a column is no number, or an outcome lies outside 0 to 1.
    """
    if not (np.isfinite(columns).all() and ((outcome >= 0) & (outcome <= 1)).all()):
        raise ValueError("Log odds need columns of numbers and outcomes between 0 and 1.")
    prompts, width = Groups.of(groups, len(outcome)), columns.shape[1]
    if prompts.count <= max(1, width):
        least = max(2, width + 1)
        return NoFit(f"too few: {prompts.count} of at least {least} prompts for {width} columns")
    log_odds, at_rows = np.zeros(width), np.zeros(len(outcome))
    wins, losses, height = _climbed(at_rows, outcome)
    before = inf
    for taken in range(MOST_STEPS):
        inverse = _inverse(_crossed(columns, wins * losses))
        if inverse is None:
            return NoFit(SEPARATED if taken else DEPENDENT)
        step = inverse @ (columns.T @ _left(outcome, wins, losses))
        moved = columns @ step
        furthest = float(np.abs(moved).max())
        # Newton's steps shrink by their square near the top: those that do not are rounding.
        still = furthest < STILL or before / 2 < furthest < NEAR
        before = furthest
        for _ in range(MOST_HALVINGS):
            wins, losses, now = _climbed(at_rows + moved, outcome)
            # Far from the top a whole step can overshoot it.
            if now >= height - _ROUNDING * abs(height):
                break
            step, moved = step / 2, moved / 2
        log_odds, at_rows, height = log_odds + step, at_rows + moved, now
        if still:
            influence = (columns * _left(outcome, wins, losses)[:, None]) @ inverse
            return Logit(log_odds, clustered(influence, prompts.codes), influence, wins)
    return NoFit(SEPARATED)


def clustered(influence: Floats, groups: Ints) -> Floats:
    """The variance (k, k) of sums of influences, shape (n, k), that are alike within groups.

    The squares of G group sums, times G / (G - 1); of two fits on the same rows, the difference of
    their influences gives the variance of their difference. Raises ValueError below two groups.
    """
    prompts = Groups.of(groups, len(influence))
    if prompts.count < 2:
        raise ValueError("A variance between prompts needs at least two of them.")
    sums = prompts.sums(influence)
    return np.asarray(sums.T @ sums * (prompts.count / (prompts.count - 1)), dtype=np.float64)


def estimate(value: float, se: float, level: float = 0.95) -> Estimate:
    """A number with its normal interval and two-sided p; NaN where nothing varies."""
    if not se > 0:
        return Estimate(value, se, nan, nan, nan)
    half = NormalDist().inv_cdf((1 + level) / 2) * se
    return Estimate(value, se, value - half, value + half, erfc(abs(value) / se / sqrt(2)))


def estimates(values: Floats, variance: Floats) -> tuple[Estimate, ...]:
    """The same of each of several numbers, shape (k,), from their variance (k, k)."""
    spreads = np.sqrt(np.diag(variance))
    return tuple(
        estimate(float(value), float(se)) for value, se in zip(values, spreads, strict=True)
    )


def chance_of(log_odds: NDArray[np.float64]) -> Floats:
    """The chance that belongs to log odds of any shape, without overflow."""
    small = np.exp(-np.abs(log_odds))
    return np.asarray(np.where(log_odds >= 0, 1.0, small) / (1 + small), dtype=np.float64)


def _climbed(log_odds: Floats, outcome: Floats) -> tuple[Floats, Floats, float]:
    """The chances of a win and of a loss of each row, and the log-likelihood of all."""
    small = np.exp(-np.abs(log_odds))
    likely, rare, up = 1 / (1 + small), small / (1 + small), log_odds >= 0
    short = np.maximum(log_odds, 0) - outcome * log_odds + np.log1p(small)
    return np.where(up, likely, rare), np.where(up, rare, likely), -float(short.sum())


def _left(outcome: Floats, wins: Floats, losses: Floats) -> Floats:
    """Outcome less chance of a win, without the digits that 1 less a chance near 1 would lose."""
    return outcome * losses - (1 - outcome) * wins


def _crossed(columns: Floats, weights: Floats) -> Floats:
    """The cross-products of columns, each row as often as it weighs."""
    # A few rows at once stay where the processor reaches them fast.
    roots = np.sqrt(weights)[:, None]
    total = np.zeros((columns.shape[1],) * 2)
    for start in range(0, len(columns), _ROWS_AT_ONCE):
        weighted = columns[start : start + _ROWS_AT_ONCE] * roots[start : start + _ROWS_AT_ONCE]
        total += weighted.T @ weighted
    return total


def _inverse(information: Floats) -> Floats | None:
    """The inverse of a matrix of cross-products; None if a column says nothing of its own."""
    sizes = np.sqrt(np.diag(information))
    if not (sizes > 0).all():
        return None
    alike = information / np.outer(sizes, sizes)
    try:
        own = np.diag(np.linalg.cholesky(alike)) ** 2
    except np.linalg.LinAlgError:
        return None
    if (own < LEAST_OWN).any():
        return None
    return np.asarray(np.linalg.inv(alike) / np.outer(sizes, sizes), dtype=np.float64)
