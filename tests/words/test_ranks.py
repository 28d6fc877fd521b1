"""Places and rank correlation, by hand and beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import rankdata, spearmanr

from ivan_core.metrics.ranks import average_ranks, from_best, places, rank_correlation

NAN = float("nan")


def test_the_highest_reward_is_first_and_equal_ones_share_the_best_place() -> None:
    assert places(np.array([0.5, 3.0, 0.5, -1.0])).tolist() == [2, 1, 2, 4]


def test_what_has_no_reward_has_no_place() -> None:
    assert places(np.array([NAN, 1.0, 2.0])).tolist() == [0, 2, 1]
    assert from_best(np.array([NAN, 1.0, 2.0])).tolist() == [2, 1]


def test_equal_rewards_are_listed_as_they_stand() -> None:
    assert from_best(np.array([1.0, 2.0, 1.0, 2.0])).tolist() == [1, 3, 0, 2]


def test_equal_values_share_their_mean_rank() -> None:
    assert average_ranks(np.array([7.0, 5.0, 7.0, 9.0])).tolist() == [2.5, 1.0, 2.5, 4.0]


def test_the_correlation_is_that_of_ranks() -> None:
    # Ranks 1 2 3 4 and 1 3 2 4: rho = 1 - 6 (0 + 1 + 1 + 0) / (4 (16 - 1)) = 0.8.
    assert rank_correlation(np.array([1.0, 2, 3, 100]), np.array([0.1, 0.3, 0.2, 0.4])) == (
        pytest.approx(0.8),
        4,
    )


def test_ties_have_mean_ranks_in_it() -> None:
    # Ranks 1 2.5 2.5 4 and 1 2 3 4, each minus 2.5: the products add up to 4.5, the squares to 4.5
    # and to 5.
    rho, n = rank_correlation(np.array([1.0, 2, 2, 3]), np.array([1.0, 2, 3, 4]))
    assert (rho, n) == (pytest.approx(4.5 / np.sqrt(4.5 * 5)), 4)


def test_what_one_list_lacks_is_left_out() -> None:
    # The last two are left: the same order.
    assert rank_correlation(np.array([9.0, NAN, 1, 2]), np.array([NAN, 0.0, 5, 6])) == (1.0, 2)


@pytest.mark.parametrize(
    ("first", "n"), [([], 0), ([1.0], 1), ([1.0, 1.0], 2), ([NAN, NAN, 1.0], 1)]
)
def test_there_is_none_of_too_few_or_of_equal_rewards(first: list[float], n: int) -> None:
    assert rank_correlation(np.array(first), np.arange(float(len(first)))) == (None, n)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=30))
def test_it_is_what_scipy_gives(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    assert average_ranks(first).tolist() == rankdata(first).tolist()
    rho, n = rank_correlation(first, second)
    if rho is not None:
        assert (rho, n) == (pytest.approx(spearmanr(first, second).statistic), len(pairs))
        assert rank_correlation(first, -second)[0] == pytest.approx(-rho)
    else:
        assert len(set(first)) == 1 or len(set(second)) == 1
