"""The trust strip: every level of every check, at its border, with its reason."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ivan_core.domain.models import EightBits
from ivan_core.metrics.agreement import Counts, LengthBalanced
from ivan_core.metrics.comparison_sentences import seen_sentence
from ivan_core.metrics.intervals import Rate, wilson
from ivan_core.metrics.summary import ModelSummary
from ivan_core.metrics.trust import (
    BatchDifference,
    Check,
    ModelFacts,
    TrustStrip,
    batch_difference,
    check_batch,
    check_direction,
    check_format,
    check_revision,
    check_scores,
    check_seen,
    check_truncation,
    trust_strip,
)

GOOD = ModelFacts(
    input_format="last-turn",
    input_format_guessed=False,
    revision="2896746d739e",
    dtype="float32",
    head_label="reward",
    distinct_rewards=900,
    not_finite=0,
    texts=920,
    trained_on_dataset=False,
    batch=BatchDifference(16, 2e-7, 0),
)


def rate(count: int, n: int) -> Rate:
    found = wilson(count, n)
    assert found is not None
    return found


def summary(agree: int = 280, n: int = 460, truncated: int = 0) -> ModelSummary:
    counts = Counts(agree, 0, n - agree, 0, 0, truncated, n)
    return ModelSummary(
        model="m",
        counts=counts,
        agreement=wilson(agree, n),
        misaligned=wilson(n - agree, n),
        typical_margin=1.0,
        length_balanced=LengthBalanced(None, None, None, None, None),
        baselines=None,
        seen=None,
        unseen=wilson(agree, n),
        headline_baselines=None,
    )


def test_a_model_in_order_is_green_throughout() -> None:
    strip = trust_strip(summary(), GOOD)
    assert [check.level for check in strip.checks] == ["green"] * 7
    assert strip.level == "green"


def test_the_strip_has_the_colour_of_the_worst_check() -> None:
    guessed = trust_strip(summary(), replace(GOOD, input_format_guessed=True))
    assert guessed.level == "amber"
    constant = trust_strip(summary(truncated=10), replace(GOOD, distinct_rewards=1, batch=None))
    assert constant.level == "red"
    assert TrustStrip("m", (Check("a", "green", ""), Check("b", "unknown", ""))).level == "unknown"
    assert TrustStrip("m", ()).level == "unknown"


def test_a_strip_survives_the_manifest() -> None:
    strip = trust_strip(summary(), GOOD)
    plain = json.loads(json.dumps(strip.as_dict()))
    assert plain["level"] == "green"
    assert TrustStrip.from_dict(plain) == strip


def test_the_input_format_may_be_guessed_or_unknown() -> None:
    assert check_format("chat", False).level == "green"
    assert check_format("chat", True).level == "amber"
    assert "a guess" in check_format("chat", True).reason
    assert check_format(None, True).level == "unknown"


@pytest.mark.parametrize(
    ("truncated", "level"),
    [(0, "green"), (9, "green"), (10, "amber"), (99, "amber"), (100, "red"), (1000, "red")],
)
def test_truncation_turns_amber_at_one_percent_and_red_at_ten(truncated: int, level: str) -> None:
    assert check_truncation(truncated, 1000).level == level


def test_truncation_of_nothing_is_unknown() -> None:
    assert check_truncation(0, 0).level == "unknown"
    assert "(12 of 460)" in check_truncation(12, 460).reason


def test_scores_alone_and_in_a_batch_are_compared() -> None:
    alone = [(1.0, 0.5), (0.2, 0.2), (3.0, 1.0)]
    found = batch_difference(alone, [(1.0, 0.5), (0.2, 0.21), (3.0, 1.002)])
    assert found is not None
    assert found.rows == 3 and found.verdicts_changed == 1
    assert found.largest == pytest.approx(0.01)
    assert batch_difference([], []) is None
    with pytest.raises(ValueError, match="shorter"):
        batch_difference(alone, alone[:2])


@pytest.mark.parametrize(
    ("largest", "changed", "dtype", "level"),
    [
        (0.0, 0, "float32", "green"),
        (9e-5, 0, "float32", "green"),
        (1e-4, 0, "float32", "amber"),
        (0.02, 0, "float16", "green"),
        (0.021, 0, "float16", "amber"),
        (0.021, 0, "bfloat16", "amber"),
        (1e-6, 1, "float32", "red"),
        (0.001, 1, "bfloat16", "red"),
        (float("inf"), 0, "float16", "red"),
        (float("nan"), 0, "float32", "red"),
    ],
)
def test_what_a_batch_changes(largest: float, changed: int, dtype: str, level: str) -> None:
    # A typical margin of 2: one percent of it is 0.02.
    assert check_batch(BatchDifference(16, largest, changed), dtype, 2.0).level == level


def test_how_texts_were_read_stands_beside_what_a_batch_changes() -> None:
    once = trust_strip(summary(), replace(GOOD, way="Reads a pair's prompt once.")).checks[2]
    assert once.reason == (
        "The scores of 16 rows changed by at most 2e-07 in a batch; no verdict changed. "
        "Reads a pair's prompt once."
    )


def test_an_untried_batch_is_unknown() -> None:
    assert check_batch(None, "float32", 1.0).level == "unknown"
    assert check_batch(BatchDifference(16, 0.1, 0), "float16", None).level == "unknown"


@pytest.mark.parametrize(
    ("distinct", "not_finite", "texts", "level"),
    [
        (90, 0, 100, "green"),
        (1, 0, 100, "red"),
        (0, 100, 100, "red"),
        (1, 0, 1, "green"),
        (900, 9, 1000, "amber"),
        (900, 10, 1000, "red"),
        (0, 0, 0, "unknown"),
    ],
)
def test_constant_and_missing_scores(
    distinct: int, not_finite: int, texts: int, level: str
) -> None:
    assert check_scores(distinct, not_finite, texts).level == level


def test_the_sign_may_be_flipped_only_by_the_whole_rule() -> None:
    clear = rate(60, 200)
    assert clear.high < 0.40
    flipped = check_direction(clear, None)
    assert flipped.level == "red" and "may be flipped" in flipped.reason
    # One pair fewer, a known label, or an interval that reaches 40%: not flipped.
    for agreement, label in ((rate(60, 199), None), (clear, "reward"), (rate(70, 200), None)):
        check = check_direction(agreement, label)
        assert check.level == "amber"
        assert "prefers what was rejected here, see by subset" in check.reason


def test_an_honest_model_on_hard_rows_is_not_called_flipped() -> None:
    check = check_direction(rate(431, 1000), None)
    assert check.level == "amber" and "flipped" not in check.reason
    assert check_direction(rate(240, 500), None).level == "green"
    assert check_direction(None, None).level == "unknown"


def test_seen_and_unseen_agreement_stand_apart() -> None:
    check = check_seen(rate(90, 100), rate(60, 100), 200, True)
    assert check.level == "amber"
    assert "90% [83, 94] of 100 pairs it was trained on" in check.reason
    assert "60% [50.2, 69] of 100 others" in check.reason
    assert check_seen(rate(90, 100), None, 100, True).level == "red"
    assert check_seen(None, rate(60, 100), 100, False).level == "green"
    assert check_seen(None, rate(60, 100), 150, None).level == "unknown"
    assert check_seen(None, None, 100, True).level == "amber"
    assert check_seen(None, None, 100, None).level == "unknown"
    assert seen_sentence(rate(90, 100), None, "m") == (
        "m sides with the choice in 90% of 100 pairs [83, 94] it was trained on."
    )


@pytest.mark.parametrize(
    ("revision", "level"),
    [
        ("2896746d739e", "green"),
        ("sha256:" + "a" * 64, "green"),
        ("c355404efa9ed2ed069ba4ad0ba09d2e7a8bc8b4", "green"),
        ("main", "amber"),
        ("v1.0", "amber"),
        ("", "amber"),
    ],
)
def test_only_a_commit_or_hash_pins_the_weights(revision: str, level: str) -> None:
    assert check_revision(revision).level == level


@pytest.mark.parametrize(
    ("found", "level", "said"),
    [
        (
            EightBits(pairs=16, largest=0.0312),
            "green",
            "against full precision no verdict of 16 pairs changed, and scores moved by at most"
            " 0.031.",
        ),
        (EightBits(pairs=16, verdicts_changed=1, largest=0.5), "amber", "the verdict of 1 of 16"),
        (EightBits(pairs=16, verdicts_changed=2, largest=0.5), "red", "(13% [3, 36])"),
        (
            EightBits(not_compared="no room"),
            "unknown",
            "not compared with full precision: no room.",
        ),
    ],
)
def test_eight_bits_are_a_check_of_their_own(found: EightBits, level: str, said: str) -> None:
    assert "verdicts in 8 bits" not in {check.name for check in trust_strip(summary(), GOOD).checks}
    (check,) = [
        check
        for check in trust_strip(summary(), replace(GOOD, eight_bits=found)).checks
        if check.name == "verdicts in 8 bits"
    ]
    assert check.level == level and said in check.reason
    assert check.reason.startswith("Its weights were held in 8 bits")
