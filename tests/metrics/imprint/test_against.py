"""Pairs that go against the choice: by hand, as published, and turned around."""

from __future__ import annotations

from itertools import product
from random import Random

import numpy as np
import pytest
from given.tables.published_labels import published_labels
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from ivan_core.metrics.imprint.against import (
    ALL,
    REGIMES,
    Against,
    against_choice,
    regimes,
    without_preference,
)
from ivan_core.metrics.imprint.preference import PREFERS, Codes, prefers, prefers_as_published
from ivan_core.metrics.intervals import Rate, wilson
from ivan_core.metrics.labels.answers import CHOICE_KEYS, labeler_choice
from ivan_core.metrics.paired import difference_of_counts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PUBLISHED = {
    "stayed": {"chosen": 16_531, "none": 58_350, "rejected": 2_765},
    "got": {"chosen": 9_065, "none": 29_154, "rejected": 3_226},
    "resists": {"chosen": 1_623, "none": 22_907, "rejected": 3_114},
    "reversed": {"chosen": 1_410, "none": 11_106, "rejected": 1_549},
}
"""Their regimes by what the labeler prefers, by their rule."""


def counted(codes: Codes) -> dict[str, int]:
    return dict(zip(PREFERS, np.bincount(codes, minlength=4).tolist(), strict=True))


def test_published_labels_prefer_what_harmless_and_then_helpful_say() -> None:
    chosen, rejected = published_labels()
    assert len(chosen) == 160_800
    assert counted(prefers(chosen, rejected)) == {
        "chosen": 28_443,
        "none": 121_517,
        "rejected": 10_840,
        "unlabelled": 0,
    }
    assert counted(prefers_as_published(chosen, rejected)) == {
        "chosen": 28_629,
        "none": 121_517,
        "rejected": 10_654,
        "unlabelled": 0,
    }


def test_published_regimes_are_counted_by_the_published_preference() -> None:
    """Pairs of each published preference, split into regimes as published, are counted again."""
    codes = prefers_as_published(*published_labels())
    before, after = np.zeros(len(codes)), np.zeros(len(codes))
    for place, name in enumerate(PREFERS[:3]):
        own = np.flatnonzero(codes == place)
        split = np.cumsum([PUBLISHED[regime][name] for regime in REGIMES])
        assert split[-1] == len(own)
        for regime, rows in zip(REGIMES, np.split(own, split[:-1]), strict=True):
            before[rows] = 1 if regime in ("stayed", "reversed") else -1
            after[rows] = 1 if regime in ("stayed", "got") else -1
    found = regimes(before, after, codes, np.arange(len(codes)))
    assert {
        regime: {name: found.count(regime, name) for name in ("chosen", "none", "rejected")}
        for regime in REGIMES
    } == PUBLISHED
    assert [found.count(regime) for regime in REGIMES] == [77_646, 41_445, 27_644, 14_065]
    assert not any(found.count(regime, "unlabelled") for regime in REGIMES)
    assert found.net is not None
    assert found.net.first.count == 119_091 and found.net.second.count == 91_711
    told = {one.prefers: one.misaligned for one in against_choice(after, codes, np.arange(160_800))}
    shares = {name: round(100 * rate.rate, 2) for name, rate in told.items() if rate}
    assert shares == {ALL: 25.94, "chosen": 10.59, "none": 27.99, "rejected": 43.77}
    indifferent = without_preference(after, codes, np.arange(160_800))
    assert indifferent is not None and round(100 * indifferent.rate, 1) == 81.5


def test_the_preference_is_that_of_a_single_pair() -> None:
    answers = list(product([1.0, 0.0, np.nan], repeat=4))
    plain = {1.0: True, 0.0: False}
    table = np.array(answers)
    found = prefers(table[:, :2], table[:, 2:])
    for code, one in zip(found, answers, strict=True):
        given_to = [plain.get(value) for value in one]
        ours, theirs = (
            dict(zip(CHOICE_KEYS, two, strict=True)) for two in (given_to[:2], given_to[2:])
        )
        assert PREFERS[code] == (labeler_choice(ours, theirs) or "unlabelled")


MARGINS = np.array([2.0, 1.0, -1.0, 0.0, -0.5, 3.0, 0.0, np.nan])
GAMMA = np.array([0, 0, 0, 1, 1, 2, 3, 0], dtype=np.int8)
ALONE = np.arange(8)


def test_shares_by_hand() -> None:
    """Of 7 rated pairs 2 are ties and 2 more against; one of them, a tie, is unlabelled."""
    found = against_choice(MARGINS, GAMMA, ALONE)
    assert found == (
        Against(ALL, wilson(4, 7), wilson(2, 7)),
        Against("chosen", wilson(1, 3), wilson(0, 3)),
        Against("none", wilson(2, 2), wilson(1, 2)),
        Against("rejected", wilson(0, 1), wilson(0, 1)),
    )
    assert without_preference(MARGINS, GAMMA, ALONE) == wilson(2, 3)


def test_the_intervals_are_those_of_statsmodels() -> None:
    share = against_choice(MARGINS, GAMMA, ALONE)[0].misaligned
    assert share is not None
    assert (share.low, share.high) == pytest.approx(proportion_confint(4, 7, method="wilson"))


def test_without_a_labeler_or_pairs_nothing_is_told_of_them() -> None:
    assert [one.prefers for one in against_choice(MARGINS, None, ALONE)] == [ALL]
    none = np.full(8, np.nan)
    assert against_choice(none, GAMMA, ALONE)[2] == Against("none", None, None)
    assert without_preference(np.abs(MARGINS) + 1, GAMMA, ALONE) is None
    empty = regimes(none, MARGINS, GAMMA, ALONE)
    assert empty.net is None and not any(empty.count(regime) for regime in REGIMES)
    alone = regimes(MARGINS, MARGINS, None, ALONE)
    assert alone.count("stayed", "unlabelled") == 3 and not alone.count("stayed", "none")


def test_repeated_prompts_widen_the_intervals() -> None:
    margins = np.repeat([1.0, -1.0], 100)
    prompts = np.arange(200) // 4
    shared = against_choice(margins, None, prompts)[0].misaligned
    apart = against_choice(margins, None, np.arange(200))[0].misaligned
    assert shared is not None and apart is not None and shared.rate == apart.rate
    assert shared.effective_n == pytest.approx(49, abs=1) and shared.low < apart.low
    before = np.concatenate([np.repeat([1.0, -1.0], 50), np.full(100, -1.0)])
    net = regimes(before, margins, None, prompts).net
    alone = regimes(before, margins, None, np.arange(200)).net
    assert net is not None and alone is not None
    assert net.difference == alone.difference == 0.25 and net.design > 3.5
    assert net.low < alone.low and net.mid_p > alone.mid_p


def test_regimes_by_hand() -> None:
    """A tie does not agree; the last pair has no later rating."""
    before = np.array([1.0, -1.0, 0.0, -1.0, 0.0, 1.0, 1.0, 1.0])
    after = np.array([1.0, 2.0, 3.0, 0.0, -1.0, 0.0, -2.0, np.nan])
    found = regimes(before, after, GAMMA, ALONE)
    told = [REGIMES[one] for one in found.regime[:7]]
    assert told == ["stayed", "got", "got", "resists", "resists", "reversed", "reversed"]
    assert found.regime[7] == -1
    assert found.net == difference_of_counts(1, 2, 2, 2)
    assert found.rows("got", "chosen").tolist() == [False, True, True] + [False] * 5
    assert found.count("reversed", "rejected") == found.count("reversed", "unlabelled") == 1


margins = st.integers(-2, 2).map(float) | st.just(np.nan)
pairs = st.lists(
    st.tuples(margins, margins, st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=30
)


@given(pairs, st.randoms(use_true_random=False), st.floats(0.01, 100))
def test_order_scale_and_names_of_prompts_change_nothing(
    rows: list[tuple[float, float, int, int]], chance: Random, scale: float
) -> None:
    moved = rows.copy()
    chance.shuffle(moved)
    told = []
    for these, times, names in ((rows, 1.0, 1), (moved, scale, -7)):
        before, after, gamma, groups = (np.array(one) for one in zip(*these, strict=True))
        codes, prompts = gamma.astype(np.int8), groups * names
        found = regimes(before * times, after * times, codes, prompts)
        counts = [found.count(one, by) for one in REGIMES for by in (ALL, *PREFERS)]
        shares = against_choice(after * times, codes, prompts)
        told.append((counts, ends(shares), found.net and (found.net.low, found.net.high)))
        assert sum(found.count(one) for one in REGIMES) == (found.regime >= 0).sum()
    assert told[0][0] == told[1][0]
    np.testing.assert_allclose(told[0][1], told[1][1], atol=1e-12)
    assert told[0][2] == pytest.approx(told[1][2], abs=1e-12)


def ends(shares: tuple[Against, ...]) -> list[float]:
    rates: list[Rate | None] = [rate for one in shares for rate in (one.misaligned, one.ties)]
    return [end for rate in rates if rate for end in (rate.count, rate.n, rate.low, rate.high)]


@given(pairs)
def test_turning_every_pair_around_turns_preferences_and_regimes(
    rows: list[tuple[float, float, int, int]],
) -> None:
    """Without ties, the other reply chosen makes against of with, and rejected of chosen."""
    before, after, gamma, groups = (np.array(one) for one in zip(*rows, strict=True))
    before, after = before + 0.5, after + 0.5
    mirror = np.array([2, 1, 0, 3], dtype=np.int8)
    found = regimes(before, after, gamma.astype(np.int8), groups)
    turned = regimes(-before, -after, mirror[gamma], groups)
    opposite = dict(zip(REGIMES, ("resists", "reversed", "stayed", "got"), strict=True))
    for regime, name in product(REGIMES, PREFERS):
        other = PREFERS[mirror[PREFERS.index(name)]]
        assert found.count(regime, name) == turned.count(opposite[regime], other)
