"""What rewording does to pairs that share prompts: intervals by prompt, by hand and simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from given.tables.rewordings import table

from ivan_core.metrics.intervals import PROMPT, wilson
from ivan_core.metrics.robustness.changes import ORIGINAL, REWORDED, meaning_kept
from ivan_core.metrics.robustness.labels import (
    difference_interval,
    flip_rates,
    label_flips,
    misalignment_risks,
)

HELPFUL = "last_response_is_helpful"


def test_meaning_is_kept_by_prompt() -> None:
    """Forty prompts of four pairs; in every fourth prompt all rewordings lose the meaning."""
    made = table({ORIGINAL: [(1, 0)] * 160, REWORDED: [(1, 0)] * 160})
    lost = made["row_id"] // 4 % 4 == 0
    made.loc[lost & made["variant"].eq(REWORDED), "chosen_similarity"] = 0.1
    plain = meaning_kept(made, 0.9, 0.5, 2)
    wide = meaning_kept(made.assign(**{PROMPT: made["row_id"] // 4}), 0.9, 0.5, 2)
    assert plain == wilson(120, 160)
    # See the design effect of three prompts in four: 4.077, and 160 / 4.077 = 39.2.
    assert wide is not None and (wide.count, wide.n, wide.effective_n) == (120, 160, 39)


def _labels(helpful: list[bool]) -> pd.DataFrame:
    """Labels of the chosen and the rejected reply of row 0, row 1, ..."""
    n = len(helpful)
    return pd.DataFrame(
        {
            "row_id": np.arange(n) // 2,
            "preference": np.tile(["chosen", "rejected"], n // 2),
            HELPFUL: pd.Series(helpful, dtype=object),
        }
    )


def test_labels_flip_by_pair_and_by_prompt() -> None:
    """Of 60 pairs 20 lose the label in both replies; two pairs make a prompt."""
    before = _labels([True] * 120)
    after = _labels([pair // 2 % 3 > 0 for pair in range(60) for _ in range(2)])
    by_pair = flip_rates(label_flips(before, after, [HELPFUL])).iloc[0]
    rate = wilson(40, 120, design=2 * 60 / 59 * 119 / 120)
    assert rate is not None and by_pair["effective_n"] == rate.effective_n == 59
    assert (by_pair["low"], by_pair["high"]) == pytest.approx((rate.low, rate.high))
    grouped = label_flips(before.assign(**{PROMPT: before["row_id"] // 2}), after, [HELPFUL])
    by_prompt = flip_rates(grouped, grouped).iloc[0]
    # 30 prompts of four texts: (4 * 30/29) / (120/119) = 4.10, and 120 / 4.10 = 29.2.
    assert by_prompt["effective_n"] == by_prompt["own_effective_n"] == 29
    wide = wilson(40, 120, design=4 * 30 / 29 * 119 / 120)
    assert wide is not None
    assert (by_prompt["own_low"], by_prompt["own_high"]) == pytest.approx((wide.low, wide.high))
    ends = difference_interval(wide, wide)
    assert (by_prompt["excess_low"], by_prompt["excess_high"]) == pytest.approx(ends)


def _moved(misaligned: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_id": np.arange(len(misaligned)),
            "margin_before": 1.0,
            "verdict_before": "agree",
            "verdict_after": np.where(misaligned, "disagree", "agree"),
        }
    )


def _risk(lost: np.ndarray, misaligned: np.ndarray, groups: np.ndarray | None) -> pd.Series:
    flips = pd.DataFrame(
        {
            "row_id": np.arange(len(lost)),
            "preference": "chosen",
            "feature": HELPFUL,
            "flip": lost.astype(int),
        }
    )
    flips = flips if groups is None else flips.assign(**{PROMPT: groups})
    found = misalignment_risks(_moved(misaligned), flips)
    return found[found["preference"].eq("chosen") & found["direction"].eq("lost")].iloc[0]


def test_the_same_pair_four_times_shows_no_more_than_once() -> None:
    # Of 20 lost labels 8 become misaligned, of 80 that stayed 10.
    lost = np.repeat([True, False], [20, 80])
    misaligned = np.repeat([True, False, True, False], [8, 12, 10, 70])
    once = _risk(lost, misaligned, None)
    four, groups = (np.repeat(one, 4) for one in (lost, misaligned)), np.arange(400) // 4
    wide = _risk(*four, groups)
    # (4 * 100/99) / (400/399) = 4.03, and 400 / 4.03 = 99.2.
    assert (wide["n"], wide["effective_n"], once["effective_n"]) == (400, 99, 100)
    assert (wide["low"], wide["high"]) == pytest.approx((once["low"], once["high"]), abs=2e-3)
    # Firth's penalty shrinks four times as many pairs less; the width is that of one in four.
    width = np.log(wide["odds_high"] / wide["odds_low"])
    assert width == pytest.approx(np.log(once["odds_high"] / once["odds_low"]), rel=0.03)
    assert wide["p"] == pytest.approx(once["p"], rel=0.5)
    assert _risk(np.repeat(lost, 4), np.repeat(misaligned, 4), None)["p"] < wide["p"] / 100


def test_risks_of_four_pairs_a_prompt_hold_the_truth_as_often_as_they_say() -> None:
    """Labels flip by prompt; pairs become misaligned with .2 or .4, correlated by .3 in a prompt.

    A pair follows its prompt's draw with probability sqrt(.3), else one of its own.
    """
    generator, draws, plain, widened = np.random.default_rng(8), 100, 0, 0
    groups = np.arange(240) // 4
    lost = groups % 2 == 0
    for _ in range(draws):
        follows = generator.random(240) < 0.3**0.5
        drawn = np.where(follows, generator.random(60)[groups], generator.random(240))
        misaligned = drawn < np.where(lost, 0.4, 0.2)
        for known in (False, True):
            row = _risk(lost, misaligned, groups if known else None)
            inside = int(row["low"] <= 0.2 <= row["high"])
            plain, widened = plain + inside * (not known), widened + inside * known
    assert plain / draws < 0.9
    assert 0.91 < widened / draws < 0.99
