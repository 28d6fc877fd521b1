"""Two models on the same pairs: counts by hand, published intervals, properties."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy.stats import binomtest, norm

from ivan_core.metrics.paired import (
    difference_of_counts,
    in_margin_cell,
    margin_cells,
    mcnemar_mid_p,
    paired_difference,
    pairs_needed,
    shared_rows,
    verdict_table,
)

counts = st.integers(0, 60)
whole_margins = st.lists(st.tuples(*[st.integers(-9, 9)] * 2), min_size=1, max_size=40)


def scores(margins: list[float | None], model: str, **columns: Any) -> pd.DataFrame:
    """Scores of one model with these margins; None where the pair was not rated."""
    values = pd.Series(margins, dtype="float64")
    names = np.select([values > 0, values == 0, values < 0], ["agree", "tie", "disagree"], "")
    table = pd.DataFrame(
        {
            "row_id": range(len(margins)),
            "model": model,
            "subset": "s",
            "margin": values,
            "verdict": pd.Series(names, dtype="string").replace("", None),
            "seen": pd.Series([None] * len(margins), dtype="boolean"),
        }
    )
    return table.assign(**columns)


def both(first: list[float | None], second: list[float | None]) -> pd.DataFrame:
    table = pd.concat([scores(first, "a"), scores(second, "b")], ignore_index=True)
    return shared_rows(table, "a", "b")


def newcombe(e: int, f: int, g: int, h: int) -> tuple[float, float]:
    """Method 10 as the paper has it, written apart from the code under test."""
    n, z = e + f + g + h, float(norm.ppf(0.975))

    def limits(x: int) -> tuple[float, float]:
        root = z * sqrt(z * z + 4 * x * (1 - x / n))
        return (2 * x + z * z - root) / (2 * (n + z * z)), (2 * x + z * z + root) / (
            2 * (n + z * z)
        )

    (l2, u2), (l3, u3) = limits(e + f), limits(e + g)
    product = (e + f) * (g + h) * (e + g) * (f + h)
    top = float(e * h - f * g)
    if top > 0:
        top = max(top - n / 2, 0.0)
    phi = top / sqrt(product) if product else 0.0
    dl2, du2 = (e + f) / n - l2, u2 - (e + f) / n
    dl3, du3 = (e + g) / n - l3, u3 - (e + g) / n
    theta = (f - g) / n
    return (
        theta - sqrt(max(0.0, dl2**2 - 2 * phi * dl2 * du3 + du3**2)),
        theta + sqrt(max(0.0, du2**2 - 2 * phi * du2 * dl3 + dl3**2)),
    )


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((20, 12, 2, 16), 0.0562, 0.3292),
        ((18, 12, 2, 18), 0.0562, 0.3290),
        ((36, 14, 0, 0), 0.1528, 0.4167),
        ((35, 14, 0, 1), 0.1461, 0.4175),
        ((18, 14, 0, 18), 0.1441, 0.3963),
        ((2, 97, 1, 0), 0.8721, 0.9854),
    ],
)
def test_the_interval_is_the_published_one(
    cells: tuple[int, int, int, int], low: float, high: float
) -> None:
    # Newcombe (1998), Table III, method 10.
    found = difference_of_counts(*cells)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@given(counts, counts, counts, counts)
def test_the_interval_is_that_of_the_papers_formula(e: int, f: int, g: int, h: int) -> None:
    found = difference_of_counts(e, f, g, h)
    if e + f + g + h == 0:
        assert found is None
        return
    assert found is not None
    assert (found.low, found.high) == pytest.approx(newcombe(e, f, g, h), abs=1e-9)
    assert -1 <= found.low <= found.difference <= found.high <= 1


@given(counts, counts, counts, counts, st.integers(2, 5))
def test_a_design_effect_counts_as_so_many_times_fewer_pairs(
    e: int, f: int, g: int, h: int, times: int
) -> None:
    one = difference_of_counts(e, f, g, h)
    cells = (times * cell for cell in (e, f, g, h))
    other = difference_of_counts(*cells, design=times)
    if one is None or other is None:
        assert one is other
        return
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-12)
    assert other.mid_p == one.mid_p


def test_counts_of_a_test_on_fewer_pairs_are_rounded_towards_each_other() -> None:
    # 11 against 1 as if half as many: 5 against 1, 2 * (1/2 * 6 + 1) / 2**6, not 6 against 0.
    found = difference_of_counts(20, 11, 1, 20, design=2)
    assert found is not None and found.mid_p == pytest.approx(0.125)
    # Both under one pair: 1 against 1.
    few = difference_of_counts(20, 2, 1, 20, design=4)
    assert few is not None and few.mid_p == pytest.approx(1)


@given(counts, counts, counts, counts)
def test_swapping_the_models_negates_the_difference(e: int, f: int, g: int, h: int) -> None:
    one, other = difference_of_counts(e, f, g, h), difference_of_counts(e, g, f, h)
    if one is None or other is None:
        assert one is other
        return
    assert one.difference == -other.difference
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert one.mid_p == other.mid_p
    assert (one.first, one.second) == (other.second, other.first)


def test_mid_p_by_hand() -> None:
    # One against seven of eight: 2 * 1/256 + 8/256 = 10/256.
    assert mcnemar_mid_p(1, 7) == pytest.approx(10 / 256)
    assert mcnemar_mid_p(0, 0) == mcnemar_mid_p(5, 5) == 1.0
    assert mcnemar_mid_p(0, 5000) == 0.0


@given(st.integers(0, 300), st.integers(0, 300))
def test_mid_p_is_the_exact_p_less_the_observed_count(b: int, c: int) -> None:
    if b == c:
        assert mcnemar_mid_p(b, c) == pytest.approx(1.0)
        return
    exact = binomtest(b, b + c).pvalue
    at = binomtest(min(b, c), b + c, alternative="less").pvalue
    below = binomtest(min(b, c) - 1, b + c, alternative="less").pvalue if min(b, c) else 0.0
    assert mcnemar_mid_p(b, c) == pytest.approx(exact - (at - below), rel=1e-6, abs=1e-12)


def test_mid_p_of_a_large_run_stays_exact() -> None:
    assert mcnemar_mid_p(40_000, 40_400) == pytest.approx(
        binomtest(40_000, 80_400).pvalue, rel=2e-2
    )


def test_verdicts_are_counted_with_ties_visible() -> None:
    shared = both([1, 2, 0, -1, None, -3], [1, -1, 2, -1, 1, None])
    assert list(shared["row_id"]) == [0, 1, 2, 3]
    table = verdict_table(shared).set_index(["first", "second"])
    assert len(table) == 9 and (table["n"] == 4).all()
    assert table["count"][("agree", "agree")] == 1
    assert table["count"][("agree", "disagree")] == 1
    assert table["count"][("tie", "agree")] == 1
    assert table["count"][("disagree", "disagree")] == 1
    assert table["share"].sum() == 1.0


def test_a_tie_is_no_agreement() -> None:
    found = paired_difference(both([1, 2, 0, -1], [1, -1, 2, -1]))
    assert found is not None
    assert (found.both, found.first_only, found.second_only, found.neither) == (1, 1, 1, 1)
    assert (found.difference, found.discordance, found.n) == (0.0, 0.5, 4)
    assert not found.excludes_zero


def test_units_of_the_whole_run_can_be_given() -> None:
    table = pd.concat([scores([2, -4], "a"), scores([3, 3], "b")], ignore_index=True)
    shared = shared_rows(table, "a", "b", {"a": 2.0, "b": 6.0})
    assert list(shared["first_margin"]) == [1.0, -2.0]
    assert list(shared["second_margin"]) == [0.5, 0.5]


def test_pairs_seen_by_either_model_are_marked() -> None:
    seen = pd.Series([True, False, None], dtype="boolean")
    table = pd.concat([scores([1, 1, 1], "a", seen=seen), scores([1, 1, 1], "b")])
    assert list(shared_rows(table, "a", "b")["seen"]) == [True, False, False]


def test_pairs_needed_by_hand() -> None:
    # z = 1.959964 and 0.841621; at discordance 0.25 and 5 points:
    # (1.959964 * 0.5 + 0.841621 * sqrt(0.2475))^2 / 0.0025 = 1.398682^2 / 0.0025
    needed = {one.gap: one.pairs for one in pairs_needed(0.25)}
    assert needed[0.05] == 783
    assert needed[0.01] == 19_620
    assert [one.pairs for one in pairs_needed(0.03)][2] is None
    assert all(one.pairs is None for one in pairs_needed(0.0))


@given(st.floats(0.06, 1.0))
def test_smaller_differences_need_more_pairs(discordance: float) -> None:
    one, two, five = (needed.pairs or 0 for needed in pairs_needed(discordance))
    assert one > two > five > 0


def test_the_needed_number_reaches_its_power() -> None:
    rng = np.random.default_rng(5)
    (needed,) = pairs_needed(0.3, (0.05,))
    assert needed.pairs is not None
    drawn = rng.multinomial(needed.pairs, [0.175, 0.125, 0.7], size=2000)
    found = np.mean([mcnemar_mid_p(int(b), int(c)) < 0.05 for b, c, _ in drawn])
    assert found == pytest.approx(0.80, abs=0.03)


@given(whole_margins, st.integers(1, 12))
def test_every_pair_falls_in_exactly_one_cell(margins: list[tuple[int, int]], half: int) -> None:
    shared = both([float(a) for a, _ in margins], [float(b) for _, b in margins])
    cells = margin_cells(shared, 2 * half)
    assert cells["cell"].is_unique
    found: list[int] = []
    for cell in cells.itertuples():
        first, second = (shared[f"{name}_margin"].to_numpy(float) for name in ("first", "second"))
        rows = shared[in_margin_cell(first, second, cell.x0, cell.x1, cell.y0, cell.y1)]
        assert len(rows) == cell.count
        assert rows["first_verdict"].eq(rows["second_verdict"]).sum() == cell.same
        assert cell.x0 >= 0 or cell.x1 <= 0
        found += list(rows["row_id"])
    assert sorted(found) == list(shared["row_id"])


def test_extreme_margins_stay_in_the_outermost_cells() -> None:
    first = [1.0] * 99 + [60.0]
    cells = margin_cells(both(first, [1.0] * 99 + [-60.0]))
    assert cells["x1"].max() == 4.0 and cells["y0"].min() == -4.0
    last = cells[cells["count"] == 1].iloc[0]
    assert (last["x1"], last["y0"]) == (4.0, -4.0)


def test_an_odd_number_of_bins_has_no_edge_at_zero() -> None:
    with pytest.raises(ValueError, match="even number"):
        margin_cells(both([1.0], [1.0]), 7)


def test_nothing_shared_gives_nothing() -> None:
    shared = both([1.0, None], [None, 1.0])
    assert shared.empty and paired_difference(shared) is None
    assert verdict_table(shared)["count"].sum() == 0
    assert margin_cells(shared).empty


def test_a_constant_model_has_margins_of_zero() -> None:
    shared = both([0.0, 0.0], [1.0, -1.0])
    assert list(shared["first_margin"]) == [0.0, 0.0]
    assert margin_cells(shared)["count"].sum() == 2


_some_margins = st.lists(st.none() | st.integers(-9, 9).map(float), min_size=1, max_size=20)


@given(_some_margins, _some_margins, st.randoms())
def test_the_pairs_of_two_models_are_the_same_in_whatever_order_the_rows_stand(
    first: list[float | None], second: list[float | None], order: Any
) -> None:
    table = pd.concat([scores(first, "a"), scores(second, "b")], ignore_index=True)
    mixed = table.iloc[order.sample(range(len(table)), len(table))]
    whole, other = shared_rows(table, "a", "b"), shared_rows(mixed, "a", "b")
    both = [row for row, two in enumerate(zip(first, second, strict=False)) if None not in two]
    assert whole["row_id"].tolist() == other["row_id"].tolist() == both
    for name in ("first_margin", "second_margin"):
        assert whole[name].tolist() == pytest.approx(other[name].tolist())
    assert whole["first_verdict"].tolist() == other["first_verdict"].tolist()
