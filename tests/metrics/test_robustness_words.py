"""Whether rewording is more than noise, and the sentences that say so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from given.tables.rewordings import Rewards, drawn, table

from ivan_core.charts.robustness import reward_change_dots
from ivan_core.metrics.intervals import PROMPT, wilson
from ivan_core.metrics.robustness import sentences as words
from ivan_core.metrics.robustness.changes import (
    ORIGINAL,
    REWORDED,
    SECOND,
    SURFACE,
    meaning_kept,
    robustness,
)
from ivan_core.metrics.robustness.noise import (
    Beyond,
    beyond_noise,
    judged_together,
    least_pairs_for_flips,
    pairs_for_flips,
    twice,
)

BEFORE: Rewards = [(1, 0)] * 10
FLIPPED: Rewards = [(0, 1)] * 3 + [(1, 0)] * 7
SURFACED: Rewards = [(0, 1)] * 1 + [(1, 0)] * 9
MADE = table({ORIGINAL: BEFORE, REWORDED: FLIPPED, SECOND: BEFORE, SURFACE: SURFACED})


def beyond(made: pd.DataFrame, reference: str) -> Beyond:
    found = beyond_noise(made, "m", "surface" if reference == "surface" else "second")
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
    assert beyond_noise(made, "m", "second") is None


def test_a_large_change_is_more_than_noise_and_an_equal_one_is_not() -> None:
    assert beyond(drawn(300, 1, noise=0.6, surface=0.1), "surface").larger
    assert beyond(drawn(300, 1, noise=0.6, surface=0.1), "surface").more_flips
    assert not beyond(drawn(300, 1, noise=0.3, surface=0.3), "surface").larger
    assert not beyond(drawn(300, 2), "second").larger


def test_no_noise_gives_no_false_alarm_more_often_than_promised() -> None:
    alarms = 0
    for seed in range(60):
        found = beyond(drawn(80, seed, noise=0.3, surface=0.3), "surface")
        alarms += found.low > 0 or found.high < 0
    assert alarms <= 9


def test_the_mean_change_has_the_interval_and_test_of_student() -> None:
    # Two of ten pairs move by 2 typical margins more: mean .4, deviation .8433, t(9) = 1.5.
    found = beyond(MADE, "surface")
    assert (found.low, found.high) == pytest.approx((-0.2032, 1.0032), abs=1e-4)
    assert found.margins_p == pytest.approx(0.16785, abs=1e-5)
    assert found.flips_p == pytest.approx(0.25)  # McNemar: 2 against 0, half of the tie counts


def test_several_comparisons_are_judged_together() -> None:
    made = beyond(MADE, "surface")
    one = replace(
        made, flips=replace(made.flips, low=0.01), excess=1.0, flips_p=0.04, margins_p=0.03
    )
    assert one.more_flips and one.larger
    other = replace(one, flips_p=0.01, margins_p=0.9)
    found = judged_together({"one": one, "other": other})
    # Of four the smallest counts four times, the next one three times, then twice: .04, .09, .09.
    assert (found["other"].flips_p, found["one"].margins_p) == pytest.approx((0.04, 0.09))
    assert (found["one"].flips_p, found["other"].margins_p) == pytest.approx((0.09, 0.9))
    assert found["other"].more_flips and not found["one"].larger and not found["one"].more_flips
    assert judged_together({}) == {}
    # Below 5% by the test alone is not enough: the interval must not hold "no difference".
    assert not replace(one, flips=replace(one.flips, low=-0.01)).more_flips


def repeated(n: int, share: float, noise: float = 0.3) -> pd.DataFrame:
    """Rewordings of n pairs whose second one repeats the first in a share of the replies."""
    made = drawn(n, 5, noise=noise)
    sides = [
        ["chosen_reward", "chosen_similarity", "chosen_ratio"],
        ["rejected_reward", "rejected_similarity", "rejected_ratio"],
    ]
    first, second = (made["variant"].eq(variant).to_numpy() for variant in (REWORDED, SECOND))
    same = np.arange(n) < share * n
    for side in sides:
        values = made.loc[second, side].to_numpy(copy=True)
        values[same] = made.loc[first, side].to_numpy()[same]
        made.loc[second, side] = values
    return made


def test_two_rewordings_of_their_own_are_a_floor() -> None:
    found = twice(drawn(200, 1), "m")
    assert found is not None and found.alike is not None
    assert (found.n, found.equal.count, found.equal.n) == (200, 0, 400)
    assert abs(found.alike.r) < 0.2
    assert found.is_floor
    assert twice(table({ORIGINAL: BEFORE, REWORDED: FLIPPED}), "m") is None


def test_a_second_rewording_that_repeats_the_first_is_no_floor() -> None:
    few, quarter = twice(repeated(200, 0.05), "m"), twice(repeated(200, 0.25), "m")
    assert few is not None and quarter is not None
    assert (few.equal.count, quarter.equal.count) == (20, 100)
    assert few.is_floor and not quarter.is_floor
    told = words.twice_sentence("m", quarter)
    # Both replies of a pair: (2 * 200/199) / (400/399) = 2.005, and 400 / 2.005 = 199.5.
    assert told.startswith(
        "m: 25% of 400 replies [20, 31] (texts share prompts: as if n = 199) came out the same"
        " twice, and what the two"
    )
    assert "does not tell what is noise" in told
    assert told.endswith("rewording is not held against it.")
    assert "what is noise" not in words.twice_sentence("m", few)


def test_rewordings_that_move_margins_alike_are_no_floor() -> None:
    made = drawn(200, 6)
    own = made["variant"].eq(SECOND).to_numpy()
    near = made.loc[made["variant"].eq(REWORDED), ["chosen_reward", "rejected_reward"]].to_numpy()
    made.loc[own, ["chosen_reward", "rejected_reward"]] = near + np.random.default_rng(0).normal(
        0, 0.05, near.shape
    )
    found = twice(made, "m")
    assert found is not None and found.alike is not None
    assert found.equal.count == 0 and found.alike.r > 0.9
    assert not found.is_floor


def test_a_single_pair_has_no_interval_and_is_told_without_one() -> None:
    made = table({ORIGINAL: [(1, 0)], REWORDED: [(0, 1)], SURFACE: [(1, 0)]})
    told = words.beyond_sentence("m", beyond(made, "surface"))
    assert "Margins move by 2.00 typical margins against 0.00. Not clearly more" in told
    found = [robustness(made, "m"), robustness(made, "m", SURFACE)]
    assert "−1.00" in str(reward_change_dots(found, dark=False).to_dict())


def test_few_pairs_reworded_twice_are_no_floor() -> None:
    found = twice(drawn(19, 1), "m")
    assert found is not None and not found.is_floor
    assert words.twice_sentence("m", found) == (
        "m: only 19 pairs were reworded twice; it takes 20 to tell what is noise."
    )
    assert words.twice_sentence("m", None) == (
        "m: no pair was reworded twice, which would tell what is noise."
    )


def test_rewordings_that_move_every_margin_alike_have_a_sentence_of_their_own() -> None:
    made = table({ORIGINAL: [(1, 0)] * 20, REWORDED: [(2, 0)] * 20, SECOND: [(4, 1)] * 20})
    found = twice(made, "m")
    assert found is not None and found.alike is None and found.equal.count == 0
    assert words.twice_sentence("m", found) == (
        "m: 0% of 40 replies [0, 16] (texts share prompts: as if n = 20) came out the same twice,"
        " and what a rewording moves margins by does"
        " not vary on 20 pairs, so it does not tell what is noise."
    )


def test_flips_say_as_if_n_where_prompts_widened_their_interval() -> None:
    """Ten prompts of four pairs: in three of them every verdict flips."""
    before: Rewards = [(1, 0)] * 40
    made = table({ORIGINAL: before, REWORDED: [(0, 1)] * 12 + [(1, 0)] * 28})
    made = made.assign(**{PROMPT: made["row_id"] // 4})
    found = robustness(made, "m")
    # Own 40 * .21, by prompt 16 times the squares of ten: (16 * 2.1 * 10/9) / (8.4 * 40/39) = 4.33.
    assert words.flips_sentence("m", found.flips) == (
        "m: of 40 pairs it agreed on, 30% [10, 61] (prompts repeat: as if n = 9) no longer agree."
    )
    told = words.rewriting_headline(wilson(40, 40), found)
    assert told.startswith(
        "Of 40 pairs reworded with the same meaning, 12 changed m's mind"
        " (30% [10, 61]; prompts repeat: as if n = 9)."
    )


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
    found, alone = robustness(made, "m"), robustness(made, "m", SURFACE)
    mind = "Of 10 pairs reworded with the same meaning, 3 changed m's mind (30% [11, 60])."
    meaning = "Meaning kept in 90% [60, 98] of 10 pairs."
    punctuation = "Punctuation alone changed it in 1 (10% [2, 40])"
    assert words.rewriting_headline(kept, found, alone) == f"{mind} {punctuation}. {meaning}"
    noise = beyond_noise(made, "m", "surface")
    assert words.rewriting_headline(kept, found, alone, None, noise) == (
        f"{mind} {punctuation}: rewording is not clearly more than noise. {meaning}"
    )
    assert words.rewriting_headline(None, None) == "No pair has been reworded and scored."
    assert words.rewriting_headline(kept, None) == meaning


def test_fewer_flips_than_by_punctuation_are_no_more_than_noise() -> None:
    made = drawn(300, 1, noise=0.1, surface=0.6)
    found, alone = robustness(made, "m"), robustness(made, "m", SURFACE)
    kept, noise = wilson(300, 300), beyond_noise(made, "m", "surface")
    assert "): no more than noise. " in words.rewriting_headline(kept, found, alone, None, noise)
    made = drawn(300, 1, noise=0.6, surface=0.1)
    found, alone = robustness(made, "m"), robustness(made, "m", SURFACE)
    told = words.rewriting_headline(kept, found, alone, None, beyond_noise(made, "m", "surface"))
    assert "): rewording is clearly more than noise. " in told


def test_no_flip_is_none() -> None:
    told = words.rewriting_headline(wilson(10, 10), robustness(MADE, "m", SECOND))
    assert told.startswith(
        "Of 10 pairs reworded with the same meaning, none changed m's mind (0% [0, 28])."
    )


def test_the_headline_says_of_how_many_pairs_something_was_measured() -> None:
    kept = meaning_kept(MADE, 0.9, 0.5, 2)
    came = words.Came(16, 11, "a side that no rule fits")
    assert words.rewriting_headline(kept, None, None, came) == (
        "Meaning kept in 100% [72, 100] of 10 pairs measured (16 asked, 11 reworded: 5 have a side"
        " that no rule fits)."
    )
    none = words.Came(16, 0, "a side that no rule fits")
    assert words.rewriting_headline(None, None, None, none) == (
        "No pair has been reworded and scored (16 asked, 0 reworded: 16 have a side that no rule"
        " fits)."
    )
    whole = words.Came(10, 10, "")
    assert words.rewriting_headline(kept, None, None, whole) == (
        "Meaning kept in 100% [72, 100] of 10 pairs."
    )


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
    row: dict[str, object] = {
        "n": 100,
        "lost": 15,
        "gained": 5,
        "rate": 0.2,
        "own_n": 50,
        "own_rate": 0.04,
        "excess": 0.16,
        "excess_low": 0.04,
        "excess_high": 0.25,
        "low": 0.1334,
        "high": 0.2888,
        "own_low": 0.011,
        "own_high": 0.1346,
        "effective_n": 100,
        "own_effective_n": 50,
    }
    assert words.label_flip_sentence(row, "helpful") == (
        "“helpful” flips in 20% of 100 texts (15 lost, 5 gained; 95% interval [13, 29]); the"
        " labeler by itself in 4% of 50 [1, 13], so [4, 25] points are due to the rewording."
    )
    wide = words.label_flip_sentence(row | {"effective_n": 60, "own_effective_n": 30}, "helpful")
    assert "interval [13, 29]; texts share prompts: as if n = 60); the labeler" in wide
    assert "in 4% of 50 [1, 13] (texts share prompts: as if n = 30), so" in wide
    assert words.label_flip_sentence(row | {"excess": float("nan")}, "helpful").endswith(
        "how often the labeler changes its own mind is not known."
    )


def test_risks_are_told_or_what_they_need() -> None:
    row: dict[str, object] = {
        "direction": "lost",
        "preference": "chosen",
        "flips": 20,
        "n": 100,
        "events": 18,
        "difference": 0.275,
        "low": 0.07,
        "high": 0.5,
        "risk_flipped": 0.4,
        "risk_same": 0.125,
        "clear": True,
        "needs": float("nan"),
        "effective_n": 100,
    }
    assert words.risk_sentence(row, "helpful") == (
        "“helpful” lost in the chosen reply: 40% of 20 pairs turn against the choice, where it"
        " stays 13% of 80 (difference [7, 50] points). The difference is clear."
    )
    wide = words.risk_sentence(row | {"effective_n": 40}, "helpful")
    assert "(difference [7, 50] points; prompts repeat: as if n = 40)." in wide
    few = row | {"difference": float("nan"), "flips": 10, "needs": 150.0}
    assert words.risk_sentence(few, "helpful") == (
        "“helpful” lost in the chosen reply: too few to tell (10 flips, 18 events). It would need"
        " about 150 pairs."
    )
    cells = row | {"odds_ratio": 4.5, "odds_low": 1.52, "odds_high": float("inf")}
    assert words.risk_cells(cells, "helpful") == {
        "what": "helpful lost, chosen",
        "flips": 20,
        "events": 18,
        "flipped": "40%",
        "stayed": "13%",
        "difference": "[7, 50]",
        "odds": "4.50 [1.52, ∞]",
        "clear": "clear",
        "needs": None,
    }
    left = words.risk_cells(few, "helpful")
    assert (left["odds"], left["flips"], left["needs"], left["clear"]) == ("", 10, 150, "")
