"""Whether rewording is more than noise, and the sentences that say so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_rewordings import Rewards, drawn, table

from ivan_core.metrics import robustness_sentences as words
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.robustness import (
    ORIGINAL,
    REWORDED,
    SECOND,
    SURFACE,
    meaning_kept,
    robustness,
)
from ivan_core.metrics.robustness_noise import (
    Beyond,
    beyond_noise,
    least_pairs_for_flips,
    pairs_for_flips,
)

BEFORE: Rewards = [(1, 0)] * 10
FLIPPED: Rewards = [(0, 1)] * 3 + [(1, 0)] * 7
SURFACED: Rewards = [(0, 1)] * 1 + [(1, 0)] * 9
MADE = table({ORIGINAL: BEFORE, REWORDED: FLIPPED, SECOND: BEFORE, SURFACE: SURFACED})


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def beyond(made: pd.DataFrame, reference: str) -> Beyond:
    found = beyond_noise(
        made, "m", "surface" if reference == "surface" else "second", rng(), times=400
    )
    assert found is not None
    return found


def test_rewording_and_reference_are_compared_on_the_same_pairs() -> None:
    found = beyond(MADE, "surface")
    flips = found.flips
    assert (flips.both, flips.first_only, flips.second_only, flips.neither) == (1, 2, 0, 7)
    assert flips.difference == pytest.approx(0.2)
    # Three margins of ten move by 2 typical margins, beside one.
    assert (found.change, found.reference_change) == pytest.approx((0.6, 0.2))
    assert found.low <= found.excess <= found.high


def test_the_spread_of_two_rewordings_is_from_one_to_the_other() -> None:
    flips = beyond(MADE, "second").flips
    assert (flips.both, flips.first_only, flips.second_only) == (3, 0, 0)


def test_pairs_without_the_reference_are_left_out() -> None:
    made = table({ORIGINAL: BEFORE, REWORDED: FLIPPED, SURFACE: SURFACED[:4]})
    assert beyond(made, "surface").n == 4
    assert beyond_noise(made, "m", "second", rng()) is None


def test_a_large_change_is_more_than_noise_and_an_equal_one_is_not() -> None:
    assert beyond(drawn(300, 1, noise=0.6, surface=0.1), "surface").larger
    assert beyond(drawn(300, 1, noise=0.6, surface=0.1), "surface").more_flips
    assert not beyond(drawn(300, 1, noise=0.3, surface=0.3), "surface").larger
    assert not beyond(drawn(300, 2), "second").larger


def test_the_same_generator_gives_the_same_interval() -> None:
    made = drawn(50, 4)
    assert beyond(made, "surface") == beyond(made, "surface")


def test_no_noise_gives_no_false_alarm_more_often_than_promised() -> None:
    alarms = 0
    for seed in range(60):
        found = beyond_noise(
            drawn(80, seed, noise=0.3, surface=0.3), "m", "surface", rng(), times=300
        )
        assert found is not None
        alarms += found.low > 0 or found.high < 0
    assert alarms <= 9


def test_20_flips_at_the_rate_seen_need_so_many_pairs() -> None:
    few, none = wilson(3, 200), wilson(0, 200)
    assert few is not None and none is not None
    assert pairs_for_flips(few) == 1334
    assert pairs_for_flips(none) is None
    # None of 200 may still be 1.885%.
    assert least_pairs_for_flips(none) == 1062


def test_the_headline_names_meaning_flips_and_punctuation() -> None:
    made = MADE.copy()
    made.loc[made["row_id"].eq(9), "chosen_similarity"] = 0.1
    kept = meaning_kept(made, 0.9, 0.5, 2)
    told = words.rewriting_headline(kept, robustness(made, "m"), robustness(made, "m", SURFACE))
    assert told == (
        "Meaning kept in 90% of 10 pairs; the verdict of m flipped in 30% [11, 60]; punctuation"
        " alone 10%."
    )
    assert words.rewriting_headline(None, None) == "No pair has been reworded yet."
    assert words.rewriting_headline(kept, None) == "Meaning kept in 90% of 10 pairs."


def test_flips_are_told_both_ways() -> None:
    made = table(
        {ORIGINAL: [(1, 0)] * 4 + [(0, 1)], REWORDED: [(1, 1), (1, 0), (1, 0), (1, 0), (1, 0)]}
    )
    found = robustness(made, "m").flips
    assert words.flips_sentence("m", found) == (
        "m: of 4 pairs it agreed on, 25% [5, 70] no longer agree, 1 of them to a tie; of 1 pair it"
        " did not, 100% [21, 100] now do."
    )
    assert words.flips_sentence("m", None) == "m has rated no reworded pair yet."


def test_few_flips_say_the_pairs_they_would_need() -> None:
    assert words.needed_sentence(robustness(MADE, "m").flips) == (
        "Only 3 verdicts flipped. To see 20 at this rate it would need about 67 pairs."
    )
    assert words.needed_sentence(robustness(MADE, "m", SECOND).flips) == (
        "No verdict of 10 pairs flipped. To see 20 flips it would need more than 73 pairs."
    )
    assert words.needed_sentence(robustness(drawn(300, 1), "m").flips) == ""
    assert words.needed_sentence(None) == ""


def test_changes_are_told_in_typical_margins() -> None:
    # t(9) is 2.262; three of ten move by one typical margin.
    assert words.change_sentence(robustness(MADE, "m")) == (
        "Rewording moves the reward of m for chosen replies by −0.30 typical margins [−0.65, +0.05]"
        " and for rejected replies by +0.30 typical margins [−0.05, +0.65]."
    )
    assert words.change_sentence(robustness(MADE, "x")) == "x has rated no reworded pair yet."


def test_correlation_and_noise_are_told() -> None:
    found = robustness(drawn(40, 0), "m")
    told = words.correlation_sentence("m", "chosen", found.chosen_correlation)
    assert told.startswith("m: rewards of chosen replies before and after correlate at 0.")
    assert words.correlation_sentence("m", "chosen", None).startswith("m: too few rewards")
    told = words.beyond_sentence("m", beyond(drawn(300, 1), "surface"))
    assert "a change of punctuation and space alone" in told
    assert told.endswith("Both are more than noise.")
    told = words.beyond_sentence("m", beyond(drawn(300, 2), "second"))
    assert told.endswith("Not clearly more than noise.")
    assert words.beyond_sentence("m", None) == "m: no pair has both changes to compare."


def test_label_flips_are_told_with_the_labelers_own() -> None:
    row: dict[str, object] = {"n": 100, "lost": 15, "gained": 5, "rate": 0.2, "own_n": 50,
                              "own_rate": 0.04, "excess": 0.16, "excess_low": 0.04,
                              "excess_high": 0.25}  # fmt: skip
    assert words.label_flip_sentence(row, "helpful") == (
        "“helpful” flips in 20% of 100 texts (15 lost, 5 gained); the labeler by itself in 4%, so"
        " [4, 25] points are due to the rewording."
    )
    assert words.label_flip_sentence(row | {"excess": float("nan")}, "helpful").endswith(
        "how often the labeler changes its own mind is not known."
    )


def test_risks_are_told_or_what_they_need() -> None:
    row: dict[str, object] = {"direction": "lost", "preference": "chosen", "flips": 20, "n": 100,
                              "events": 18, "difference": 0.275, "low": 0.07, "high": 0.5,
                              "risk_flipped": 0.4, "risk_same": 0.125, "clear": True,
                              "needs": float("nan")}  # fmt: skip
    assert words.risk_sentence(row, "helpful") == (
        "“helpful” lost in the chosen reply: 40% of 20 pairs become misaligned, where it stays 13%"
        " of 80 (difference [7, 50] points). The difference is clear."
    )
    few = row | {"difference": float("nan"), "flips": 10, "needs": 150.0}
    assert words.risk_sentence(few, "helpful") == (
        "“helpful” lost in the chosen reply: too few to tell (10 flips, 18 events). It would need"
        " about 150 pairs."
    )
    cells = row | {"odds_ratio": 4.5, "odds_low": 1.52, "odds_high": float("inf")}
    assert words.risk_cells(cells, "helpful") == {
        "what": "helpful lost, chosen", "flips": 20, "events": 18, "flipped": "40%",
        "stayed": "13%", "difference": "[7, 50]", "odds": "4.50 [1.52, ∞]", "clear": "clear",
        "needs": None,
    }  # fmt: skip
    left = words.risk_cells(few, "helpful")
    assert (left["odds"], left["flips"], left["needs"], left["clear"]) == ("", 10, 150, "")
