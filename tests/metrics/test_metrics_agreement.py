"""Rates, counts, baselines, subsets, summaries and curves while a run is at work: numbers worked by
hand and properties that always hold.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from given.made_scores import Rewards, chunk_counts, scores, some_rewards
from hypothesis import given, strategies as st
from scipy.stats import binomtest

from ivan_core.domain.pairs import TIED
from ivan_core.metrics.agreement import (
    ALL_SUBSETS,
    NO_SUBSET,
    VERDICTS,
    agreement,
    by_model,
    by_subset,
    count_verdicts,
    length_balanced,
    length_rule,
    rated,
    reasons,
    rows_in_bar,
    rows_of,
    running_agreement,
    says,
    seen_unseen,
    typical_margin,
)
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.summary import summarise


def test_wilson_of_one_in_ten_by_hand() -> None:
    # z = 1.96: centre (0.1 + 0.19207) / 1.38415 = 0.2110, half-width 0.1931
    rate = wilson(1, 10)
    assert rate is not None
    assert (rate.count, rate.n, rate.rate) == (1, 10, 0.1)
    assert rate.low == pytest.approx(0.0179, abs=1e-4)
    assert rate.high == pytest.approx(0.4042, abs=1e-4)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_the_interval_scipy_gives(case: tuple[int, int]) -> None:
    count, n = case
    rate = wilson(count, n)
    expected = binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert rate is not None
    assert (rate.low, rate.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= rate.low <= rate.rate <= rate.high <= 1


def test_rows_are_those_of_their_model_wherever_they_stand() -> None:
    together = pd.concat([scores([(1, 0), (0, 1)], "b"), scores([(2, 0)], "a")], ignore_index=True)
    for table in (together, together.iloc[[0, 2, 1]], together.iloc[[0, 2, 1]].astype(object)):
        found = {model: own["margin"].tolist() for model, own in by_model(table)}
        assert list(found.items()) == [("b", [1, -1]), ("a", [2])]
        assert rows_of(table, "nobody").empty
        assert rows_of(table.iloc[:0], "b").empty


def test_a_tie_in_the_data_is_a_reason_of_its_own() -> None:
    given = pd.Series(["no answer", "", None, TIED], dtype="string")
    has, tied = reasons(given)
    assert has.tolist() == [True, False, False, True]
    assert tied.tolist() == [False, False, False, True]


def test_no_pairs_give_no_rate() -> None:
    assert wilson(0, 0) is None
    table = scores([(None, 1.0)])
    assert agreement(count_verdicts(table)) is None
    assert length_rule(table) is None
    assert typical_margin(table["margin"]) is None


@pytest.mark.parametrize(("count", "n"), [(3, 2), (-1, 2)])
def test_a_share_of_more_than_all_is_refused(count: int, n: int) -> None:
    with pytest.raises(ValueError, match="0 <= count <= n"):
        wilson(count, n)


def test_counts_keep_ties_failures_and_identical_pairs_apart() -> None:
    table = scores([(2, 1), (1, 1), (1, 2), (3, 1), (None, 1), (None, None)])
    table.loc[5, "identical"] = True
    table.loc[5, "failure"] = None
    table.loc[[0, 4], "chosen_truncated"] = True
    counts = count_verdicts(table)
    assert (counts.agree, counts.tie, counts.disagree) == (2, 1, 1)
    assert (counts.identical, counts.failed, counts.truncated) == (1, 1, 1)
    assert (counts.rated, counts.total) == (4, 6)
    kept = agreement(counts)
    assert kept is not None and kept.rate == 0.5


def test_typical_margin_is_the_root_mean_square() -> None:
    assert typical_margin(pd.Series([3.0, -4.0])) == pytest.approx(12.5**0.5)
    assert typical_margin(pd.Series([1e200, 1e200])) == pytest.approx(1e200)
    assert typical_margin(pd.Series([2.0, np.nan])) == 2.0
    assert typical_margin(pd.Series([0.0, 0.0])) == 0.0


def test_bars_show_all_pairs_first_and_then_each_subset() -> None:
    table = scores([(2, 1), (1, 1), (1, 2), (3, 1), (None, 1)], subset=["b", "b", "a", "a", None])
    bars = by_subset(table)
    assert list(bars["subset"].unique()) == [ALL_SUBSETS, NO_SUBSET, "a", "b"]
    everything = bars[bars["subset"] == ALL_SUBSETS].set_index("verdict")
    assert everything["count"].to_dict() == {"agree": 2, "tie": 1, "disagree": 1}
    assert everything["share"].to_dict() == {"agree": 0.5, "tie": 0.25, "disagree": 0.25}
    assert everything.loc["agree", "rule_rate"] == 1.0
    nothing = bars[bars["subset"] == NO_SUBSET]
    assert nothing["share"].isna().all() and nothing["rate"].isna().all()


def test_the_rows_behind_a_bar_are_as_many_as_the_bar_says() -> None:
    table = scores([(2, 1), (1, 2), (3, 1), (1, 1)], subset=["all", "all", "b", ""])
    bars = by_subset(table)
    assert len(bars) == 12
    for bar in bars.itertuples():
        assert len(rows_in_bar(table, bar.model, bar.subset, bar.verdict)) == bar.count


def test_a_single_subset_is_not_drawn_twice() -> None:
    assert list(by_subset(scores([(2, 1)]))["subset"].unique()) == [ALL_SUBSETS]


def test_length_rule_counts_equal_lengths_apart() -> None:
    table = scores([(2, 1)] * 5, chosen_length=[9, 1, 1, 4, 1], rejected_length=[1, 9, 9, 4, 9])
    rule = length_rule(table)
    assert rule is not None
    assert (rule.longer.count, rule.shorter.count, rule.equal) == (1, 3, 1)
    assert rule.better == "shorter"
    assert rule.best.rate == 0.6


def test_length_balanced_weighs_both_kinds_of_pair_the_same() -> None:
    # Longer chosen: 1 of 4 agree; shorter chosen: 1 of 1; equal length: left out.
    table = scores(
        [(2, 1), (1, 2), (1, 2), (1, 1), (2, 1), (2, 1)],
        chosen_length=[9, 9, 9, 9, 1, 5],
        rejected_length=[1, 1, 1, 1, 9, 5],
    )
    balanced = length_balanced(table)
    assert balanced.longer_chosen is not None and balanced.longer_chosen.n == 4
    assert balanced.shorter_chosen is not None and balanced.shorter_chosen.n == 1
    assert balanced.rate == 0.625
    assert balanced.low is not None and balanced.high is not None
    assert balanced.low < 0.625 < balanced.high


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=60))
def test_a_pure_length_rule_scores_half_when_balanced(lengths: list[tuple[int, int]]) -> None:
    chosen, rejected = [c for c, _ in lengths], [r for _, r in lengths]
    rewards: list[Rewards] = [(float(c), float(r)) for c, r in lengths]
    table = scores(rewards, chosen_length=chosen, rejected_length=rejected)
    assert length_balanced(table).rate in (0.5, None)


def test_seen_and_unseen_pairs_are_rated_apart() -> None:
    table = scores([(2, 1), (1, 2), (2, 1), (2, 1)], seen=[True, False, False, None])
    apart = seen_unseen(table)
    assert apart is not None and apart.seen is not None and apart.unseen is not None
    assert (apart.seen.rate, apart.unseen.rate, apart.unknown) == (1.0, 0.5, 1)
    assert seen_unseen(scores([(2, 1)])) is None


@given(some_rewards)
def test_swapping_chosen_and_rejected_mirrors_every_number(rewards: list[Rewards]) -> None:
    table = scores(rewards)
    swapped = scores([(rejected, chosen) for chosen, rejected in rewards])
    assert list(swapped["margin"]) == list(-table["margin"])
    one, other = count_verdicts(table), count_verdicts(swapped)
    assert (one.agree, one.tie, one.disagree) == (other.disagree, other.tie, other.agree)
    assert typical_margin(table["margin"]) == typical_margin(swapped["margin"])


@given(st.lists(st.tuples(*[st.integers(-999, 999)] * 2), min_size=1), st.integers(-99, 99))
def test_a_constant_on_all_rewards_changes_no_verdict(
    rewards: list[tuple[int, int]], constant: int
) -> None:
    moved = scores([(chosen + constant, rejected + constant) for chosen, rejected in rewards])
    assert count_verdicts(moved) == count_verdicts(scores([(c, r) for c, r in rewards]))


@given(some_rewards, st.integers(1, 5))
def test_the_last_live_point_is_the_final_rate(rewards: list[Rewards], size: int) -> None:
    table = scores(rewards, step=[row // size for row in range(len(rewards))])
    points = running_agreement(chunk_counts(table))
    final = agreement(count_verdicts(table))
    last = points.iloc[-1]
    assert final is not None
    assert (last["model"], last["n"]) == ("m", final.n)
    assert (last["rate"], last["low"], last["high"]) == (final.rate, final.low, final.high)


def test_live_points_are_thinned_and_keep_both_ends() -> None:
    chunks = pd.DataFrame({"step": range(2000), "agree": 1, "tie": 0, "disagree": 1})
    points = running_agreement(chunks)
    assert len(points) == 500
    assert (points["n"].iloc[0], points["n"].iloc[-1]) == (2, 4000)
    assert points["n"].is_monotonic_increasing


def test_live_starts_with_the_first_rated_pair() -> None:
    chunks = pd.DataFrame({"step": [1, 0], "agree": [1, 0], "tie": [0, 0], "disagree": [1, 0]})
    points = running_agreement(chunks)
    assert points[["step", "n", "rate"]].values.tolist() == [[1, 2, 0.5]]


def test_a_summary_leads_with_unseen_pairs_and_turns_into_json() -> None:
    known = scores([(2, 1), (1, 2), (2, 1)], "a", seen=[True, False, False])
    known["chosen_length"] = [2, 2, 0]
    unknown = scores([(2, 1), (None, 1), (2, 1)], "b")
    first, second = summarise(pd.concat([known, unknown], ignore_index=True))
    assert (first.model, second.model) == ("a", "b")
    assert first.headline == first.unseen and first.headline_is_unseen
    assert first.headline_baselines is not None and first.headline_baselines.longer.n == 2
    assert first.baselines is not None and first.baselines.longer.n == 3
    assert second.headline == second.agreement and not second.headline_is_unseen
    plain = json.loads(json.dumps(first.as_dict(), allow_nan=False))
    assert plain["headline"]["count"] == 1
    assert plain["baselines"]["better"] == "longer"


def test_a_model_that_rated_nothing_has_a_summary_without_numbers() -> None:
    (summary,) = summarise(scores([(None, 1)]))
    assert summary.headline is None and summary.typical_margin is None
    assert json.loads(json.dumps(summary.as_dict()))["agreement"] is None


def test_verdicts_are_told_alike_as_texts_and_as_categories() -> None:
    words = ["agree", None, "tie", "odd", "disagree", "agree"]
    for verdicts in (
        pd.Series(words, dtype="string"),
        pd.Series(words, dtype="category"),
        pd.Series(pd.Categorical(words, ["tie", "agree"])),  # the others are absent
    ):
        assert says(verdicts, "agree").tolist() == [True, False, False, False, False, True]
    assert says(pd.Series(words, dtype="category"), *VERDICTS).tolist() == [
        True,
        False,
        True,
        False,
        True,
        True,
    ]


def test_rows_that_are_all_rated_are_not_copied() -> None:
    table = scores([(2, 1), (1, 2)])
    assert rated(table) is table
    table.loc[0, "verdict"] = None
    assert rated(table).index.tolist() == [1]
