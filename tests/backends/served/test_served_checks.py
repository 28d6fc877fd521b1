"""The arithmetic of the checks, with numbers worked by hand."""

from __future__ import annotations

import math

import pytest

from ivan_core.backends.served.checks import (
    activated,
    agreement,
    disagreement,
    in_rated_pairs,
    is_raw,
    measured_revision,
    same_weights,
)
from ivan_core.domain.models import Reward


def test_an_activation_is_a_sigmoid_or_a_softmax() -> None:
    assert activated([0.0]) == [0.5]
    assert activated([18.0])[0] > 0.9999999
    assert activated([-800.0]) == [0.0]
    assert activated([2.0, 2.0]) == [0.5, 0.5]
    assert activated([1000.0, 0.0]) == [1.0, 0.0]


def test_raw_is_what_the_activation_makes_the_other_number_of() -> None:
    assert is_raw([[0.0], [18.0]], [[0.5], [1.0]])
    assert is_raw([[2.0, 2.0]], [[0.5, 0.5]])
    assert not is_raw([[0.0], [18.0]], [[0.5], [0.98]])
    # Equal: the flag was ignored, unless a number lies where no sigmoid gets.
    assert not is_raw([[0.5], [0.9]], [[0.5], [0.9]])
    assert is_raw([[0.5], [3.0]], [[0.5], [3.0]])


def test_the_same_weights_may_differ_in_the_last_digits_only() -> None:
    before = [0.0, 10.0, 5.0, 2.0]  # a spread of 10
    assert same_weights(before, [0.0, 10.009, 5.0, 2.0], "float32")
    assert not same_weights(before, [0.0, 10.02, 5.0, 2.0], "float32")
    assert same_weights(before, [0.0, 10.19, 5.0, 2.0], "unknown")
    assert not same_weights(before, [0.0, 10.21, 5.0, 2.0], "bfloat16")
    assert not same_weights(before, [], "unknown")
    assert not same_weights(before, [0.0, math.nan, 5.0, 2.0], "unknown")
    assert measured_revision([7.8712, 1.0]) == measured_revision([7.8688, 1.0])
    assert measured_revision([7.8712, 1.0]) != measured_revision([7.95, 1.0])
    assert len(measured_revision(before)) == len("served-") + 8


def test_agreement_tells_slope_offset_and_verdicts() -> None:
    # served = 2 * own + 1; of the two pairs the second turns round in neither.
    found = agreement([0.0, 1.0, 3.0, 2.0], [1.0, 3.0, 7.0, 5.0])
    assert (found.texts, found.largest, found.spread, found.verdicts_changed) == (4, 4.0, 3.0, 0)
    assert (found.correlation, found.slope, found.offset) == pytest.approx((1.0, 2.0, 1.0))
    assert disagreement(found, "float32") == "an activation may stand behind its scores"
    turned = agreement([0.0, 1.0, 3.0, 2.0], [1.0, 0.0, 3.0, 2.0])
    assert turned.verdicts_changed == 1
    assert "1 of 2 verdicts differ" in turned.words


@pytest.mark.parametrize(
    ("served", "dtype", "why"),
    [
        ([0.0, 1.0, 3.0, 2.0], "float32", ""),
        ([0.002, 1.0, 3.0, 2.0], "float32", ""),
        (
            [0.004, 1.0, 3.0, 2.0],
            "float32",
            "the template or the mark of the beginning may be others",
        ),
        ([0.01, 1.0, 3.0, 2.0], "bfloat16", ""),
        (
            [1.0, 2.0, 4.0, 3.0],
            "unknown",
            "the template or the mark of the beginning may be others",
        ),
        ([0.0, 1.0, 2.0, 3.0], "unknown", "weights, template or cut are others"),
        (
            [1.0, 0.0, 0.0, 1.0],
            "unknown",
            "texts are cut at the other end, read at another place, or the head is random",
        ),
    ],
)
def test_what_may_be_and_what_not(served: list[float], dtype: str, why: str) -> None:
    assert disagreement(agreement([0.0, 1.0, 3.0, 2.0], served), dtype) == why


def test_only_pairs_with_all_four_rewards_are_compared() -> None:
    own = [Reward(1.0), Reward(2.0), Reward(None), Reward(4.0)]
    served = [Reward(1.5), Reward(2.5), Reward(3.5), Reward(4.5)]
    assert in_rated_pairs(own, served) == ([1.0, 2.0], [1.5, 2.5])
