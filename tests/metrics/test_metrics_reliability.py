"""Temperature, calibration and risk against coverage: known models, numbers by hand, properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ivan_core.metrics.agreement import agreement, count_verdicts
from ivan_core.metrics.reliability import (
    bin_edges,
    calibration_error,
    cross_fitted,
    folds_of,
    reliability,
    risk_coverage,
    temperature,
)

Floats = NDArray[np.float64]
margin_lists = st.lists(st.integers(-99, 99), min_size=2, max_size=60)


def scores(margins: Floats, model: str = "m") -> pd.DataFrame:
    verdict = np.select([margins > 0, margins == 0], ["agree", "tie"], "disagree")
    n = len(margins)
    return pd.DataFrame(
        {
            "row_id": range(n),
            "model": model,
            "margin": margins,
            "verdict": verdict,
            "identical": False,
            "failure": None,
            "chosen_truncated": False,
            "rejected_truncated": False,
        }
    )


def sigma(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-values))


def calibrated(n: int, true_temperature: float = 1.0, spread: float = 1.0, seed: int = 0) -> Floats:
    """Margins of a model that agrees with probability sigma(|m| / T)."""
    rng = np.random.default_rng(seed)
    size = np.abs(rng.normal(0, spread * true_temperature, n))
    return np.where(rng.random(n) < sigma(size / true_temperature), size, -size)


@pytest.mark.parametrize("true_temperature", [0.02, 1.0, 7.5])
def test_the_temperature_of_a_known_model_is_recovered(true_temperature: float) -> None:
    for seed in range(3):
        found = temperature(calibrated(20_000, true_temperature, 1.5, seed))
        assert found == pytest.approx(true_temperature, rel=0.05)


def test_the_temperature_of_two_sizes_by_hand() -> None:
    # Three of four pairs of margin 1 agree: sigma(1 / T) = 3/4, so T = 1 / log(3).
    found = temperature(np.array([1.0, 1.0, 1.0, -1.0]))
    assert found == pytest.approx(1 / np.log(3))


@given(margin_lists)
def test_the_temperature_is_the_top_of_the_likelihood(margins: list[int]) -> None:
    values = np.array(margins, dtype=float)
    found = temperature(values)
    interior = bool((values < 0).any()) and values.sum() > 0
    assert (found is not None) == interior
    if found is None:
        return
    best = minimize_scalar(
        lambda log_t: np.logaddexp(0, -values / np.exp(log_t)).sum(),
        bounds=(np.log(found) - 3, np.log(found) + 3),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert np.logaddexp(0, -values / found).sum() <= best.fun + 1e-7


@given(margin_lists, st.floats(1e-6, 1e6))
def test_scaling_the_margins_scales_the_temperature(margins: list[int], factor: float) -> None:
    values = np.array(margins, dtype=float)
    one, other = temperature(values), temperature(values * factor)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert other == pytest.approx(one * factor, rel=1e-6)


@given(st.lists(st.tuples(*[st.integers(-99, 99)] * 2), min_size=2), st.integers(-99, 99))
def test_a_constant_on_all_rewards_changes_nothing(
    rewards: list[tuple[int, int]], constant: int
) -> None:
    plain = np.array([float(c - r) for c, r in rewards])
    moved = np.array([float((c + constant) - (r + constant)) for c, r in rewards])
    assert temperature(plain) == temperature(moved)
    assert risk_coverage(scores(plain)).equals(risk_coverage(scores(moved)))


def test_margins_whose_mean_is_0_but_for_rounding_have_no_temperature() -> None:
    values = np.array(
        [-11, 82, -1, 21, -6, -41, -6, -42, 30, -1, 15, -41, -41, -54, -5, -26, 97, 30.0]
    )
    assert values.sum() == 0
    assert temperature(values) is None
    assert temperature(values * 43984.5262138159) is None


@given(margin_lists)
def test_ties_carry_no_information_on_the_temperature(margins: list[int]) -> None:
    values = np.array(margins, dtype=float)
    assert temperature(values) == temperature(np.append(values, [0.0, 0.0]))


def test_models_without_a_usable_scale() -> None:
    rng = np.random.default_rng(0)
    wrong = reliability(scores(-np.abs(rng.normal(size=400))), rng)
    assert wrong.temperature is None and wrong.bins.empty and wrong.fitted is None
    perfect = reliability(scores(np.abs(rng.normal(size=400))), rng)
    assert perfect.temperature is None
    # Right in 60% of pairs, but wrong where it is surest: the mean margin is negative.
    upside_down = reliability(scores(np.array([0.1] * 240 + [-5.0] * 160)), rng)
    assert upside_down.temperature is None
    assert reliability(scores(np.array([])), rng).n == 0


def test_ties_count_against_a_usable_scale_and_are_left_out_of_bins() -> None:
    margins = np.append(calibrated(400, seed=4), np.zeros(20))
    found = reliability(scores(margins), np.random.default_rng(0))
    assert (found.n, found.ties) == (400, 20)
    assert found.bins[found.bins["scale"] == "fitted"]["n"].sum() == 400
    mostly_ties = np.array([1.0] * 49 + [-1.0] * 2 + [0.0] * 49)
    assert reliability(scores(mostly_ties), np.random.default_rng(0)).temperature is None


def test_folds_depend_on_the_row_alone() -> None:
    keys = pd.Series(range(1000))
    folds = folds_of(keys)
    shuffled = keys.sample(frac=1, random_state=1)
    assert list(folds_of(shuffled)) == list(folds[shuffled.to_numpy()])
    assert np.bincount(folds, minlength=5).min() > 150


def test_the_temperature_of_a_pair_comes_from_the_other_folds() -> None:
    margins = calibrated(600, 2.0)
    folds = np.arange(600) % 3
    found = cross_fitted(margins, folds)
    assert found is not None
    assert set(np.round(found[folds == 1], 9)) == {round(temperature(margins[folds != 1]) or 0, 9)}


def test_groups_are_never_split_between_folds() -> None:
    rng = np.random.default_rng(0)
    table = scores(calibrated(500, seed=2))
    groups = pd.Series([f"turn {i // 5}" for i in range(500)])
    together = reliability(table, rng, groups)
    assert together.temperature == reliability(table, rng).temperature
    assert not together.bins.equals(reliability(table, rng).bins)


def test_pairs_of_equal_size_share_a_bin() -> None:
    # Edges at 50, 100 and 150 go to where a size ends: 60, 140, and the end.
    sizes = np.repeat([1.0, 2.0, 3.0], [60, 80, 60])
    assert list(bin_edges(sizes)) == [0, 60, 140, 200]
    # What is left after a size is too small for a bin of its own, so it joins the one before.
    assert list(bin_edges(np.repeat([1.0, 2.0, 3.0], [30, 100, 20]))) == [0, 150]
    assert list(bin_edges(np.repeat([1.0, 2.0, 3.0], [60, 50, 50]))) == [0, 60, 110, 160]
    assert list(bin_edges(np.ones(500))) == [0, 500]


def test_bins_hold_equal_counts_of_at_least_fifty() -> None:
    for n, bins in ((812, 10), (160, 3), (60, 1), (49, 0)):
        found = reliability(scores(calibrated(n, seed=n)), np.random.default_rng(0)).bins
        fitted = found[found["scale"] == "fitted"]
        assert len(fitted) == bins
        assert len(found) == 2 * bins
        if bins:
            assert fitted["n"].sum() == n and fitted["n"].min() >= 50
            assert fitted["n"].max() - fitted["n"].min() <= 1
            assert fitted["margin_low"].is_monotonic_increasing


def test_calibration_error_is_told_from_300_pairs_on() -> None:
    for n, told in ((299, False), (300, True)):
        found = reliability(scores(calibrated(n, seed=8)), np.random.default_rng(0))
        assert (found.fitted is not None) == told


def test_a_calibrated_model_is_within_its_range_and_an_overconfident_one_is_not() -> None:
    margins = calibrated(3000, seed=1)
    good = reliability(scores(margins), np.random.default_rng(0))
    assert good.fitted is not None and not good.fitted.beyond_chance
    boasting = reliability(scores(margins * 4), np.random.default_rng(0))
    assert boasting.raw is not None and boasting.raw.beyond_chance
    assert boasting.fitted is not None and not boasting.fitted.beyond_chance
    assert boasting.temperature == pytest.approx(4 * (good.temperature or 0))


@pytest.mark.parametrize(("n", "median"), [(812, 0.041), (160, 0.095)])
def test_the_error_of_a_perfect_model_is_not_zero(n: int, median: float) -> None:
    edges = np.linspace(0, n, 11).round().astype(np.int64)
    rng = np.random.default_rng(0)
    errors = []
    for seed in range(300):
        margins = calibrated(n, spread=0.75, seed=seed)
        size = np.sort(np.abs(margins))
        agree = margins[np.argsort(np.abs(margins))] > 0
        found = calibration_error(sigma(size), agree, edges, rng) if seed < 5 else None
        if found is not None:
            assert found.low < median < found.high
        counts = np.add.reduceat(agree.astype(float) - sigma(size), edges[:-1])
        errors.append(np.abs(counts).sum() / n)
    assert np.median(errors) == pytest.approx(median, abs=0.005)


def test_the_error_of_two_bins_by_hand() -> None:
    # |3 - 2.4| + |1 - 3.2| over 8 pairs = 0.35
    sure = np.array([0.6] * 4 + [0.8] * 4)
    agree = np.array([True, True, True, False, True, False, False, False])
    edges = np.array([0, 4, 8])
    found = calibration_error(sure, agree, edges, np.random.default_rng(0))
    assert found.ece == pytest.approx((0.6 + 2.2) / 8)


def test_the_range_of_large_runs_is_that_of_drawn_pairs() -> None:
    n = 5000
    sure = np.sort(sigma(np.abs(np.random.default_rng(1).normal(size=n))))
    edges = np.linspace(0, n, 11).round().astype(np.int64)
    agree = np.random.default_rng(2).random(n) < sure
    large = calibration_error(sure, agree, edges, np.random.default_rng(3))
    rng = np.random.default_rng(4)
    drawn = np.array(
        [
            np.abs(np.add.reduceat((rng.random(n) < sure) - sure, edges[:-1])).sum() / n
            for _ in range(1000)
        ]
    )
    expected = np.quantile(drawn, [0.025, 0.975])
    assert (large.low, large.high) == pytest.approx(tuple(expected), rel=0.08)


def test_the_same_seed_gives_the_same_range() -> None:
    table = scores(calibrated(400, seed=9))
    one = reliability(table, np.random.default_rng(7))
    assert one.fitted == reliability(table, np.random.default_rng(7)).fitted


def test_the_curve_by_hand() -> None:
    margins = np.array([9.0, -8.0, 7.0, 7.0, 0.0] + [-1.0] * 50)
    curve = risk_coverage(scores(margins))
    # Below 50 pairs nothing is drawn; the fifty pairs of size 1 enter together, the tie comes last.
    assert list(curve["n"]) == [54, 55]
    assert list(curve["rate"]) == [3 / 54, 3 / 55]
    assert list(curve["least_margin"]) == [1.0, 0.0]
    assert curve["marked"].all()


@settings(max_examples=40)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=200))
def test_the_curve_ends_at_the_agreement_of_all_pairs(margins: list[int]) -> None:
    table = scores(np.array(margins, dtype=float))
    curve = risk_coverage(table)
    rate = agreement(count_verdicts(table))
    last = curve.iloc[-1]
    assert rate is not None and bool(last["marked"])
    assert (last["coverage"], last["n"], last["rate"]) == (1.0, rate.n, rate.rate)
    assert (last["low"], last["high"]) == (rate.low, rate.high)


def test_a_long_curve_is_thinned_and_marked() -> None:
    table = pd.concat([scores(calibrated(4000, seed=i), f"m{i}") for i in range(2)])
    curve = risk_coverage(table)
    assert (curve.groupby("model").size() <= 500).all()
    assert list(curve[curve["model"] == "m0"].query("marked")["n"]) == [400, 1000, 2000, 3000, 4000]
    assert (curve["low"] <= curve["rate"]).all() and (curve["rate"] <= curve["high"]).all()
    assert risk_coverage(table.head(0)).empty
