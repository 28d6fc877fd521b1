"""How alike models are and how often each agrees: counts by hand, intervals of other packages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from given.made_scores import judged
from hypothesis import given, strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.models.grid import agreement_grid
from ivan_core.metrics.models.judged import Judged
from ivan_core.metrics.models.likeness import both_ways, by_likeness, likeness
from ivan_core.metrics.models.sentences import alike_sentence, alike_words, extremes_sentence

A = [1.0, 2.0, -1.0, 0.0, 3.0, None]
B = [2.0, -1.0, -2.0, 0.0, None, 1.0]
margins = st.lists(st.integers(-3, 3).map(float), min_size=8, max_size=8)


def pair(found: pd.DataFrame, first: str, second: str) -> dict[str, object]:
    """The row of two models, whichever stands first."""
    both = both_ways(found)
    (row,) = both[(both["first"] == first) & (both["second"] == second)].to_dict("records")
    return row


def test_equal_verdicts_are_counted_on_pairs_that_both_rated() -> None:
    (row,) = likeness(judged(a=A, b=B)).to_dict("records")
    # Rows 0 to 3 are rated by both; they differ on row 1 alone, and a tie equals a tie.
    assert (row["n"], row["verdicts_equal"], row["left_out"]) == (4, 3, 0)
    expected = wilson(3, 4)
    assert expected is not None
    assert (row["equal"], row["equal_low"], row["equal_high"]) == (
        expected.rate,
        expected.low,
        expected.high,
    )
    # agree 2/4 and 1/4, tie 1/4 twice, disagree 1/4 and 2/4: 5/16 by chance.
    assert row["kappa"] == pytest.approx((3 / 4 - 5 / 16) / (1 - 5 / 16))


def test_kappa_and_its_interval_are_those_of_statsmodels() -> None:
    drawn = np.random.default_rng(3).normal(0, 1, (2, 400)).round(0)
    drawn[1] += drawn[0]
    (row,) = likeness(judged(a=drawn[0], b=drawn[1])).to_dict("records")
    table = np.zeros((3, 3))
    for x, y in drawn.T:
        table[int(1 - np.sign(x)), int(1 - np.sign(y))] += 1
    told = cohens_kappa(table)
    assert row["kappa"] == pytest.approx(told.kappa)
    assert row["kappa_low"] == pytest.approx(told.kappa_low)
    assert row["kappa_high"] == pytest.approx(told.kappa_upp)


def test_margins_correlate_as_numpy_says_and_the_interval_covers_it() -> None:
    drawn = np.random.default_rng(5).normal(0, 1, (2, 2000))
    drawn[1] = 0.6 * drawn[0] + 0.8 * drawn[1]
    (row,) = likeness(judged(a=drawn[0], b=drawn[1])).to_dict("records")
    r = np.corrcoef(drawn)[0, 1]
    assert row["margins"] == pytest.approx(r)
    # Of normal margins the influences give Fisher's own interval, but for chance.
    ends = np.tanh(np.arctanh(r) + np.array([-1.96, 1.96]) / np.sqrt(2000))
    assert [row["margins_low"], row["margins_high"]] == pytest.approx(ends, abs=0.004)


def test_repeated_prompts_make_every_interval_wider() -> None:
    one, other = np.random.default_rng(8).normal(0.3, 1, (2, 60))
    alone = likeness(judged(a=one, b=other)).iloc[0]
    twice = judged(a=np.repeat(one, 4), b=np.repeat(other, 4))
    grouped = Judged(
        twice.names,
        twice.verdict,
        twice.margin,
        twice.chosen,
        twice.rejected,
        twice.seen,
        np.repeat(np.arange(60), 4),
    )
    found = likeness(grouped).iloc[0]
    assert found["n"] == 240 and found["effective_n"] == pytest.approx(60, abs=2)
    for name in ("equal", "kappa", "margins"):
        width = found[f"{name}_high"] - found[f"{name}_low"]
        assert width == pytest.approx(alone[f"{name}_high"] - alone[f"{name}_low"], rel=0.05)


def test_pairs_that_one_of_two_was_trained_on_are_left_out_where_others_are_left() -> None:
    seen = judged(a=A, b=B, c=B, seen={"a": [1, 0, 0, -1, 0, 0], "c": [1] * 6})
    row = pair(likeness(seen), "a", "b")
    assert (row["n"], row["left_out"], row["verdicts_equal"]) == (3, 1, 2)
    # c was trained on all of them, so that nothing would be left.
    row = pair(likeness(seen), "b", "c")
    assert (row["n"], row["left_out"]) == (5, 0)


def test_models_that_share_no_pair_or_never_vary_have_no_number() -> None:
    found = likeness(judged(a=[1.0, None, None], b=[None, 1.0, 2.0], c=[1.0, 1.0, 1.0]))
    row = pair(found, "a", "b")
    assert row["n"] == 0 and all(np.isnan(row[name]) for name in ("equal", "kappa", "margins"))
    assert alike_words(row, "equal") == "not defined on 0 pairs"
    row = pair(found, "b", "c")
    assert row["equal"] == 1 and np.isnan(row["kappa"]) and np.isnan(row["margins"])


@given(margins, margins)
def test_no_measure_hangs_on_which_model_is_named_first(one: list[float], two: list[float]) -> None:
    names = ["n", "verdicts_equal", "equal", "equal_low", "kappa", "kappa_low", "margins"]
    there = likeness(judged(a=one, b=two))[names].to_numpy(float)
    back = likeness(judged(a=two, b=one))[names].to_numpy(float)
    assert there == pytest.approx(back, nan_ok=True, abs=1e-9)


def test_models_that_are_alike_stand_beside_each_other() -> None:
    first, second = np.random.default_rng(2).normal(0, 1, (2, 200))
    few = judged(a=first, x=second, b=first * 2, y=second + 0.01, c=first - 0.01)
    order = by_likeness(few.names, likeness(few), "equal")
    assert "".join(sorted(order[:3])) == "abc" or "".join(sorted(order[2:])) == "abc"
    assert by_likeness(("a", "b"), likeness(judged(a=A, b=B)), "kappa") == ["a", "b"]


def test_the_grid_has_every_model_by_subset_the_most_agreeing_first() -> None:
    found = agreement_grid(judged(a=A, b=B), np.array([0, 0, 0, 1, 1, 1]), ("s", "t"))
    rows = [tuple(row) for row in found[["model", "subset", "agree", "n"]].itertuples(index=False)]
    assert rows == [
        ("a", "all", 3, 5),
        ("a", "s", 2, 3),
        ("a", "t", 1, 2),
        ("b", "all", 2, 5),
        ("b", "s", 1, 3),
        ("b", "t", 1, 2),
    ]
    expected = wilson(3, 5)
    assert expected is not None and found["low"][0] == expected.low
    assert extremes_sentence(found, "people's choice") == (
        "Of 2 models a sides with people's choice most often, in 60% [23, 88] of 5, and b least"
        " often, in 40% [12, 77] of 5. Which of several stands first or last is partly chance."
    )


def test_the_grid_leaves_out_what_a_model_was_trained_on_and_says_where_nothing_is_rated() -> None:
    seen = judged(a=A, b=[None] * 6, seen={"a": [1, 0, 0, 0, 0, 0]})
    found = agreement_grid(seen, np.zeros(6, np.int64), ("s",))
    assert found[["model", "agree", "n"]].to_numpy().tolist() == [["a", 2, 4], ["b", 0, 0]]
    assert found["rate"].isna().tolist() == [False, True]


def test_what_is_most_alike_and_least_is_told_with_interval_and_pairs() -> None:
    found = likeness(judged(a=A, b=B, c=[-1.0, -2.0, 1.0, 0.0, -3.0, None]))
    assert alike_sentence(found, "equal") == (
        "Most alike are a and b (equal verdicts in 75% [30, 95] of 4); least alike are a and c"
        " (equal verdicts in 20% [4, 62] of 5). Which of 3 pairs of models stand first and last is"
        " partly chance, and the intervals do not allow for that."
    )
    assert "margin correlation −1.00" in alike_sentence(found, "margins")


def test_models_that_are_all_alike_have_no_most_alike() -> None:
    found = likeness(judged(a=A, b=A, c=A))
    assert alike_sentence(found, "equal") == (
        "Each two models are equally alike (equal verdicts in 100% [57, 100] of 5)."
    )
    fewer = likeness(judged(a=A, b=A, c=[*A[:-3], None, None, None]))
    assert "(equal verdicts in 100% of 3 to 5 pairs)" in alike_sentence(fewer, "equal")
    grid = agreement_grid(judged(a=A, b=A), np.zeros(6, np.int64), ("s",))
    assert extremes_sentence(grid, "people's choice") == (
        "Each of 2 models sides with people's choice equally often, in 60% [23, 88] of 5."
    )


def test_why_nothing_is_told_of_likeness_is_the_reason_it_has() -> None:
    apart = likeness(judged(a=[1.0, 1.0, None, None], b=[None, None, 1.0, 1.0]))
    assert alike_sentence(apart, "equal").startswith("No two models rated the same pair")
    ties = likeness(judged(a=[0.0] * 4, b=[0.0] * 4))
    assert alike_sentence(ties, "equal").startswith("How alike the two models are: a and b")
    # Two that always differ have no kappa either.
    for never in (ties, likeness(judged(a=[1.0] * 4, b=[-1.0] * 4))):
        assert alike_sentence(never, "kappa") == (
            "Cohen's kappa is not defined for any two models: neither of two ever changes its"
            " verdict."
        )
    assert "of two one or both never change their margin" in alike_sentence(ties, "margins")
    few = likeness(judged(a=[1.0, -1.0], b=[1.0, 2.0]))
    assert "rated enough of the same pairs" in alike_sentence(few, "margins")


def test_likeness_on_training_pairs_says_so() -> None:
    told = alike_sentence(likeness(judged(a=A, b=A, seen={"a": [1] * 6})), "equal")
    assert told.endswith("of 5; at least one was trained on 5 of these).")
    some = likeness(judged(a=A, b=A, seen={"a": [1, 0, 0, 0, 0, 0]}))
    assert some[["n", "left_out", "trained"]].to_numpy().tolist() == [[4, 1, 0]]
    assert "of 4; 1 that one of them was trained on left out" in alike_sentence(some, "equal")
