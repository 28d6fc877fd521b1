"""An interval in print lies on the side of zero, or of one half, on which it lies in truth."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pandas as pd
from hypothesis import example, given, strategies as st

from ivan_core.charts.palette import with_ends
from ivan_core.metrics.comparison_sentences import difference_sentence, reliability_sentence
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.metrics.paired import difference_of_counts
from ivan_core.metrics.reliability import CalibrationError, Reliability
from ivan_core.metrics.sentences import difference_ends, interval_ends

NEAR = st.floats(-1, 1) | st.floats(-1e-3, 1e-3) | st.floats(-1e-12, 1e-12)


def test_ends_that_would_round_to_zero_have_more_decimals() -> None:
    assert interval_text(-0.0014, 0.104, 2, signed=True) == "[−0.001, +0.10]"
    assert interval_text(0.0014, 0.104, 2, signed=True) == "[+0.001, +0.10]"
    assert interval_text(-0.2, 0.104, 2, signed=True) == "[−0.20, +0.10]"
    assert difference_ends(0.0028, 0.17, 400) == "[0.3, 17]"
    assert difference_ends(-0.0028, 0.17, 400) == "[−0.3, 17]"
    assert difference_ends(-0.02, 0.17, 400) == "[−2, 17]"


def test_an_end_on_the_null_is_printed_as_the_null() -> None:
    assert interval_text(0.0, 0.5, 2) == "[0.00, 0.50]"
    assert interval_ends(0.5, 0.61, 300) == "[50, 61]"


def test_shares_are_held_against_one_half_and_the_mark_of_a_flipped_sign() -> None:
    assert interval_ends(0.5012, 0.58, 300) == "[50.1, 58]"
    assert interval_ends(0.4988, 0.58, 300) == "[49.9, 58]"
    assert interval_ends(0.33, 0.3996, 300, (0.4, 0.5)) == "[33, 39.96]"
    assert interval_ends(0.33, 0.3996, 300) == "[33, 40]"


def test_what_no_digit_shows_is_told_in_words() -> None:
    assert interval_text(1e-9, 0.5, 2) == "[over 0.00, 0.50]"
    assert interval_text(-0.5, -1e-9, 2) == "[−0.50, under 0.00]"


def test_an_odds_ratio_is_held_against_one_and_may_have_no_end() -> None:
    assert interval_text(1.0004, inf, 2, nulls=(1.0,)) == "[1.0004, ∞]"
    assert interval_text(0.996, 3.25, 2, nulls=(1.0,)) == "[0.996, 3.25]"


def _side(text: str, null: float, scale: float) -> int:
    """On which side of the null a reader sees an end."""
    if text.startswith(("over", "under")):
        return 1 if text.startswith("over") else -1
    value = float(text.replace("−", "-"))
    return (value > null * scale) - (value < null * scale)


@given(NEAR, NEAR, st.sampled_from([0.0, 0.5, 0.4, 1.0]), st.integers(0, 3), st.booleans())
@example(0.0, -0.0, 0.0, 0, True)
@example(0.5 + 1e-16, 0.5, 0.5, 0, False)
def test_no_printed_end_is_on_another_side_of_the_null(
    one: float, other: float, null: float, decimals: int, in_percent: bool
) -> None:
    scale = 100 if in_percent else 1
    # One end near the null, so that rounding would hide it; at 0.5 some decimals are needed.
    low, high = sorted([null + one, null + other])
    decimals = decimals if in_percent else decimals + 1
    text = interval_text(low, high, decimals, nulls=(null,), scale=scale)
    for end, told in zip((low, high), text[1:-1].split(", "), strict=True):
        assert _side(told, null, scale) == (end > null) - (end < null), text


@given(st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 3))
def test_printed_ends_are_the_ends_rounded(one: float, other: float, decimals: int) -> None:
    low, high = sorted([one, other])
    for end, told in zip(
        (low, high), interval_text(low, high, decimals)[1:-1].split(", "), strict=True
    ):
        if not told.startswith(("over", "under")):
            assert abs(float(told.replace("−", "-")) - end) <= 0.5 * 10**-decimals + 1e-9


@given(*[st.integers(0, 400)] * 4)
def test_a_difference_that_is_clear_never_prints_an_end_at_zero(
    both: int, first: int, second: int, neither: int
) -> None:
    found = difference_of_counts(both, first, second, neither)
    told = difference_sentence(found, "a", "b", "people's choice", complete=True)
    if found is not None and found.excludes_zero:
        ends = told.split("[")[1].split("]")[0]
        assert all(_side(end, 0, 100) != 0 for end in ends.split(", ")), told
    else:
        assert "clear." not in told


def test_an_interval_off_zero_that_is_not_clear_says_why() -> None:
    found = difference_of_counts(200, 113, 60, 87)
    assert found is not None and found.excludes_zero
    told = difference_sentence(replace(found, mid_p=0.06), "a", "b", "the choice", complete=True)
    assert told.endswith("This difference may be chance: McNemar's test gives p = 0.06.")


def test_an_error_beyond_its_range_is_beyond_it_in_print() -> None:
    bins = pd.DataFrame(
        {
            "scale": ["fitted"],
            "sure": [0.6],
            "rate": [0.5],
            "low": [0.45],
            "high": [0.55],
            "n": [400],
            "effective_n": [400],
        }
    )
    error = CalibrationError(ece=0.0404, low=0.01, high=0.0403)
    found = Reliability(400, 0, 1.0, bins, error, None)
    assert (
        "4.04 points apart; a model that is exactly as right as it is sure would show 1.00 to 4.03"
        in reliability_sentence(found, "minilm")
    )


def test_tooltips_tell_intervals_as_sentences_do() -> None:
    points = pd.DataFrame({"low": [0.5004, None], "high": [0.62, None], "n": [1200, 0]})
    assert list(with_ends(points)["ends"]) == ["[50.04, 62.0]", ""]


def test_ends_that_nobody_knows_are_said_so() -> None:
    assert interval_text(float("nan"), float("nan"), 2) == "[not known]"
    assert number_text(float("nan"), 2, signed=True) == "not known"
