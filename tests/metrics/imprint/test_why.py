"""Why pairs go against the choice: against statsmodels, by hand, and where nothing is told."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from ivan_core.metrics.imprint.logit import SEPARATED, Logit, chance_of, logit
from ivan_core.metrics.imprint.rows import LENGTH
from ivan_core.metrics.imprint.why import Why, average_effects, why_against
from ivan_core.metrics.labels.answers import SENTIMENT

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FEATURES = ("harmless", "refusal", SENTIMENT)
NAMES = [*(f"{side}:{one}" for side in ("chosen", "rejected") for one in FEATURES), LENGTH]


class Study:
    """Labels of both replies, and a model that goes against the choice where they say so."""

    def __init__(self, seed: int, n: int = 500) -> None:
        chance = np.random.default_rng(seed)
        self.groups: Ints = chance.integers(0, n // 2, n)
        self.chosen, self.rejected = (
            np.column_stack(
                [chance.random(n) < 0.9, chance.random(n) < 0.1, chance.choice([-1, 0, 1], n)]
            ).astype(np.float64)
            for _ in range(2)
        )
        self.length: Floats = chance.normal(size=n)
        sides = np.hstack([self.chosen, self.rejected])
        tends = sides @ [-0.8, 0.5, 0.0, 0.9, 0.0, 0.3] - 0.5 * self.length - 0.6
        tends += 0.7 * chance.normal(size=n // 2)[self.groups]
        self.misaligned: Bools = chance.random(n) < chance_of(tends)

    def told(self, order: Ints | None = None, groups: Ints | None = None) -> dict[str, Why]:
        at = np.arange(len(self.length)) if order is None else order
        found = why_against(
            self.chosen[at],
            self.rejected[at],
            FEATURES,
            self.length[at],
            self.misaligned[at],
            (self.groups if groups is None else groups)[at],
        )
        return {one.column: one for one in found}

    @property
    def columns(self) -> Floats:
        return np.column_stack([np.ones(len(self.length)), self.chosen, self.rejected, self.length])


@pytest.mark.parametrize("seed", range(4))
def test_points_and_their_errors_are_those_of_statsmodels(seed: int) -> None:
    study = Study(seed)
    n = len(study.length)
    found = study.told(groups=np.arange(n))
    peer = sm.Logit(study.misaligned.astype(float), study.columns).fit(
        disp=False, tol=1e-14, method="newton", cov_type="HC0"
    )
    effects = peer.get_margeff(at="overall", dummy=True)
    assert list(found) == NAMES and not any(one.why for one in found.values())
    larger = np.sqrt(n / (n - 1))
    told = [found[name] for name in NAMES]
    for ours, theirs in (
        ([one.log_odds.estimate for one in told], peer.params[1:]),
        ([one.log_odds.se for one in told], peer.bse[1:] * larger),
        ([one.points.estimate for one in told], effects.margeff),
        ([one.points.se for one in told], effects.margeff_se * larger),
        ([one.odds_ratio for one in told], np.exp(peer.params[1:])),
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-8)


def test_points_have_the_errors_of_statsmodels_where_prompts_repeat() -> None:
    study = Study(11)
    several = len(np.unique(study.groups))
    peer = sm.Logit(study.misaligned.astype(float), study.columns).fit(
        disp=False,
        tol=1e-14,
        method="newton",
        cov_type="cluster",
        cov_kwds={"groups": study.groups, "use_correction": False},
    )
    expected = peer.get_margeff(dummy=True).margeff_se * np.sqrt(several / (several - 1))
    found = [one.points.se for one in study.told().values()]
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_the_slopes_of_effects_are_those_of_small_steps() -> None:
    study = Study(5)
    graded = np.array([True, False, False, True, False, False, True, True])
    fit = logit(study.columns, study.misaligned.astype(float), study.groups)
    assert isinstance(fit, Logit)
    _, slopes = average_effects(study.columns, fit, graded)
    for place in range(8):
        ends = []
        for step in (1e-5, -1e-5):
            odds = fit.log_odds + step * (np.arange(8) == place)
            moved = Logit(odds, fit.variance, fit.influence, chance_of(study.columns @ odds))
            ends.append(average_effects(study.columns, moved, graded)[0])
        np.testing.assert_allclose(slopes[:, place], (ends[0] - ends[1]) / 2e-5, atol=1e-8)


def test_one_column_by_hand() -> None:
    """20 of 40 pairs with the feature go against the choice, 15 of 60 without: 25 points more."""
    refusal = np.repeat([1.0, 0.0], [40, 60])[:, None]
    misaligned = np.repeat([True, False, True, False], [20, 20, 15, 45])
    found = why_against(
        refusal, np.zeros((100, 1)), ["refusal"], np.zeros(100), misaligned, np.arange(100)
    )
    chosen, rejected, length = found
    assert chosen.points.estimate == pytest.approx(20 / 40 - 15 / 60)
    assert chosen.odds_ratio == pytest.approx(3) and chosen.log_odds.estimate == pytest.approx(
        log(3)
    )
    # The variances of the two shares, from which the other columns take nothing.
    assert chosen.points.se == pytest.approx(
        np.sqrt((0.25 / 40 + 0.25 * 0.75 / 60) * 100 / 99), abs=1e-9
    )
    assert (chosen.n, chosen.away, chosen.away_against) == (100, 40, 20)
    assert chosen.p_holm == chosen.log_odds.p < 0.05
    assert rejected.why == "too few: 0 of at least 10" and np.isnan(rejected.odds_ratio)
    assert length.why == "the same in all pairs"


def test_a_column_needs_ten_texts_away_and_five_of_each_kind() -> None:
    study = Study(6)
    against, aligned = np.flatnonzero(study.misaligned), np.flatnonzero(~study.misaligned)
    study.chosen[:, 1] = study.rejected[:, 0] = 0
    study.rejected[:, 1] = 1
    study.chosen[np.concatenate([against[:4], aligned[:5]]), 1] = 1
    study.rejected[np.concatenate([against[:20], aligned[:4]]), 0] = 1
    study.rejected[np.concatenate([against[:4], aligned[:20]]), 1] = 0
    found = study.told()
    assert found["chosen:refusal"].why == "too few: 9 of at least 10"
    assert found["rejected:harmless"].why == "too few: 4 of at least 5 go with the choice"
    assert found["rejected:refusal"].why == "too few: 4 of at least 5 go against the choice"
    assert (found["rejected:refusal"].away, found["rejected:refusal"].away_against) == (24, 4)
    study.chosen[against[4], 1] = 1
    assert np.isfinite(study.told()["chosen:refusal"].points.p)


def test_holm_goes_over_the_features_of_both_sides() -> None:
    found = Study(7).told()
    p = sorted(one.log_odds.p for name, one in found.items() if name != LENGTH)
    adjusted = sorted(one.p_holm for name, one in found.items() if name != LENGTH)
    assert adjusted[0] == pytest.approx(6 * p[0]) and np.isnan(found[LENGTH].p_holm)


def test_columns_that_determine_each_other_name_each_other() -> None:
    study = Study(8)
    study.rejected[:, 0] = 1 - study.chosen[:, 0]
    found = study.told()
    assert found["rejected:harmless"].why == "cannot be told apart from chosen:harmless"
    assert np.isfinite(found["chosen:harmless"].points.p)


def test_where_nothing_can_be_fitted_there_is_a_reason() -> None:
    study = Study(9)
    # Length alone tells the pairs apart.
    study.length = np.where(study.misaligned, 1.0, -1.0) * (1 + np.abs(study.length))
    found = study.told()
    assert {one.why for one in found.values()} == {SEPARATED}
    assert all(np.isnan([one.points.p, one.p_holm]).all() for one in found.values())
    study.misaligned = np.zeros(500, dtype=np.bool_)
    assert study.told()[LENGTH].why == "no pair goes against the choice"
    study.misaligned = ~study.misaligned
    assert study.told()[LENGTH].why == "every pair goes against the choice"
    assert study.told()["chosen:harmless"].why == "too few: 0 of at least 5 go with the choice"
    study.length = np.full(500, 0.3)
    assert study.told()[LENGTH].why == "the same in all pairs"


def test_without_pairs_nothing_is_told() -> None:
    none = np.zeros((0, 2))
    found = why_against(
        none, none, ["a", "b"], np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64)
    )
    assert len(found) == 5 and all(one.why and one.n == 0 for one in found)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_pairs_changes_nothing(seed: int) -> None:
    study = Study(seed)
    order = np.random.default_rng(seed).permutation(500)
    for ours, theirs in zip(study.told().values(), study.told(order).values(), strict=True):
        for one, other in ((ours.log_odds, theirs.log_odds), (ours.points, theirs.points)):
            ends = [[two.estimate, two.se, two.low, two.high, two.p] for two in (one, other)]
            np.testing.assert_allclose(*ends, atol=1e-10)
        assert (ours.away, ours.away_against) == (theirs.away, theirs.away_against)


@pytest.mark.parametrize("seed", range(3))
def test_turning_every_pair_around_turns_the_points(seed: int) -> None:
    """The other reply chosen, sides change their names, and without ties against becomes with."""
    study = Study(seed)
    found = study.told()
    study.chosen, study.rejected = study.rejected, study.chosen
    study.length, study.misaligned = -study.length, ~study.misaligned
    turned = study.told()
    for side, other in (("chosen", "rejected"), ("rejected", "chosen")):
        for feature in FEATURES:
            ours, theirs = found[f"{side}:{feature}"], turned[f"{other}:{feature}"]
            assert ours.points.estimate == pytest.approx(-theirs.points.estimate, abs=1e-10)
            assert ours.points.se == pytest.approx(theirs.points.se, abs=1e-10)
    assert found[LENGTH].points.estimate == pytest.approx(turned[LENGTH].points.estimate)
