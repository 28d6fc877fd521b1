"""User columns counted by side, with numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from ivan_core.metrics.columns import agreement_by_larger, column_bins, sides_sentence

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


def scores():
    return pd.DataFrame(
        {
            "row_id": [0, 1, 2, 3, 4, 5],
            "model": "m",
            "verdict": ["agree", "disagree", "tie", "agree", None, "agree"],
        }
    )


def test_agreement_by_which_side_has_more():
    difference = pd.Series([2.0, 1.0, 0.0, -3.0, 5.0, NAN], index=range(6))
    found = agreement_by_larger(scores(), difference)
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
    there = agreement_by_larger(scores(), difference).set_index("larger")["n"]
    back = agreement_by_larger(scores(), -difference).set_index("larger")["n"]
    assert there.to_dict() == {"chosen": 2, "equal": 1, "rejected": 1}
    assert back.to_dict() == {"chosen": 1, "equal": 1, "rejected": 2}


def test_no_rated_pair_has_no_group():
    assert agreement_by_larger(scores().iloc[4:5], pd.Series([1.0], index=[4])).empty


def test_the_sentence_gives_means_and_who_has_more():
    assert sides_sentence(floats(1, 2, 3, 4, NAN), floats(0, 2, 4, 6, 1)) == (
        "Mean 2.5 on the chosen side and 3 on the rejected side; larger on the chosen side in 25%,"
        " equal in 25%, larger on the rejected side in 50% of 4 pairs. 1 pair lacks a value on a"
        " side."
    )
    assert sides_sentence(floats(NAN), floats(1)) == "No pair has a value on both sides."
