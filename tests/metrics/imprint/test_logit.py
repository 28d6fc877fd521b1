"""Log odds against statsmodels, by hand, and where there are none."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from ivan_core.metrics.imprint.logit import (
    DEPENDENT,
    SEPARATED,
    Logit,
    NoFit,
    chance_of,
    clustered,
    estimate,
    estimates,
    logit,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def study(seed: int, n: int = 400) -> tuple[Floats, Floats, Ints]:
    """Columns of differences and one of length, wins with ties, and prompts that repeat."""
    chance = np.random.default_rng(seed)
    groups = chance.integers(0, n // 2, n)
    columns = np.column_stack(
        [chance.choice([-1.0, 0.0, 1.0], n, p=[0.2, 0.6, 0.2]) for _ in range(4)]
        + [chance.normal(size=n) + chance.normal(size=n // 2)[groups]]
    )
    tends = columns @ np.array([0.8, -0.5, 0.0, 0.3, 0.4]) + chance.normal(size=n // 2)[groups]
    outcome = np.where(chance.random(n) < 0.05, 0.5, chance.random(n) < chance_of(tends))
    return columns, np.asarray(outcome, dtype=np.float64), groups * 7 + 1_000


def fitted(columns: Floats, outcome: Floats, groups: Ints) -> Logit:
    found = logit(columns, outcome, groups)
    assert isinstance(found, Logit), found
    return found


def single(n: int) -> Ints:
    return np.arange(n)


@pytest.mark.parametrize("seed", range(5))
def test_log_odds_and_sandwich_are_those_of_statsmodels(seed: int) -> None:
    columns, outcome, groups = study(seed)
    found = fitted(columns, outcome, groups)
    several = len(np.unique(groups))
    peer = sm.GLM(outcome, columns, family=sm.families.Binomial()).fit(
        tol=1e-14, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    assert several < len(groups)
    np.testing.assert_allclose(found.log_odds, peer.params, atol=1e-8)
    expected = peer.cov_params() * several / (several - 1)
    np.testing.assert_allclose(found.variance, expected, atol=1e-8)
    np.testing.assert_allclose(found.chance, peer.fittedvalues, atol=1e-8)


def test_without_repeated_prompts_the_errors_are_those_of_hc0() -> None:
    columns, outcome, _ = study(8)
    n = len(outcome)
    found = fitted(columns, outcome, single(n))
    peer = sm.GLM(outcome, columns, family=sm.families.Binomial()).fit(tol=1e-14, cov_type="HC0")
    np.testing.assert_allclose(found.variance, peer.cov_params() * n / (n - 1), atol=1e-8)


def test_intervals_and_p_are_those_of_statsmodels() -> None:
    columns, outcome, _ = study(9)
    n = len(outcome)
    found = fitted(columns, outcome, single(n))
    peer = sm.GLM(outcome, columns, family=sm.families.Binomial()).fit(tol=1e-14, cov_type="HC0")
    for told, ends, p in zip(
        estimates(found.log_odds, found.variance * (n - 1) / n),
        peer.conf_int(),
        peer.pvalues,
        strict=True,
    ):
        assert (told.low, told.high, told.p) == pytest.approx((*ends, p), abs=1e-8)


def test_one_column_by_hand() -> None:
    """30 of 40 wins are ln 3; each win pulls by 1/4 and each loss by -3/4, over 40 * 3/16."""
    outcome = np.repeat([1.0, 0.0], [30, 10])
    found = fitted(np.ones((40, 1)), outcome, single(40))
    assert found.log_odds[0] == pytest.approx(log(3), abs=1e-12)
    assert found.influence[0, 0] == pytest.approx(0.25 / 7.5)
    assert found.influence[-1, 0] == pytest.approx(-0.75 / 7.5)
    assert found.variance[0, 0] == pytest.approx(40 / 39 * (30 / 16 + 10 * 9 / 16) / 7.5**2)


def test_a_tie_is_half_a_win() -> None:
    ties = fitted(np.ones((40, 1)), np.repeat([1.0, 0.5, 0.0], [20, 10, 10]), single(40))
    halves = fitted(np.ones((40, 1)), np.repeat([1.0, 0.0], [25, 15]), single(40))
    assert ties.log_odds == pytest.approx(halves.log_odds)
    assert ties.variance[0, 0] < halves.variance[0, 0]


def test_influences_sum_to_nothing_and_tell_what_leaving_a_row_out_does() -> None:
    columns, outcome, groups = study(3, 2_000)
    found = fitted(columns, outcome, groups)
    assert np.abs(found.influence.sum(axis=0)).max() < 1e-10
    without = fitted(columns[1:], outcome[1:], groups[1:])
    np.testing.assert_allclose(
        found.log_odds - without.log_odds, found.influence[0], atol=2e-2 / sqrt(2_000)
    )


def test_two_fits_on_the_same_rows_differ_with_the_variance_of_their_influences() -> None:
    """Stacked in one regression, with prompts as groups, both fits have that covariance."""
    columns, outcome, groups = study(4)
    other = np.where(np.random.default_rng(1).random(len(outcome)) < 0.2, 1 - outcome, outcome)
    first, second = (fitted(columns, one, groups) for one in (outcome, other))
    both = np.kron(np.eye(2), columns)
    stacked = fitted(both, np.concatenate([outcome, other]), np.tile(groups, 2))
    apart = np.hstack([np.eye(5), -np.eye(5)])
    np.testing.assert_allclose(
        clustered(first.influence - second.influence, groups),
        apart @ stacked.variance @ apart.T,
        atol=1e-10,
    )


@pytest.mark.parametrize("seed", range(3))
def test_turning_every_row_around_changes_nothing(seed: int) -> None:
    columns, outcome, groups = study(seed)
    found = fitted(columns, outcome, groups)
    turned = fitted(-columns, 1 - outcome, groups)
    np.testing.assert_allclose(turned.log_odds, found.log_odds, atol=1e-12)
    np.testing.assert_allclose(turned.variance, found.variance, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_and_the_names_of_groups_change_nothing(seed: int) -> None:
    columns, outcome, groups = study(seed)
    order = np.random.default_rng(seed).permutation(len(outcome))
    found = fitted(columns, outcome, groups)
    moved = fitted(columns[order], outcome[order], 3 - groups[order] ** 3)
    np.testing.assert_allclose(moved.log_odds, found.log_odds, atol=1e-12)
    np.testing.assert_allclose(moved.variance, found.variance, atol=1e-12)
    np.testing.assert_allclose(moved.influence, found.influence[order], atol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_a_column_is_only_a_unit(scale: float) -> None:
    columns, outcome, groups = study(5)
    units = np.array([1, 1, 1, 1, scale])
    found, other = fitted(columns, outcome, groups), fitted(columns * units, outcome, groups)
    np.testing.assert_allclose(other.log_odds * units, found.log_odds, atol=1e-10)


def test_a_rare_loss_among_many_wins_is_reached() -> None:
    outcome = np.ones(200_000)
    outcome[0] = 0.5
    found = fitted(np.ones((200_000, 1)), outcome, single(200_000))
    assert found.log_odds[0] == pytest.approx(log(199_999.5 / 0.5), abs=1e-9)


def test_far_apart_chances_do_not_overshoot() -> None:
    """Whole steps of Newton from 0 leave the top ever further behind on these rows."""
    column = np.array([1.0] * 40 + [200.0])
    outcome = np.array([1.0] * 38 + [0.0] * 3)
    found = fitted(column[:, None], outcome, single(41))
    score = column @ (outcome - chance_of(column * found.log_odds[0]))
    assert abs(score) < 1e-8


def test_columns_without_a_finite_answer_give_a_reason() -> None:
    columns, outcome, groups = study(6)
    always = columns.copy()
    always[:, 0] = np.where(outcome == 0.5, 0, np.sign(outcome - 0.5))
    assert logit(always, outcome, groups) == NoFit(SEPARATED)
    rare = np.where((single(len(outcome)) < 30) & (outcome == 1), 1.0, 0.0)
    assert logit(np.column_stack([columns, rare]), outcome, groups) == NoFit(SEPARATED)
    assert logit(np.ones((50, 1)), np.ones(50), single(50)) == NoFit(SEPARATED)


@pytest.mark.parametrize("noise", [0.0, 1e-9])
def test_columns_that_determine_each_other_give_a_reason(noise: float) -> None:
    columns, outcome, groups = study(7)
    same = columns[:, 0] - 2 * columns[:, 1] + noise * columns[:, 4]
    assert logit(np.column_stack([columns, same]), outcome, groups) == NoFit(DEPENDENT)
    nothing = np.column_stack([columns, np.zeros(len(outcome))])
    assert logit(nothing, outcome, groups) == NoFit(DEPENDENT)


def test_more_columns_than_prompts_give_a_reason() -> None:
    columns, outcome, _ = study(7)
    five = single(len(outcome)) % 5
    assert logit(columns, outcome, five) == NoFit("too few: 5 of at least 6 prompts for 5 columns")
    assert isinstance(logit(np.zeros((0, 2)), np.zeros(0), single(0)), NoFit)
    with pytest.raises(ValueError, match="two of them"):
        clustered(np.ones((4, 1)), np.zeros(4, dtype=np.int64))


def test_what_is_no_number_is_refused() -> None:
    columns, outcome, groups = study(7)
    with pytest.raises(ValueError, match="between 0 and 1"):
        logit(columns, outcome * 2, groups)
    outcome[0] = np.nan
    with pytest.raises(ValueError, match="between 0 and 1"):
        logit(columns, outcome, groups)
    columns[0, 0] = np.nan
    with pytest.raises(ValueError, match="columns of numbers"):
        logit(columns, np.ones(len(groups)), groups)


def test_an_estimate_without_spread_has_no_interval() -> None:
    exact = estimate(1.0, 0.0)
    assert exact.estimate == 1 and np.isnan([exact.low, exact.high, exact.p]).all()
    told = estimate(1.0, 0.5)
    assert (told.low, told.high) == pytest.approx((0.020018, 1.979982), abs=1e-6)
    assert told.p == pytest.approx(0.0455003, abs=1e-7)


def test_chances_do_not_overflow() -> None:
    np.testing.assert_allclose(chance_of(np.array([-800.0, 0, 800.0, log(3)])), [0, 0.5, 1, 0.75])
