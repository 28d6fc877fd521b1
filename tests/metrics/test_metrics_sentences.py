"""The sentences people read and copy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivan_core.metrics.agreement import Counts, LengthBalanced, LengthRule
from ivan_core.metrics.intervals import Rate, wilson
from ivan_core.metrics.sentences import (
    counts_sentence,
    headline,
    interval,
    length_sentence,
    pair_sentence,
    percent,
    rate_sentence,
)
from ivan_core.metrics.summary import ModelSummary


def rate(count: int, n: int) -> Rate:
    found = wilson(count, n)
    assert found is not None
    return found


def summary(model: str, agree: int, disagree: int, tie: int = 0, longer: int = 0) -> ModelSummary:
    counts = Counts(agree, tie, disagree, identical=0, failed=0, truncated=0, total=0)
    n = counts.rated
    counts = replace(counts, total=n)
    rule = LengthRule(rate(longer, n), rate(n - longer, n), 0) if n else None
    return ModelSummary(
        model=model,
        counts=counts,
        agreement=wilson(agree, n),
        misaligned=wilson(disagree + tie, n),
        typical_margin=1.0 if n else None,
        length_balanced=LengthBalanced(None, None, None, None, None),
        baselines=rule,
        seen=None,
        unseen=None,
        headline_baselines=rule,
    )


HARMLESS = summary("minilm-harmless", 281, 179, longer=235)
CONTROL = summary("minilm-control", 313, 147, longer=235)


def test_two_models_share_one_headline() -> None:
    assert headline([HARMLESS, CONTROL], "authored choice") == (
        "minilm-harmless sides with the author's choice in 61% of 460 pairs [57, 65],"
        " minilm-control in 68% [64, 72]. Always picking the longer reply would reach 51%."
    )


def test_one_model_against_peoples_choice_names_the_better_rule() -> None:
    short = summary("m", 600, 400, longer=450)
    assert headline([short], "people's choice") == (
        "m sides with people's choice in 60.0% of 1,000 pairs [56.9, 63.0]."
        " Always picking the shorter reply would reach 55.0%."
    )


def test_models_on_different_pairs_say_of_how_many() -> None:
    text = headline([HARMLESS, summary("c", 1, 1, longer=2)], "authored choice")
    assert "c in 50% of 2 pairs [9, 91]" in text
    assert "would reach 51% on the pairs of minilm-harmless." in text
    assert "would reach 100% on the pairs of c." in text


def test_a_headline_on_unseen_pairs_says_so() -> None:
    unseen = replace(HARMLESS, unseen=rate(50, 100), headline_baselines=None)
    assert headline([unseen, CONTROL], "authored choice") == (
        "minilm-harmless sides with the author's choice in 50% of 100 pairs it was not trained on"
        " [40, 60], minilm-control in 68% of 460 pairs [64, 72]."
        " Always picking the longer reply would reach 51%."
    )


def test_nothing_rated_is_a_sentence_and_not_zero_percent() -> None:
    empty = summary("m", 0, 0)
    assert headline([empty], "authored choice") == "m has rated no pair yet."
    counts = Counts(0, 0, 0, identical=2, failed=8, truncated=0, total=10)
    assert headline([replace(empty, counts=counts)], "authored choice") == (
        "m has rated none of 10 pairs (8 failed, 2 with identical sides)."
    )
    assert headline([], "authored choice") == "No model has rated a pair yet."


def test_only_ties_are_called_ties() -> None:
    text = headline([summary("m", 0, 0, tie=5)], "authored choice")
    assert "in 0% of 5 pairs" in text
    assert "m gives both replies exactly the same reward in every pair." in text


def test_stopped_runs_are_marked() -> None:
    text = headline([HARMLESS], "authored choice", note="Stopped at 460 of 1,200 pairs.")
    assert text.endswith("Stopped at 460 of 1,200 pairs.")


def test_a_pair_is_told_in_one_line() -> None:
    models = [("minilm-harmless", -1.8), ("minilm-control", 0.4)]
    assert pair_sentence("A", models) == (
        "People chose A. minilm-harmless clearly prefers B (1.8 typical margins),"
        " minilm-control slightly prefers A (0.4)."
    )


def test_a_pair_with_ties_gaps_and_small_margins() -> None:
    models = [("a", 0.0), ("b", None), ("c", 0.01), ("d", -1.0)]
    assert pair_sentence("B", models, chooser="The author") == (
        "The author chose B. a likes both the same, b did not rate it,"
        " c barely prefers B (under 0.1 typical margin), d clearly prefers A (1.0)."
    )
    assert pair_sentence("B", [("d", 1.0)]) == (
        "People chose B. d clearly prefers B (1.0 typical margin)."
    )
    assert pair_sentence("B", []) == "People chose B."


@pytest.mark.parametrize(
    ("share", "n", "text"),
    [
        (0.285, 200, "29%"),
        (0.6089, 460, "61%"),
        (0.6089, 2000, "60.9%"),
        (0.001, 999, "under 1%"),
        (0.9999, 10_000, "over 99.9%"),
        (0.0, 5000, "0%"),
        (1.0, 5000, "100%"),
    ],
)
def test_percentages_have_a_decimal_from_a_thousand_pairs_on(
    share: float, n: int, text: str
) -> None:
    assert percent(share, n) == text


def test_a_rate_can_be_copied_with_its_n_and_interval() -> None:
    assert interval(rate(1, 10)) == "[2, 40]"
    assert rate_sentence(rate(1, 10), "The verdict flipped") == (
        "The verdict flipped in 10% of 10 pairs (95% interval [2, 40])."
    )
    assert rate_sentence(None, "The verdict flipped") == (
        "The verdict flipped: no pairs to tell from."
    )


def test_length_is_told_apart_from_content() -> None:
    balanced = LengthBalanced(rate(166, 363), rate(342, 447), 0.6112, 0.58, 0.64)
    assert length_sentence(replace(HARMLESS, length_balanced=balanced), "people's choice") == (
        "minilm-harmless sides with people's choice in 46% of 363 pairs [41, 51] where the longer"
        " reply was chosen and in 77% of 447 [72, 80] where the shorter was:"
        " 61% [58, 64] if both counted the same."
    )
    assert "too few lengths differ" in length_sentence(HARMLESS, "people's choice")


def test_unrated_pairs_are_accounted_for() -> None:
    counts = Counts(5, 0, 3, identical=1, failed=1, truncated=2, total=10)
    assert counts_sentence(replace(HARMLESS, counts=counts)) == (
        "minilm-harmless rated 8 of 10 pairs; 1 with identical sides left out; 1 failed;"
        " 2 not read to the end."
    )


def test_a_model_that_was_trained_on_all_of_the_pairs_is_said_to_be() -> None:
    seen = replace(summary("a", 70, 30), seen=rate(70, 100))
    told = headline([seen, summary("b", 60, 40)], "people's choice")
    assert "a was trained on these very pairs." in told and "b was" not in told
