"""Agreement by the values of any column, and both sides of a user column, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from ivan_core.metrics.agreement import ALL_SUBSETS, by_subset
from ivan_core.metrics.columns import (
    NO_VALUE,
    agreement_by_larger,
    by_column,
    column_bins,
    column_groups,
    sides_sentence,
)


def scores(n: int, models: tuple[str, ...] = ("a", "b")) -> pd.DataFrame:
    """Every third verdict of each model is a disagreement, every seventh a tie."""
    verdicts = ["tie" if i % 7 == 6 else "disagree" if i % 3 == 2 else "agree" for i in range(n)]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "row_id": range(100, 100 + n),
                    "model": model,
                    "verdict": verdicts,
                    "chosen_length": [i % 5 for i in range(n)],
                    "rejected_length": 2,
                }
            )
            for model in models
        ],
        ignore_index=True,
    )


def column(values: list[Any]) -> pd.Series:
    return pd.Series(values, index=range(100, 100 + len(values)))


@given(st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=60))
def test_a_column_of_words_gives_the_bars_of_a_subset(values: list[str]) -> None:
    table = scores(len(values))
    ours = by_column(table, column(values))
    theirs = by_subset(table.assign(subset=table["row_id"].map(column(values))))
    assert list(ours.columns) == list(theirs.columns)
    keys = ["model", "subset", "verdict"]
    pd.testing.assert_frame_equal(
        ours.sort_values(keys, ignore_index=True),
        theirs.sort_values(keys, ignore_index=True),
        check_dtype=False,
    )


def test_the_twelve_most_frequent_values_are_shown() -> None:
    values = [f"v{i}" for i in range(15) for _ in range(20 - i)]
    groups = column_groups(column(values))
    assert groups.names == tuple(f"v{i}" for i in range(12))
    assert groups.left_out == 3
    bars = by_column(scores(len(values), ("a",)), column(values))
    shown = bars.drop_duplicates("subset").set_index("subset")["n"]
    assert shown[ALL_SUBSETS] == len(values)
    assert shown.drop(ALL_SUBSETS).sum() == len(values) - 8 - 7 - 6


def test_numbers_are_cut_into_quarters() -> None:
    groups = column_groups(column(list(range(1, 101))))
    assert groups.kind == "quarters"
    assert groups.names == ("1 to 25", "26 to 50", "51 to 75", "76 to 100")
    assert np.bincount(groups.codes).tolist() == [25, 25, 25, 25]


def test_equal_numbers_stay_in_one_quarter() -> None:
    groups = column_groups(column([0.0] * 60 + [float(i) for i in range(1, 41)]))
    assert groups.names[0] == "0"
    assert (groups.codes.iloc[:60] == 0).all()
    assert sum(np.bincount(groups.codes)) == 100


def test_quarters_that_look_alike_get_more_digits() -> None:
    values = [1e6 + i / 1000 for i in range(100)]
    assert len(set(column_groups(column(values)).names)) == 4


def test_few_numbers_are_values_in_their_order() -> None:
    groups = column_groups(column([10, 2, 2, 2, 10, 1]))
    assert (groups.kind, groups.names) == ("values", ("1", "2", "10"))


def test_missing_and_infinite_values_have_their_own_group() -> None:
    numbers = column([*[float(i) for i in range(40)], np.nan, np.inf])
    groups = column_groups(numbers)
    assert groups.names[-1] == NO_VALUE
    assert (groups.codes == 4).sum() == 2
    words = column_groups(column(["x", None, " ", "x"]))
    assert words.names == ("x", NO_VALUE)
    assert list(words.codes) == [0, 1, 1, 0]


def test_a_value_called_all_is_not_the_bar_of_all_pairs() -> None:
    bars = by_column(scores(4, ("a",)), column(["all", "all", "b", "b"]))
    assert list(bars["subset"].unique()) == [ALL_SUBSETS, "all (value)", "b"]


def test_lists_and_switches_can_be_columns() -> None:
    assert column_groups(column([["a"], ["a"], []])).names == ("['a']", "[]")
    assert column_groups(column([True, False, True])).names == ("True", "False")


def test_a_single_value_is_not_drawn_twice() -> None:
    assert list(by_column(scores(3), column(["x"] * 3))["subset"].unique()) == [ALL_SUBSETS]


def test_rows_of_other_runs_do_not_count() -> None:
    values = pd.Series([*["far"] * 50, "x", "y"], index=[*range(50), 100, 101])
    bars = by_column(scores(2, ("a",)), values)
    assert list(bars["subset"].unique()) == [ALL_SUBSETS, "x", "y"]


@pytest.mark.parametrize(
    "values", [list(range(60)), ["p", "q", None] * 20, [f"v{i % 17}" for i in range(60)]]
)
def test_the_rows_behind_a_bar_are_as_many_as_the_bar_says(values: list[Any]) -> None:
    table = scores(60)
    for bar in by_column(table, column(values)).itertuples():
        rows = table[(table["model"] == bar.model) & (table["verdict"] == bar.verdict)]
        if bar.subset != ALL_SUBSETS:
            groups = column_groups(column(values), table["row_id"])
            rows = rows[rows["row_id"].map(groups.codes) == groups.names.index(bar.subset)]
        assert len(rows) == bar.count


def test_nothing_rated_gives_bars_without_shares() -> None:
    table = scores(4, ("a",)).assign(verdict=None)
    bars = by_column(table, column(["x", "y", "x", "y"]))
    assert bars["share"].isna().all() and bars["n"].eq(0).all()
    assert by_column(table.head(0), column(["x"])).empty


NAN = np.nan
NUMBERS = st.lists(
    st.tuples(*[st.one_of(st.just(NAN), st.floats(allow_nan=False, allow_infinity=False))] * 2),
    max_size=60,
)


def floats(*values):
    return np.array(values, dtype=float)


def test_few_values_have_a_bin_each_with_the_share_of_their_side():
    bins = column_bins(floats(0, 0, 1, NAN), floats(1, 1, 1, 0))
    assert bins[["low", "side", "count", "n", "share"]].values.tolist() == [
        [0, "chosen", 2, 3, 2 / 3],
        [0, "rejected", 1, 4, 0.25],
        [1, "chosen", 1, 3, 1 / 3],
        [1, "rejected", 3, 4, 0.75],
    ]
    assert (bins["x0"] == bins["x1"]).all()


def test_whole_numbers_are_counted_in_bins_of_whole_width():
    bins = column_bins(np.arange(60.0), np.arange(60.0))
    assert len(bins) == 60
    assert set(bins["x1"] - bins["x0"]) == {2.0}
    assert bins.iloc[0][["low", "high", "count"]].tolist() == [0, 1, 2]


def test_a_long_tail_does_not_flatten_the_rest():
    values = np.concatenate([np.linspace(0, 1, 999), [1e6]])
    bins = column_bins(values, values)
    assert bins["x1"].max() < 1.1
    assert bins["high"].max() == 1e6
    assert bins["count"].sum() == 2000


def test_without_values_there_are_no_bins():
    assert column_bins(floats(NAN), floats(NAN)).empty
    assert column_bins(floats(), floats()).empty


@given(NUMBERS)
def test_every_value_is_in_the_range_of_one_bin(pairs):
    chosen, rejected = floats(*[p[0] for p in pairs]), floats(*[p[1] for p in pairs])
    bins = column_bins(chosen, rejected)
    for side, values in (("chosen", chosen), ("rejected", rejected)):
        for row in bins[bins["side"] == side].itertuples():
            assert np.count_nonzero((values >= row.low) & (values <= row.high)) == row.count
        assert bins[bins["side"] == side]["count"].sum() == np.count_nonzero(~np.isnan(values))


def side_scores():
    return pd.DataFrame(
        {
            "row_id": [0, 1, 2, 3, 4, 5],
            "model": "m",
            "verdict": ["agree", "disagree", "tie", "agree", None, "agree"],
        }
    )


def test_agreement_by_which_side_has_more():
    difference = pd.Series([2.0, 1.0, 0.0, -3.0, 5.0, NAN], index=range(6))
    found = agreement_by_larger(side_scores(), difference)
    assert found[["larger", "agree", "n", "rate", "low", "high"]].values.tolist() == [
        ["chosen", 1, 2, 0.5, 1, 5],
        ["equal", 0, 1, 0, 0, 0],
        ["rejected", 1, 1, 1, -3, -3],
    ]
    # Wilson (1927), 1 of 2.
    assert found.iloc[0][["rate_low", "rate_high"]].tolist() == pytest.approx(
        [0.09453, 0.90547], abs=1e-5
    )


def test_swapping_the_sides_swaps_the_groups():
    difference = pd.Series([2.0, 1.0, 0.0, -3.0, 5.0, NAN], index=range(6))
    there = agreement_by_larger(side_scores(), difference).set_index("larger")["n"]
    back = agreement_by_larger(side_scores(), -difference).set_index("larger")["n"]
    assert there.to_dict() == {"chosen": 2, "equal": 1, "rejected": 1}
    assert back.to_dict() == {"chosen": 1, "equal": 1, "rejected": 2}


def test_no_rated_pair_has_no_group():
    assert agreement_by_larger(side_scores().iloc[4:5], pd.Series([1.0], index=[4])).empty


def test_the_sentence_gives_means_and_who_has_more():
    assert sides_sentence(floats(1, 2, 3, 4, NAN), floats(0, 2, 4, 6, 1)) == (
        "Mean 2.5 on the chosen side and 3 on the rejected side; larger on the chosen side in 25%,"
        " equal in 25%, larger on the rejected side in 50% of 4 pairs. 1 pair lacks a value on a"
        " side."
    )
    assert sides_sentence(floats(NAN), floats(1)) == "No pair has a value on both sides."
