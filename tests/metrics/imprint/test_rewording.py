"""What rewording moves label by label: against leaving out one pair at a time by hand."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from ivan_core.metrics.imprint.rewording import ITSELF, Move, moves

FEATURES = ("helpful", "sentiment", "seldom")
TRUE = {"helpful": 0.8, "sentiment": -0.3, "log_length": 0.5, ITSELF: -0.1}


def texts(pairs: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Changes, length, moved and pairs of two texts a pair, which share part of their noise."""
    draw = np.random.default_rng(seed)
    n = 2 * pairs
    changes = np.column_stack(
        [draw.choice([-1.0, 0, 0, 0, 1], n), draw.choice([-2.0, -1, 0, 0, 0, 1], n), np.zeros(n)]
    )
    changes[:14, 2] = 1
    length, codes = draw.normal(0, 0.2, n), np.repeat(np.arange(pairs), 2)
    noise = draw.normal(0, 0.2, pairs)[codes] + draw.normal(0, 0.2, n)
    moved = changes[:, :2] @ [0.8, -0.3] + 0.5 * length - 0.1 + noise
    return changes, length, moved, codes


def found(*arrays: np.ndarray) -> dict[str, Move]:
    changes, length, moved, pairs = arrays
    return {one.feature: one for one in moves(FEATURES, changes, length, moved, pairs)}


def test_estimates_are_those_of_least_squares_and_errors_leave_out_one_pair() -> None:
    changes, length, moved, pairs = texts()
    own = found(changes, length, moved, pairs)
    x = np.column_stack([changes[:, :2], length, np.ones(len(moved))])
    fitted = sm.OLS(moved, x).fit().params
    without = np.stack(
        [sm.OLS(moved[pairs != one], x[pairs != one]).fit().params for one in np.unique(pairs)]
    )
    errors = np.sqrt(((without - fitted) ** 2).sum(axis=0))
    names = ("helpful", "sentiment", "log_length", ITSELF)
    np.testing.assert_allclose([own[name].found.estimate for name in names], fitted, rtol=1e-9)
    np.testing.assert_allclose([own[name].found.se for name in names], errors, rtol=1e-8)
    for name, value in TRUE.items():
        assert own[name].found.low < value < own[name].found.high


def test_a_label_that_seldom_changes_is_no_column_and_says_so() -> None:
    changes, length, moved, pairs = texts()
    one = found(changes, length, moved, pairs)["seldom"]
    assert np.isnan(one.found.estimate) and one.changed == 14
    assert one.why == "too few: 14 of at least 15"
    changes[14, 2] = 1
    assert found(changes, length, moved, pairs)["seldom"].why == ""


def test_columns_that_determine_each_other_name_each_other() -> None:
    changes, length, moved, pairs = texts()
    changes[:, 2] = changes[:, 0]
    own = found(changes, length, moved, pairs)
    assert own["seldom"].why == "cannot be told apart from helpful"
    own = found(changes, np.zeros(len(length)), moved, pairs)
    assert own["log_length"].why == "never changes"


def test_without_enough_pairs_there_is_no_number() -> None:
    changes, length, moved, _ = texts()
    own = found(changes, length, moved, np.zeros(len(moved), dtype=np.int64))
    assert own["helpful"].why == "all 172 texts that changed are of one pair"
    assert own[ITSELF].why == "too few pairs" and np.isnan(own[ITSELF].found.estimate)
    nothing = moves(FEATURES, *(one[:0] for one in texts()))
    assert all(np.isnan(one.found.estimate) for one in nothing)


@pytest.mark.parametrize("factor", [-1.0, 2.0])
def test_labels_turned_round_and_other_units_turn_and_scale_it(factor: float) -> None:
    changes, length, moved, pairs = texts()
    before = found(changes, length, moved, pairs)
    turned = found(-changes, length, factor * moved, pairs)
    for name in ("helpful", "sentiment"):
        assert turned[name].found.estimate == pytest.approx(-factor * before[name].found.estimate)


SHARES = (0.75, 0.92, 0.85, 0.3, 0.3)
"""How often texts have each label, of which 4 to 8% change."""
EFFECTS = (0.8, 0.4, 0.0, -0.2, 0.3)


def simulated(draw: np.random.Generator, mistakes: float, pairs: int = 400) -> list[Move]:
    """The moves of five labels that are read with mistakes, and whose effects are known."""
    n, codes = 2 * pairs, np.repeat(np.arange(pairs), 2)
    before = (draw.random((n, 5)) < SHARES).astype(float)
    turned = draw.random((n, 5)) < np.array([0.06, 0.04, 0.04, 0.06, 0.08])
    after = np.where(turned, 1 - before, before)
    length = draw.normal(0, 0.15, n)
    noise = draw.normal(0, 0.25, pairs)[codes] + 0.25 * draw.standard_t(4, n)
    moved = (after - before) @ EFFECTS + 0.4 * length - 0.05 + noise
    read = [np.where(draw.random((n, 5)) < mistakes, 1 - one, one) for one in (before, after)]
    return list(moves(tuple("abcde"), read[1] - read[0], length, moved, codes))[:5]


def test_intervals_cover_and_mistakes_of_the_labeler_halve_what_is_found() -> None:
    draw = np.random.default_rng(0)
    drawn = [simulated(draw, 0.0) for _ in range(400)]
    for place, true in enumerate(EFFECTS):
        found = [one[place].found for one in drawn if not np.isnan(one[place].found.low)]
        assert 0.92 <= np.mean([one.low <= true <= one.high for one in found]) <= 0.98
    shrunk = np.mean([simulated(draw, 0.03)[0].found.estimate for _ in range(100)])
    assert 0.3 < shrunk < 0.5
