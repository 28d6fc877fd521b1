"""What the choice rewards beside a model: by hand, against statsmodels, and turned around."""

from __future__ import annotations

from collections.abc import Mapping
from math import log, nan

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from ivan_core.metrics.imprint.choice import CHOICE, SIDES_ALWAYS, Rewarded, chances, choice
from ivan_core.metrics.imprint.least_squares import Estimate
from ivan_core.metrics.imprint.logit import SEPARATED, chance_of
from ivan_core.metrics.imprint.rows import LENGTH

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FEATURES = ("refusal", "harmless", "sentiment")
GAP = f"m - {CHOICE}"


class Study:
    """Pairs of which a model and people prefer each other features, with prompts that repeat."""

    def __init__(self, seed: int, n: int = 600) -> None:
        chance = np.random.default_rng(seed)
        self.groups: Ints = chance.integers(0, n // 2, n)
        sides = [chance.random((n, 2)) < share for share in (0.2, 0.6)]
        sides.append(chance.choice([-1, 0, 1], (n, 2)))
        apart = np.column_stack([one[:, 0] * 1.0 - one[:, 1] for one in sides])
        length = np.round(chance.normal(size=n), 1)
        people = chance_of(apart @ [-0.4, 0.8, 0.2] + 0.3 * length)
        turned = np.where(chance.random(n) < people, 1.0, -1.0)
        self.differences: Floats = apart * turned[:, None]
        self.length: Floats = length * turned
        prefers = chance_of(self.differences @ [0.6, 0.8, 0.0] + 0.5 * self.length)
        self.won: Floats = np.where(chance.random(n) < prefers, 1.0, 0.0)
        self.won[chance.random(n) < 0.05] = 0.5

    def told(self, order: Ints | None = None) -> dict[tuple[str, str], Rewarded]:
        at = np.arange(len(self.length)) if order is None else order
        return by_name(self.differences[at], self.length[at], self.groups[at], {"m": self.won[at]})


def by_name(
    differences: Floats,
    length: Floats,
    groups: Ints,
    wins: Mapping[str, Floats],
    features: tuple[str, ...] = FEATURES,
) -> dict[tuple[str, str], Rewarded]:
    found = choice(differences, features, length, groups, wins)
    return {(one.who, one.feature): one for one in found}


def numbers(one: Rewarded) -> list[float]:
    found = one.found
    ends = [found.estimate, found.se, found.low, found.high, found.p, one.p_holm]
    return [*ends, one.wins, one.strength, one.n, one.differs]


def same(ours: Mapping[tuple[str, str], Rewarded], theirs: dict[tuple[str, str], Rewarded]) -> None:
    assert list(ours) == list(theirs)
    for name, one in ours.items():
        np.testing.assert_allclose(numbers(one), numbers(theirs[name]), atol=1e-10)
        assert one.why == theirs[name].why


def test_there_is_an_entry_for_each_feature_of_the_choice_a_model_and_their_gap() -> None:
    found = Study(0).told()
    names = (*FEATURES, LENGTH)
    assert list(found) == [(who, name) for who in (CHOICE, "m", GAP) for name in names]
    assert not any(one.why for one in found.values())


@pytest.mark.parametrize("seed", range(3))
def test_log_odds_are_those_of_statsmodels_and_gaps_those_of_both_in_one_regression(
    seed: int,
) -> None:
    study = Study(seed)
    columns = np.column_stack([study.differences, study.length])
    several = len(np.unique(study.groups))
    stacked = sm.GLM(
        np.concatenate([np.ones(len(columns)), study.won]),
        np.kron(np.eye(2), columns),
        family=sm.families.Binomial(),
    ).fit(
        tol=1e-14,
        cov_type="cluster",
        cov_kwds={"groups": np.tile(study.groups, 2), "use_correction": False},
    )
    variance = stacked.cov_params() * several / (several - 1)
    apart = np.hstack([-np.eye(4), np.eye(4)])
    spreads = np.sqrt(np.concatenate([np.diag(variance), np.diag(apart @ variance @ apart.T)]))
    values = np.concatenate([stacked.params, apart @ stacked.params])
    found = [one.found for one in study.told().values()]
    np.testing.assert_allclose([one.estimate for one in found], values, atol=1e-8)
    np.testing.assert_allclose([one.se for one in found], spreads, atol=1e-8)


def test_one_feature_by_hand() -> None:
    """Of 60 pairs with one refusal the choice takes it in 24: ln(24/36); a tie is half a win."""
    differences = np.repeat([1.0, -1.0, 0.0], [24, 36, 40])[:, None]
    # The model prefers the refusal in 20 + 28 of these pairs, and 4 are ties.
    won = np.concatenate([np.repeat([1, 0], [20, 4]), np.repeat([0, 0.5, 1], [28, 4, 4]), [1] * 40])
    found = by_name(differences, np.zeros(100), np.arange(100), {"m": won}, ("refusal",))
    chosen, model, gap = (found[who, "refusal"] for who in (CHOICE, "m", GAP))
    assert chosen.found.estimate == pytest.approx(log(24 / 36))
    assert (chosen.wins, chosen.differs, chosen.n) == (24, 60, 100)
    assert chosen.strength == pytest.approx((2 * 0.4 - 1) * 0.6)
    assert model.wins == 50 and model.strength == pytest.approx((2 * 50 / 60 - 1) * 0.6)
    assert model.found.estimate == pytest.approx(log(50 / 10))
    assert gap.found.estimate == pytest.approx(log(50 / 10) - log(24 / 36))
    assert np.isnan([gap.wins, gap.strength]).all()
    length = found[CHOICE, LENGTH]
    assert length.why == "too few: 0 of at least 10" and np.isnan(length.strength)


def test_log_odds_in_words() -> None:
    told = chances(Estimate(log(46 / 54), 0.1, log(0.41 / 0.59), log(0.51 / 0.49), 0.1))
    assert (told.share, told.low, told.high) == pytest.approx((0.46, 0.41, 0.51))
    unknown = chances(Estimate(0.0, 0.0, nan, nan, nan))
    assert unknown.share == 0.5 and np.isnan([unknown.low, unknown.high]).all()


def test_holm_goes_over_the_features_of_each_and_never_over_length() -> None:
    found = Study(1).told()
    for who in (CHOICE, "m", GAP):
        p = sorted(found[who, name].found.p for name in FEATURES)
        adjusted = sorted(found[who, name].p_holm for name in FEATURES)
        assert adjusted[0] == pytest.approx(min(1, 3 * p[0]))
        assert np.isnan(found[who, LENGTH].p_holm) and found[who, LENGTH].found.p < 1


def test_a_feature_needs_ten_pairs_that_differ_and_five_each_way() -> None:
    study = Study(2)
    columns = study.differences.copy()
    columns[:, 0] = columns[:, 1] = 0.0
    columns[:9, 0], columns[9:29, 1] = [1, -1, 1, -1, 1, -1, 1, -1, 1], [1.0] * 16 + [-1.0] * 4
    found = by_name(columns, study.length, study.groups, {"m": study.won})
    for who in (CHOICE, "m", GAP):
        assert found[who, "refusal"].why == "too few: 9 of at least 10"
        assert found[who, "harmless"].why == "too few: rejected in 4 of at least 5"
        assert np.isnan(found[who, "harmless"].found.estimate)
        assert np.isfinite(found[who, "sentiment"].found.p)
    assert (found[CHOICE, "harmless"].wins, found[CHOICE, "harmless"].differs) == (16, 20)
    columns[29, 1] = -1.0
    found = by_name(columns, study.length, study.groups, {"m": study.won})
    assert found[CHOICE, "harmless"].found.estimate == pytest.approx(log(16 / 5), abs=0.3)


def test_what_a_model_always_prefers_leaves_only_that_models_numbers() -> None:
    study = Study(3)
    won = np.where(study.differences[:, 1] > 0, 1.0, study.won)
    won = np.where(study.differences[:, 1] < 0, 0.0, won)
    found = by_name(study.differences, study.length, study.groups, {"always": won, "m": study.won})
    assert (
        found["always", "harmless"].why == "too few: not preferred by the model in 0 of at least 5"
    )
    assert np.isnan(found[f"always - {CHOICE}", "harmless"].found.estimate)
    # Its gap is to the choice by the columns that both have.
    without = by_name(
        study.differences[:, [0, 2]],
        study.length,
        study.groups,
        {"always": won},
        ("refusal", "sentiment"),
    )
    for name in ("refusal", "sentiment", LENGTH):
        ours, theirs = (one[f"always - {CHOICE}", name].found for one in (found, without))
        assert (ours.estimate, ours.se) == pytest.approx((theirs.estimate, theirs.se))
    same({name: found[name] for name in study.told()}, study.told())


def test_a_model_that_always_sides_with_the_choice_has_no_gap_to_test() -> None:
    study = Study(4)
    found = by_name(study.differences, study.length, study.groups, {"m": np.ones(600)})
    gap = found[GAP, "harmless"]
    assert gap.found.estimate == 0 and np.isnan(gap.found.p) and gap.why == SIDES_ALWAYS
    assert found["m", "harmless"].found == found[CHOICE, "harmless"].found


def test_a_choice_that_length_alone_tells_has_a_reason_instead_of_numbers() -> None:
    study = Study(5)
    found = by_name(study.differences, np.abs(study.length) + 1, study.groups, {"m": study.won})
    assert found[CHOICE, "refusal"].why == SEPARATED == found[GAP, LENGTH].why
    assert np.isnan(found[CHOICE, "refusal"].p_holm)
    assert np.isfinite(found["m", "refusal"].found.p)


def test_features_that_determine_each_other_name_each_other() -> None:
    study = Study(6)
    columns = np.column_stack([study.differences, -study.differences[:, 1]])
    found = by_name(columns, study.length, study.groups, {"m": study.won}, (*FEATURES, "harmful"))
    assert found[CHOICE, "harmful"].why == "cannot be told apart from harmless"
    assert found[CHOICE, "harmless"].found == study.told()[CHOICE, "harmless"].found


def test_without_pairs_there_are_no_numbers() -> None:
    found = by_name(np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=np.int64), {"m": np.zeros(0)})
    assert all(one.why == "too few: 0 of at least 10" for one in found.values())
    alone = by_name(np.zeros((20, 3)), np.zeros(20), np.arange(20), {})
    assert list(alone) == [(CHOICE, name) for name in (*FEATURES, LENGTH)]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000))
def test_turning_who_was_chosen_mirrors_the_choice_and_leaves_the_model(seed: int) -> None:
    study = Study(seed, 300)
    found = study.told()
    turned = by_name(-study.differences, -study.length, study.groups, {"m": 1 - study.won})
    for (who, name), one in found.items():
        other = turned[who, name]
        if who == "m":
            np.testing.assert_allclose(numbers(other), numbers(one), atol=1e-10)
        elif who == CHOICE and not one.why:
            assert other.found.estimate == pytest.approx(-one.found.estimate, abs=1e-10)
            assert other.strength == pytest.approx(-one.strength)


def swapped(study: Study, first_chosen: Bools, rewards: Floats) -> dict[tuple[str, str], Rewarded]:
    """The same study told of a first and a second reply, `first_chosen` saying which was chosen."""
    labels = np.stack([study.differences, np.zeros_like(study.differences)], axis=1)
    rows, first = np.arange(len(rewards)), np.where(first_chosen, 0, 1)
    sign = np.where(first_chosen, 1.0, -1.0)
    margin = rewards[:, 0] - rewards[:, 1]
    won = np.select([margin > 0, margin == 0], [1.0, 0.5], 0.0)
    apart = labels[rows, first] - labels[rows, 1 - first]
    return by_name(apart * sign[:, None], study.length, study.groups, {"m": won})


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000))
def test_the_sides_of_replies_the_order_of_pairs_and_the_scale_of_rewards_change_nothing(
    seed: int,
) -> None:
    study, chance = Study(seed, 300), np.random.default_rng(seed)
    rewards = np.stack([study.won, np.full(300, 0.5)], axis=1)
    first_chosen = chance.random(300) < 0.5
    for sides in (first_chosen, ~first_chosen):
        same(study.told(), swapped(study, sides, rewards))
        same(study.told(), swapped(study, sides, 8 * rewards - 3))
    same(study.told(), study.told(chance.permutation(300)))
