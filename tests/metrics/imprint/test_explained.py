"""How much labels explain, and which of them matter most."""

from __future__ import annotations

from itertools import permutations
from math import isnan

import numpy as np
import pytest

from ivan_core.metrics.imprint.explained import explained, importance
from ivan_core.metrics.imprint.groups import Groups
from ivan_core.metrics.imprint.rows import LENGTH, Rows


def rows_of(n: int = 400, prompts: int = 300) -> tuple[Rows, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(2)
    differences = draw.choice([-1.0, 0, 1], size=(n, 3))
    named = draw.integers(0, prompts, n)
    rows = Rows(("a", "b", "c"), differences, draw.normal(size=n), Groups.of(named, n))
    y = differences @ [0.6, -0.3, 0] + 0.4 * rows.length + draw.normal(size=n)
    return rows, y, named % 10


def test_each_pair_is_predicted_from_the_other_folds() -> None:
    rows, y, folds = rows_of()
    x = np.column_stack([rows.differences, rows.length])
    predicted = np.zeros(400)
    for fold in range(10):
        own = folds == fold
        predicted[own] = x[own] @ np.linalg.lstsq(x[~own], y[~own], rcond=None)[0]
    both = explained(rows, y, folds)[2]
    assert both.columns == "labels+length"
    assert both.found.estimate == pytest.approx(1 - ((y - predicted) ** 2).sum() / (y**2).sum())
    assert both.found.low < both.found.estimate < both.found.high


def test_its_error_is_that_of_resampled_prompts() -> None:
    rows, y, folds = rows_of(1_200, 800)
    found = explained(rows, y, folds)[2].found
    x = np.column_stack([rows.differences, rows.length])
    missed = np.zeros(1_200)
    for fold in range(10):
        own = folds == fold
        missed[own] = (y[own] - x[own] @ np.linalg.lstsq(x[~own], y[~own], rcond=None)[0]) ** 2
    draw = np.random.default_rng(0)
    a, b = rows.groups.sums(missed), rows.groups.sums(y**2)
    drawn = [draw.integers(0, len(a), len(a)) for _ in range(2_000)]
    spread = np.std([1 - a[one].sum() / b[one].sum() for one in drawn])
    assert found.se == pytest.approx(spread, rel=0.1)


def test_nothing_is_explained_where_nothing_varies_or_by_no_columns() -> None:
    rows, y, folds = rows_of()
    assert all(isnan(one.found.estimate) for one in explained(rows, 0 * y, folds))
    bare = Rows(rows.features, 0 * rows.differences, rows.length, rows.groups)
    assert explained(bare, y, folds)[1].found.estimate == 0


def test_shares_are_those_of_all_orders_and_sum_to_what_is_explained() -> None:
    rows, y, _ = rows_of()
    (found,) = importance(rows, [y], np.random.default_rng(0), draws=20)
    x = np.column_stack([rows.differences, rows.length])

    def r2(columns: tuple[int, ...]) -> float:
        if not columns:
            return 0.0
        own = x[:, columns]
        missed = y - own @ np.linalg.lstsq(own, y, rcond=None)[0]
        return float(1 - (missed @ missed) / (y @ y))

    orders = list(permutations(range(4)))
    shares = np.zeros(4)
    for order in orders:
        for place, column in enumerate(order):
            shares[column] += r2(order[: place + 1]) - r2(order[:place])
    assert [one.feature for one in found] == ["a", "b", "c", LENGTH]
    assert [one.share for one in found] == pytest.approx(list(shares / len(orders)))
    assert sum(one.share for one in found) == pytest.approx(r2((0, 1, 2, 3)))
    assert all(one.low < one.share < one.high for one in found if one.share > 0.02)


def test_draws_are_the_same_for_all_outcomes_and_for_one_seed() -> None:
    rows, y, _ = rows_of()
    both = importance(rows, [y, 2 * y], np.random.default_rng(3), draws=10)
    assert [one.share for one in both[0]] == pytest.approx([one.share for one in both[1]])
    assert [one.low for one in both[0]] == pytest.approx([one.low for one in both[1]], abs=1e-5)
    (again,) = importance(rows, [y], np.random.default_rng(3), draws=10)
    assert [one.low for one in again] == pytest.approx([one.low for one in both[0]], abs=1e-6)


def test_an_outcome_that_never_varies_has_no_shares() -> None:
    rows, y, _ = rows_of()
    (found,) = importance(rows, [0 * y], np.random.default_rng(0), draws=3)
    assert all(isnan(one.share) for one in found)
