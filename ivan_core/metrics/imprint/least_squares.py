"""Least squares whose intervals leave out one prompt at a time (the cluster jackknife, CR3).

V = Σ_g v_g v_g' with v_g = (X'X)⁻¹ X_g' (I − X_g (X'X)⁻¹ X_g')⁻¹ e_g, which is how far the estimate
moves when group g is left out. Where no prompt repeats it is HC3. Estimate ± t(0.975; G − p) √V_kk
with G groups and p columns: Bell and McCaffrey (2002), Survey Methodology 28:169-181; MacKinnon,
Nielsen and Webb (2023), Journal of Applied Econometrics 38:671-694.

Simulated with known truth it covers 93-97% from ten differing pairs on, where HC1 covers 84-94%.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.distributions import f_p, student_p, student_quantile
from ivan_core.metrics.imprint.groups import Groups

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SAME = 1e-9
"""A column whose square is left to this share by columns before it is determined by them."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One coefficient with its 95% interval and two-sided p; NaN where one is not known."""

    estimate: float
    se: float
    low: float
    high: float
    p: float


NOTHING = Estimate(nan, nan, nan, nan, nan)


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients (p), how far each group moves them (G, p), residuals (n), and (X'X)⁻¹ (p, p)."""

    coefficients: Floats
    moves: Floats
    residuals: Floats
    inverse: Floats

    @property
    def freedom(self) -> int:
        """Groups minus columns."""
        return len(self.moves) - len(self.coefficients)

    @property
    def variance(self) -> Floats:
        """The variance of the coefficients (p, p)."""
        return np.asarray(self.moves.T @ self.moves)

    @property
    def residual_spread(self) -> float:
        """The residuals' root mean square, in the unit of the outcome."""
        return sqrt(float(np.mean(self.residuals**2))) if len(self.residuals) else nan

    def estimate(self, column: int) -> Estimate:
        """One coefficient; without an interval where there are no more groups than columns."""
        return with_interval(
            float(self.coefficients[column]),
            sqrt(float(self.moves[:, column] @ self.moves[:, column])),
            self.freedom,
        )

    def all_equal_to_zero(self, columns: Sequence[int]) -> Wald | None:
        """The test that all these coefficients are 0; None where their variance has no inverse."""
        at = list(columns)
        if not at or self.freedom < 1:
            return None
        found, variance = self.coefficients[at], self.variance[np.ix_(at, at)]
        if np.linalg.matrix_rank(variance, hermitian=True) < len(at):
            return None
        f = float(found @ np.linalg.solve(variance, found)) / len(at)
        return Wald(f, len(at), self.freedom, f_p(f, len(at), self.freedom))


@dataclass(frozen=True, slots=True)
class Wald:
    """F with its degrees of freedom and p."""

    f: float
    df: int
    df_below: int
    p: float


def with_interval(value: float, se: float, freedom: int) -> Estimate:
    """A value with its t interval and p; not known where nothing is free or nothing varies."""
    if freedom < 1 or not se > 0:
        return Estimate(value, se if freedom >= 1 else nan, nan, nan, nan)
    half = student_quantile(freedom) * se
    return Estimate(value, se, value - half, value + half, student_p(value / se, freedom))


def least_squares(x: Floats, y: Floats, groups: Groups) -> Fit:
    """Fit y (n) on columns x (n, p) that do not determine each other: see `independent`."""
    return Design.of(x, groups).fit(y)


@dataclass(frozen=True, eq=False)
class Design:
    """Columns x (n, p) with (X'X)⁻¹ (p, p), and what leaving out a group takes, by its size.

    Each block has the rows (groups, size) of groups of one size and, of groups of up to p rows,
    (I − H_g)⁻¹ (groups, size, size) with their part H_g = X_g (X'X)⁻¹ X_g' of the hat matrix, of
    larger ones (X'X − X_g'X_g)⁻¹ (groups, p, p). Where a group alone tells a column, neither has an
    inverse: then the least is taken that fits. Callers ask for columns that several groups tell.
    """

    x: Floats
    groups: Groups
    inverse: Floats
    leverage: Floats
    blocks: tuple[tuple[Ints, Floats], ...]

    @staticmethod
    def of(x: Floats, groups: Groups) -> Design:
        """The design of columns, which must not determine each other."""
        square = x.T @ x
        inverse = np.asarray(np.linalg.inv(square), dtype=np.float64) if len(square) else square
        reached = x @ inverse
        leverage = np.einsum("ij,ij->i", reached, x)
        blocks: list[tuple[Ints, Floats]] = []
        for rows in groups.blocks:
            own = x[rows]
            if rows.shape[1] <= x.shape[1]:
                hat = reached[rows] @ np.swapaxes(own, 1, 2)
                blocks.append((rows, _inverses(np.eye(rows.shape[1]) - hat)))
            else:
                blocks.append((rows, _inverses(square - np.swapaxes(own, 1, 2) @ own)))
        return Design(x, groups, inverse, leverage, tuple(blocks))

    def fit(self, y: Floats) -> Fit:
        """The fit of an outcome (n) on these columns."""
        coefficients = self.inverse @ (self.x.T @ y)
        residuals = y - self.x @ coefficients
        left = self.without_own(residuals[:, None])
        return Fit(
            coefficients, self.groups.sums(self.x * left) @ self.inverse, residuals, self.inverse
        )

    def without_own(self, values: Floats) -> Floats:
        """(I − H_g)⁻¹ of the values (n, k) of each group.

        Of residuals it is what they are from a fit without their own group.
        """
        found = values / np.maximum(1 - self.leverage, _SAME)[:, None]
        for rows, inverses in self.blocks:
            own = values[rows]
            if inverses.shape[1] == rows.shape[1]:
                found[rows] = inverses @ own
            else:
                # (I - X_g A X_g')⁻¹ = I + X_g (A⁻¹ - X_g'X_g)⁻¹ X_g' (Woodbury).
                columns = self.x[rows]
                found[rows] = own + columns @ (inverses @ (np.swapaxes(columns, 1, 2) @ own))
        return np.asarray(found)


def _inverses(squares: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.inv(squares))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(squares, hermitian=True))


def mean_of(values: Floats, groups: Groups) -> Estimate:
    """The mean of values (n): the regression on a constant; nothing where there are none."""
    if not len(values):
        return NOTHING
    return least_squares(np.ones((len(values), 1)), values, groups).estimate(0)


def independent(x: Floats) -> tuple[list[int], dict[int, int]]:
    """Columns that do not determine each other, kept from the left; the others with a reason.

    The second tells of each dropped column which kept one says most of it. A column that is 0
    throughout is dropped and names itself.
    """
    square = x.T @ x
    scale = np.sqrt(np.diag(square))
    kept: list[int] = []
    dropped: dict[int, int] = {}
    for column in range(x.shape[1]):
        if not scale[column]:
            dropped[column] = column
            continue
        if kept:
            unit = square[np.ix_(kept, kept)] / np.outer(scale[kept], scale[kept])
            along = square[kept, column] / (scale[kept] * scale[column])
            shares = np.linalg.solve(unit, along)
            if 1 - float(along @ shares) < _SAME:
                dropped[column] = kept[int(np.abs(shares).argmax())]
                continue
        kept.append(column)
    return kept, dropped
