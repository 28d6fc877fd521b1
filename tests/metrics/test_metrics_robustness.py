"""What rewording moves: rewards, verdicts, correlation and margins, by hand and by property."""

from __future__ import annotations

from dataclasses import asdict
from math import isnan, sqrt

import numpy as np
import pandas as pd
import pytest
from given.tables.rewordings import Rewards, drawn, table
from hypothesis import given, settings, strategies as st

from ivan_core.metrics.intervals import PROMPT, mean_interval
from ivan_core.metrics.robustness.changes import (
    ORIGINAL,
    REWORDED,
    SECOND,
    SURFACE,
    change_cells,
    changes,
    correlation,
    flips,
    gate,
    mean_change,
    meaning_kept,
    robustness,
    unit_of,
)

# Margins 1, 2, -1, 1, 0, 3 before; -1, 2, 1, 0, 1, missing after.
BEFORE: Rewards = [(2, 1), (3, 1), (1, 2), (2, 1), (1, 1), (4, 1)]
AFTER: Rewards = [(1, 2), (3, 1), (2, 1), (1, 1), (2, 1), (float("nan"), 1)]
HAND = table({ORIGINAL: BEFORE, REWORDED: AFTER})


def test_only_pairs_with_all_four_rewards_count() -> None:
    moved = changes(HAND, "m", REWORDED)
    assert list(moved["row_id"]) == [0, 1, 2, 3, 4]
    assert list(moved["chosen_change"]) == [-1, 0, 1, -1, 1]
    assert list(moved["rejected_change"]) == [1, 0, -1, 0, 0]
    assert list(moved["verdict_before"]) == ["agree", "agree", "disagree", "agree", "tie"]
    assert list(moved["verdict_after"]) == ["disagree", "agree", "agree", "tie", "agree"]


def test_flips_are_counted_both_ways_and_among_those_at_risk() -> None:
    found = flips(changes(HAND, "m", REWORDED))
    assert found is not None
    assert (found.became_misaligned.count, found.became_misaligned.n) == (2, 5)
    assert (found.became_aligned.count, found.either.count, found.other) == (2, 4, 0)
    assert (found.lost_to_tie, found.gained_from_tie) == (1, 1)
    assert found.misaligned_at_risk is not None and found.aligned_at_risk is not None
    assert (found.misaligned_at_risk.count, found.misaligned_at_risk.n) == (2, 3)
    assert (found.aligned_at_risk.count, found.aligned_at_risk.n) == (2, 2)
    assert found.misaligned_at_risk.low == pytest.approx(0.2077, abs=1e-4)


def test_from_a_tie_to_disagreement_is_no_flip() -> None:
    found = flips(changes(table({ORIGINAL: [(1, 1)], REWORDED: [(0, 1)]}), "m", REWORDED))
    assert found is not None and (found.either.count, found.other) == (0, 1)
    assert found.misaligned_at_risk is None


def test_rewards_that_are_equal_as_float32_tie() -> None:
    moved = changes(table({ORIGINAL: [(1, 0)], REWORDED: [(1 + 1e-9, 1)]}), "m", REWORDED)
    assert list(moved["verdict_after"]) == ["tie"]


def test_means_have_students_interval_in_raw_units_and_typical_margins() -> None:
    found = robustness(HAND, "m")
    # Margins of the originals: 1, 2, -1, 1, 0, 3, of which the squares sum to 16.
    assert found.unit == pytest.approx(sqrt(16 / 6))
    assert found.margin is not None and found.margin.mean == 0
    # Changes -2, 0, 2, -1, 1 vary by 10 / 4; t(4) is 2.776.
    half = 2.7764451 * sqrt(2.5 / 5)
    assert (found.margin.low, found.margin.high) == pytest.approx((-half, half))
    assert found.margin.in_units(2).high == pytest.approx(half / 2)


def test_one_pair_has_a_mean_and_no_interval() -> None:
    one = pd.DataFrame({"row_id": [0]})
    found = mean_change(one, np.array([0.5]))
    assert found is not None and found.mean == 0.5 and isnan(found.low)
    assert mean_change(one.head(0), np.array([])) is None


def test_a_mean_change_is_as_wide_as_repeated_prompts_ask() -> None:
    """Of four prompts two rise by 1 with all five of their pairs, and two fall by 1."""
    pairs = pd.DataFrame({PROMPT: np.repeat(np.arange(4), 5)})
    values = np.repeat([1.0, 1.0, -1.0, -1.0], 5)
    found = mean_change(pairs, values)
    # By prompt 4 * 5**2 over 3 of 4, one by one 20 over 19 of 20: (100 * 4 / 3) / (20 * 20 / 19).
    assert found is not None and found.design == pytest.approx(6.3333, abs=1e-4)
    # As if of 3 pairs: t of 2 degrees, the spread of 20 / 19 over 20 / 6.33.
    half = 4.3026527 * sqrt(20 / 19 * found.design / 20)
    assert (found.low, found.high) == pytest.approx((-half, half))
    assert found.effective_n == found.in_units(2).effective_n == 3
    alone = mean_change(pairs.drop(columns=PROMPT), values)
    assert alone is not None and alone.high == pytest.approx(2.0930241 * sqrt(1 / 19))


def test_the_spread_of_two_rewordings_goes_from_one_to_the_other() -> None:
    made = table({ORIGINAL: [(9, 9)], REWORDED: [(1, 0)], SECOND: [(0, 3)]})
    found = robustness(made, "m", SECOND, before=REWORDED)
    assert found.flips is not None and found.flips.became_misaligned.count == 1
    assert found.chosen is not None and found.rejected is not None
    assert (found.chosen.mean, found.rejected.mean) == (-1, 3)


def test_nothing_known_gives_none() -> None:
    found = robustness(HAND, "m", SURFACE)
    assert (found.n, found.chosen, found.flips, found.chosen_correlation) == (0, None, None, None)
    assert robustness(HAND, "nobody").unit is None
    assert meaning_kept(HAND[HAND["variant"].eq(ORIGINAL)], 0.9, 0.5, 2) is None


def test_correlation_has_fishers_interval() -> None:
    x = pd.Series([1.0, 2, 3, 4, 5])
    found = correlation(x, pd.Series([2.0, 1, 4, 3, 5]))
    assert found is not None and found.r == pytest.approx(0.8)
    # atanh .8 = 1.0986, and 1.96 / sqrt 2 = 1.3859.
    assert (found.low, found.high) == pytest.approx((-0.2796, 0.9862), abs=1e-4)
    assert correlation(x, pd.Series([1.0] * 5)) is None
    assert correlation(x[:3], x[:3]) is None


def gated(**columns: float) -> list[bool]:
    """Which of three pairs' originals count if pair 1's rewording has these values."""
    made = table({ORIGINAL: BEFORE[:3], REWORDED: BEFORE[:3], SURFACE: BEFORE[:3]})
    at = made["row_id"].eq(1) & made["variant"].eq(REWORDED)
    for column, value in columns.items():
        made.loc[at, column] = value
    passed = gate(made, 0.9, 0.5, 2.0)
    by_variant = passed.reshape(3, 3)
    assert (by_variant == by_variant[0]).all()
    return [bool(value) for value in by_variant[0]]


def test_a_pair_counts_if_both_sides_keep_meaning_and_length() -> None:
    assert gated() == [True, True, True]
    assert gated(chosen_similarity=0.89) == [True, False, True]
    assert gated(rejected_similarity=0.89) == [True, False, True]
    assert gated(chosen_ratio=2.1) == gated(rejected_ratio=0.4) == [True, False, True]
    assert gated(chosen_similarity=0.9, rejected_ratio=2.0) == [True, True, True]


def test_a_side_that_was_not_reworded_passes() -> None:
    nan = float("nan")
    assert gated(chosen_similarity=nan, chosen_ratio=nan) == [True, True, True]


def test_a_second_rewording_that_fails_takes_only_its_own_row_away() -> None:
    made = table({ORIGINAL: [(2, 1)], REWORDED: [(2, 1)], SECOND: [(2, 1)]})
    made.loc[made["variant"].eq(SECOND), "chosen_similarity"] = 0.1
    assert list(gate(made, 0.9, 0.5, 2)) == [True, True, False]


def test_meaning_kept_is_a_share_of_reworded_pairs() -> None:
    made = table({ORIGINAL: BEFORE, REWORDED: AFTER})
    made.loc[made["row_id"].eq(1), "chosen_similarity"] = 0.2
    found = meaning_kept(made, 0.9, 0.5, 2)
    # Pair 5 has no reworded chosen reward; of the other five, pair 1 fails.
    assert found is not None and (found.count, found.n) == (4, 5)


REWARD = st.integers(-8, 8).map(lambda x: x / 4)
PAIRS = st.lists(st.tuples(REWARD, REWARD, REWARD, REWARD), min_size=1, max_size=12)


def made_of(rows: list[tuple[float, ...]]) -> pd.DataFrame:
    return table({ORIGINAL: [(r[0], r[1]) for r in rows], REWORDED: [(r[2], r[3]) for r in rows]})


@settings(max_examples=40)
@given(PAIRS)
def test_an_identity_rewording_changes_nothing(rows: list[tuple[float, ...]]) -> None:
    same = made_of([(a, b, a, b) for a, b, _, _ in rows])
    found = robustness(same, "m")
    assert found.flips is not None and found.flips.either.count == found.flips.other == 0
    for change in (found.chosen, found.rejected, found.margin):
        assert change is not None and change.mean == 0
    assert found.chosen_correlation is None or found.chosen_correlation.r == pytest.approx(1)
    assert (change_cells(changes(same, "m", REWORDED), found.unit or 1)["y0"] == 0).all()


@settings(max_examples=40)
@given(PAIRS)
def test_swapping_sides_mirrors_the_numbers(rows: list[tuple[float, ...]]) -> None:
    here = robustness(made_of(rows), "m")
    there = robustness(made_of([(b, a, d, c) for a, b, c, d in rows]), "m")
    assert repr((here.chosen, here.rejected)) == repr((there.rejected, there.chosen))
    assert here.chosen_correlation == there.rejected_correlation
    assert here.unit == there.unit
    assert here.margin is not None and there.margin is not None
    assert here.margin.mean == pytest.approx(-there.margin.mean)
    if all(a != b and c != d for a, b, c, d in rows):
        assert here.flips is not None and there.flips is not None
        assert here.flips.became_misaligned == there.flips.became_aligned
        assert here.flips.aligned_at_risk == there.flips.misaligned_at_risk


@settings(max_examples=40)
@given(PAIRS, st.integers(-40, 40))
def test_a_constant_added_to_all_rewards_changes_no_number(
    rows: list[tuple[float, ...]], constant: int
) -> None:
    here, there = (
        asdict(robustness(made_of([tuple(x + c for x in row) for row in rows]), "m"))
        for c in (0, constant)
    )
    for name in ("chosen_correlation", "rejected_correlation"):
        one, other = here.pop(name), there.pop(name)
        assert (one is None) == (other is None)
        assert one is None or one["r"] == pytest.approx(other["r"])
    # Quarters add up exactly, so the rest is equal to the last bit; n = 1 has no interval.
    assert repr(here) == repr(there)


@settings(max_examples=15)
@given(st.integers(1, 60), st.integers(0, 5))
def test_cells_count_each_pair_once(n: int, seed: int) -> None:
    made = drawn(n, seed)
    moved, unit = changes(made, "m", REWORDED), unit_of(made, "m") or 1.0
    cells = change_cells(moved, unit)
    assert cells["count"].sum() == n
    assert cells["cell"].is_unique and cells["count"].gt(0).all()


def test_the_interval_of_a_mean_covers_it_in_some_95_of_100() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(1_000):
        low, high = mean_interval(rng.normal(0.2, 1, 12))
        covered += low <= 0.2 <= high
    assert 930 <= covered <= 970


def test_no_rows_make_empty_cells() -> None:
    assert change_cells(changes(HAND, "nobody", REWORDED), 1.0).empty
