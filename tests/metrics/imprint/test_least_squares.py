"""Least squares against statsmodels, and against leaving out one prompt after the other."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.least_squares import Design, independent, least_squares


def columns(seed: int, n: int = 200, p: int = 4) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    x = np.column_stack([draw.integers(-1, 2, (n, p - 1)), draw.normal(size=n)]).astype(float)
    return x, x @ draw.normal(size=p) + draw.normal(size=n) * (1 + np.abs(x[:, -1]))


def left_out(x: np.ndarray, y: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The variance from fits without one group after the other."""
    every = np.linalg.lstsq(x, y, rcond=None)[0]
    moves = [
        every - np.linalg.lstsq(x[codes != one], y[codes != one], rcond=None)[0]
        for one in np.unique(codes)
    ]
    return np.sum([np.outer(move, move) for move in moves], axis=0)


@pytest.mark.parametrize("seed", range(5))
def test_without_repeated_prompts_it_is_hc3(seed: int) -> None:
    x, y = columns(seed)
    fit = least_squares(x, y, Groups.of(None, len(y)))
    oracle = sm.OLS(y, x).fit(cov_type="HC3", use_t=True)
    np.testing.assert_allclose(fit.coefficients, oracle.params, atol=1e-8)
    np.testing.assert_allclose(fit.variance, oracle.cov_params(), atol=1e-8)
    for column in range(x.shape[1]):
        found = fit.estimate(column)
        np.testing.assert_allclose([found.low, found.high], oracle.conf_int()[column], atol=1e-8)
        assert found.p == pytest.approx(oracle.pvalues[column], abs=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_with_repeated_prompts_it_leaves_out_one_after_the_other(seed: int) -> None:
    # Groups of every size from 1 to well above the number of columns.
    x, y = columns(seed)
    draw = np.random.default_rng(seed)
    codes = np.where(draw.random(200) < 0.3, draw.integers(0, 50, 200), 1_000 + np.arange(200))
    codes[:25], codes[25:28] = 7, 8
    fit = least_squares(x, y, Groups.of(codes, 200))
    np.testing.assert_allclose(fit.variance, left_out(x, y, codes), atol=1e-12)
    assert fit.freedom == len(np.unique(codes)) - 4


def test_all_coefficients_at_once_by_hand() -> None:
    # y = 2 a + 0 b with errors of ±1: a and b stand at right angles, so F is the mean of two t².
    x = np.array([[1.0, 0], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1], [0, 1]])
    y = np.array([3.0, 1, 3, 1, 1, -1, 1, -1])
    fit = least_squares(x, y, Groups.of(None, 8))
    found = fit.all_equal_to_zero([0, 1])
    assert found is not None and (found.df, found.df_below) == (2, 6)
    squares = [(one.estimate / one.se) ** 2 for one in (fit.estimate(0), fit.estimate(1))]
    assert found.f == pytest.approx(np.mean(squares))
    assert found.p == pytest.approx(stats.f.sf(found.f, 2, 6))


def test_with_as_many_columns_as_groups_there_is_no_interval() -> None:
    x, y = columns(0, n=4)
    found = least_squares(x, y, Groups.of(None, 4)).estimate(0)
    assert np.isnan([found.se, found.low, found.high, found.p]).all()


def test_columns_that_determine_each_other_are_dropped_from_the_right() -> None:
    x, _ = columns(0)
    both = np.column_stack([x, 2 * x[:, 1], np.zeros(len(x)), x[:, 0] + x[:, 2]])
    kept, dropped = independent(both)
    assert kept == [0, 1, 2, 3]
    assert dropped[4] == 1 and dropped[5] == 5 and dropped[6] in (0, 2)


def test_a_column_of_one_group_alone_has_an_estimate_and_no_error_is_raised() -> None:
    x, y = columns(0)
    x[:, 0] = 0
    x[:12, 0] = 1
    codes = np.concatenate([np.zeros(12, int), np.arange(1, 189)])
    assert np.isfinite(least_squares(x, y, Groups.of(codes, 200)).variance).all()


def test_leaving_out_gives_residuals_of_a_fit_without_the_own_group() -> None:
    x, y = columns(3)
    codes = np.arange(200) // 7
    design = Design.of(x, Groups.of(codes, 200))
    residuals = y - x @ (design.inverse @ (x.T @ y))
    found = design.without_own(residuals[:, None])[:, 0]
    for group in range(29):
        others = codes != group
        beta = np.linalg.lstsq(x[others], y[others], rcond=None)[0]
        np.testing.assert_allclose(found[~others], (y - x @ beta)[~others], atol=1e-10)
