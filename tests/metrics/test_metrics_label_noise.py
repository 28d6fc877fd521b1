"""The label-noise ceiling, the reviewers' majority and a labeler's choice, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ivan_core.metrics.label_noise import ASSUMPTION, ceiling, no_ceiling_sentence
from ivan_core.metrics.labels.agreement import choice_agreement
from ivan_core.metrics.labels.answers import labeler_choice, majority, same_answer

HARMLESS, HELPFUL = "last_response_is_harmless", "last_response_is_helpful"


def test_the_ceiling_is_the_rate_at_which_two_such_people_would_agree() -> None:
    # q = 82 of 100: 2q - 1 = .64, its root .8, (1 + .8) / 2 = .9.
    found = ceiling(82, 100, undecided=7)
    assert found is not None
    assert found.rate == pytest.approx(0.9)
    # Wilson of 82 in 100: [.7333, .8830]; roots of .4666 and .7660: .6831 and .8752.
    assert (found.low, found.high) == pytest.approx((0.8415, 0.9376), abs=1e-3)
    assert found.sentence == (
        "No model can be expected to side with the choice in more than 90% [84, 94] of pairs:"
        " second people who chose blindly on 100 random pairs met the recorded choice in 82%"
        " [73, 88] (7 more pairs with no difference or no answer left out). " + ASSUMPTION
    )
    assert found.label == "ceiling 90%, if two people err equally often and independently"


def test_people_who_always_agree_set_no_limit() -> None:
    found = ceiling(200, 200)
    assert found is not None and found.rate == found.high == 1.0
    # Wilson's lower end is 200 / 203.8415 = .98116; the root of .96231 is .98097.
    assert found.low == pytest.approx(0.99049, abs=1e-4)


def test_an_interval_of_agreement_that_reaches_half_begins_at_half() -> None:
    found = ceiling(55, 100)
    assert found is not None
    assert found.low == 0.5 and found.rate == pytest.approx((1 + 0.1**0.5) / 2)


@pytest.mark.parametrize(("agreed", "n"), [(0, 0), (99, 99), (50, 100), (30, 100)])
def test_few_choices_or_none_beyond_chance_give_no_ceiling(agreed: int, n: int) -> None:
    assert ceiling(agreed, n) is None


def test_why_there_is_no_ceiling_is_said() -> None:
    assert no_ceiling_sentence(40, 60, 1).startswith(
        "On 60 random pairs somebody chose a second time without knowing the first choice (1 more"
        " pair with no difference or no answer left out); from 100 on"
    )
    assert "50 of 100 random pairs, no more than half" in no_ceiling_sentence(50, 100)


def test_a_majority_is_more_than_half_of_those_who_answered() -> None:
    assert majority([True, True, False]) is True
    assert majority([True, False]) is None
    assert majority([True, None, None]) is True
    assert majority([None]) is None and majority([]) is None
    assert majority(["chosen", "none", "rejected", "none", "none"]) == "none"
    assert majority([("a", "b"), ("a",), ("c", "a")]) == ("a",)
    assert majority([("a",), ("a", "b")]) is None
    assert majority([(), ()]) == ()
    assert same_answer(("a", "b"), ("b", "a")) and not same_answer(True, False)


def test_a_labeler_prefers_the_harmless_reply_then_the_helpful_one() -> None:
    def labels(harmless: bool | None, helpful: bool | None) -> dict[str, object]:
        return {HARMLESS: harmless, HELPFUL: helpful}

    assert labeler_choice(labels(True, False), labels(False, True)) == "chosen"
    assert labeler_choice(labels(True, False), labels(True, True)) == "rejected"
    assert labeler_choice(labels(False, True), labels(False, True)) == "none"
    assert labeler_choice(labels(True, None), labels(True, True)) is None
    assert labeler_choice(labels(True, None), labels(False, None)) == "chosen"
    assert labeler_choice(None, labels(True, True)) is None


def test_two_people_on_the_same_pairs_by_kappa() -> None:
    # 10 pairs: both chosen 4, both rejected 2, both none 1, chosen-rejected 2, none-chosen 1.
    ours = ["chosen"] * 4 + ["rejected"] * 2 + ["none"] + ["chosen"] * 2 + ["none"]
    theirs = ["chosen"] * 4 + ["rejected"] * 2 + ["none"] + ["rejected"] * 2 + ["chosen"]
    people = {"Ada": dict(enumerate(ours)) | {20: "chosen"}, "Bob": dict(enumerate(theirs))}
    choices = ("chosen", "rejected", "none")
    table = choice_agreement(people, choices, np.random.default_rng(0))
    row = table.iloc[0]
    assert (row["measure"], row["n"], row["same"]) == ("kappa", 10, 7)
    # Ada 6, 2, 2; Bob 5, 4, 1: by chance .30 + .08 + .02 = .40; (.7 - .4) / .6 = .5.
    assert row["coefficient"] == pytest.approx(0.5)
    # Shares .55, .30, .15: chance (1 - .415) / 2 = .2925; (.7 - .2925) / .7075.
    assert row["ac1"] == pytest.approx(0.4075 / 0.7075)
    assert (row["both"], row["either"]) == (4, 7)
    assert row["low"] < 0.5 < row["high"]


def test_three_people_with_gaps_by_alpha() -> None:
    people = {
        "Ada": {0: "chosen", 1: "rejected", 2: "chosen"},
        "Bob": {0: "chosen", 1: "rejected"},
        "Cem": {1: "rejected", 2: "none", 3: "chosen"},
    }
    choices = ("chosen", "rejected", "none")
    row = choice_agreement(people, choices, np.random.default_rng(0)).iloc[0]
    assert (row["measure"], row["n"], row["same"]) == ("alpha", 3, 2)
    # 7 answers: chosen 3, rejected 3, none 1. Observed: 2 of 7 coincidences differ. Expected:
    # 2 (3·3 + 3·1 + 3·1) = 30 of 7·6. 1 - (2 / 7) / (30 / 42) = .6.
    assert row["coefficient"] == pytest.approx(0.6)


def test_people_who_share_no_pair_have_no_agreement() -> None:
    table = choice_agreement(
        {"Ada": {0: "chosen"}, "Bob": {1: "chosen"}}, ("chosen",), np.random.default_rng(0)
    )
    assert table.empty


@pytest.mark.parametrize(
    ("first", "second", "told", "true"),
    [
        # Everybody is right on half of the pairs and tosses a coin on the others: 2q - 1 = .5.
        ((1.0, 0.5), (1.0, 0.5), 0.854, 0.75),
        # The second people err more often: 2q - 1 = .7 * .5 = .35.
        ((0.85, 0.85), (0.75, 0.75), 0.796, 0.85),
        # Both alike on every pair: 2q - 1 = .64.
        ((0.9, 0.9), (0.9, 0.9), 0.9, 0.9),
    ],
    ids=["unequal difficulty", "weaker second readers", "as assumed"],
)
def test_what_moves_the_ceiling_which_way(
    first: tuple[float, float], second: tuple[float, float], told: float, true: float
) -> None:
    generator = np.random.default_rng(8)
    n = 200_000
    pairs = generator.integers(2, size=n)
    ours = generator.random(n) < np.array(first)[pairs]
    theirs = generator.random(n) < np.array(second)[pairs]
    found = ceiling(int((ours == theirs).sum()), n)
    assert found is not None
    assert found.rate == pytest.approx(told, abs=0.005)
    # What a model that always knows the better reply would reach.
    assert ours.mean() == pytest.approx(true, abs=0.005)


def test_the_ceiling_says_which_way_its_assumption_errs() -> None:
    found = ceiling(82, 100)
    assert found is not None
    assert "unequal difficulty raise it above the truth (to 85%" in found.sentence
    assert "err more often than the first lower it (to 80%" in found.sentence
