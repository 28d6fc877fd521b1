"""Regressions and angles by the published rule: against statsmodels, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from ivan_core.metrics.imprint.published import angles, ordinary


def rows(n: int = 4_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """15 labels and row ids up to 160,800, and rewards that they make."""
    draw = np.random.default_rng(seed)
    labels = (draw.random((n, 15)) < draw.uniform(0.02, 0.95, 15)).astype(np.float64)
    row_ids = np.sort(draw.choice(160_800, n, replace=False)).astype(np.float64)
    x = np.column_stack([labels, row_ids])
    return x, 5 + x[:, :5].sum(axis=1) - 1e-6 * row_ids + draw.normal(0, 2, n)


def test_coefficients_and_classical_errors_are_those_of_statsmodels() -> None:
    x, y = rows()
    found = ordinary(x, y, range(15))
    # Row ids are large: about their mean the slopes are the same, and theirs have their digits.
    fitted = sm.OLS(y, sm.add_constant(x - x.mean(axis=0))).fit()
    np.testing.assert_allclose([one.estimate for one in found], fitted.params[1:], rtol=1e-8)
    np.testing.assert_allclose([one.se for one in found], fitted.bse[1:], rtol=1e-8)
    wanted = np.minimum(1, 15 * fitted.pvalues[1:16])
    np.testing.assert_allclose([one.p for one in found[:15]], wanted, rtol=1e-6, atol=1e-300)
    assert np.isnan(found[15].p)


def test_a_column_that_others_determine_has_no_coefficient_and_is_no_test() -> None:
    x, y = rows(500)
    x[:, 3], x[:, 4] = 1.0, x[:, 1] + x[:, 2]
    found = ordinary(x, y, range(15))
    kept = [place for place in range(16) if place not in (3, 4)]
    fitted = sm.OLS(y, sm.add_constant((x - x.mean(axis=0))[:, kept])).fit()
    assert np.isnan([found[3].estimate, found[4].estimate, found[4].p]).all()
    np.testing.assert_allclose([found[at].estimate for at in kept], fitted.params[1:], rtol=1e-8)
    assert found[0].p == pytest.approx(min(1, 13 * fitted.pvalues[1]), rel=1e-7)


def test_where_rows_do_not_suffice_nothing_is_told() -> None:
    x, y = rows(8)
    assert all(np.isnan(one.estimate) for one in ordinary(x, y, range(15)))
    assert all(np.isnan(one.estimate) for one in ordinary(x[:0], y[:0], range(15)))


def test_the_same_gain_turns_by_another_angle_where_the_zero_lies_elsewhere() -> None:
    """A margin that grows by 1 is 18.4 degrees to one side or to the other."""
    turned = angles(np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([[2.0, 1.0], [-1.0, -2.0]]))
    np.testing.assert_allclose(turned, [-18.434949, 18.434949], atol=1e-6)


def test_angles_are_counter_clockwise_and_half_a_turn_is_180() -> None:
    right = np.array([[1.0, 0.0]] * 4)
    to = np.array([[0.0, 1.0], [0.0, -1.0], [-1.0, 0.0], [-1.0, -0.0]])
    np.testing.assert_allclose(angles(right, to), [90, -90, 180, 180])
