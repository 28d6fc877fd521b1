"""What two labels add together: an oracle, both orders, and where there is no number."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from ivan_core.metrics.distributions import student_quantile
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.interaction import Together, both, interaction
from ivan_core.metrics.imprint.rows import Rows

NAMES = ("a", "b", "c")
Floats = np.ndarray


def labels(seed: int = 0, n: int = 400) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    chosen, rejected = (draw.random((n, 3)) < 0.4 for _ in range(2))
    return chosen.astype(float), rejected.astype(float)


def study(seed: int = 0, n: int = 400) -> tuple[Rows, Floats, Floats]:
    """Rows, the column of the first two labels, and margins to which both together add 0.7."""
    chosen, rejected = labels(seed, n)
    draw = np.random.default_rng(seed + 1)
    rows = Rows(NAMES, chosen - rejected, draw.normal(size=n), Groups.of(None, n))
    column = both(chosen[:, :2], rejected[:, :2])
    y = rows.differences @ [1.0, -0.5, 0.2] + 0.7 * column + draw.normal(size=n)
    return rows, column, y


def told(rows: Rows, column: Floats, y: Floats) -> Together:
    return interaction(rows, ("a", "b"), column, y, "length")


def test_the_column_is_having_both_of_one_reply_less_of_the_other() -> None:
    chosen = np.array([[1.0, 1], [1, 0], [1, 1], [1, -1]])
    rejected = np.array([[1.0, 0], [0, 1], [1, 1], [0, 1]])
    assert both(chosen, rejected).tolist() == [1, 0, 0, -1]


def test_it_is_the_last_coefficient_of_least_squares_with_hc3() -> None:
    rows, column, y = study()
    x = np.column_stack([rows.differences, rows.length, column])
    oracle = sm.OLS(y, x).fit(cov_type="HC3", use_t=True)
    found = told(rows, column, y).found
    assert found.estimate == pytest.approx(oracle.params[-1], abs=1e-8)
    assert found.p == pytest.approx(oracle.pvalues[-1], abs=1e-8)
    ends = oracle.conf_int()[-1]
    assert (found.low, found.high) == pytest.approx(tuple(ends), abs=1e-8)
    assert found.high - found.estimate == pytest.approx(student_quantile(395) * found.se)
    assert found.low < 0.7 < found.high


def test_the_order_of_the_two_labels_changes_nothing() -> None:
    rows, column, y = study()
    chosen, rejected = labels()
    turned = both(chosen[:, [1, 0]], rejected[:, [1, 0]])
    assert interaction(rows, ("b", "a"), turned, y, "length") == told(rows, column, y)


def test_swapping_the_sides_of_every_pair_changes_nothing() -> None:
    rows, column, y = study()
    turned = Rows(NAMES, -rows.differences, -rows.length, rows.groups)
    found, own = told(turned, -column, -y).found, told(rows, column, y).found
    assert found.estimate == pytest.approx(own.estimate)
    assert found.se == pytest.approx(own.se)


def test_where_there_is_no_number_it_says_why() -> None:
    rows, column, y = study()
    few = np.where(np.cumsum(column != 0) <= 9, column, 0)
    assert told(rows, few, y).why == "too few: 9 of at least 10"
    assert told(rows, rows.column("a"), y).why == "cannot be told apart from a"
    silent = np.where(column != 0, 0, y)
    many = int((column != 0).sum())
    same = f"this model gives both replies the same in all {many} pairs"
    assert told(rows, column, silent).why == same
    rows.differences[:, 1] = 0
    assert told(rows, column, y).why == "b: too few: 0 of at least 10"
    one = Rows(NAMES, rows.differences, rows.length, Groups.of(np.zeros(400, int), 400))
    assert np.isnan(told(one, column, y).found.estimate)
