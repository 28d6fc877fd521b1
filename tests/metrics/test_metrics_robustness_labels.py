"""Labels that flip, misalignment where they do, and Firth's regression behind it."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pandas as pd
import pytest
from firthmodels import FirthLogisticRegression
from hypothesis import given, settings, strategies as st
from sklearn.linear_model import LogisticRegression

from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.robustness.labels import (
    difference_interval,
    firth,
    flip_rates,
    label_flips,
    misalignment_risks,
)

HELPFUL, TONE, TOPICS = "last_response_is_helpful", "last_response_sentiment", "topics"


def labels(helpful: list[bool | None], tone: list[str | None] | None = None) -> pd.DataFrame:
    """Labels of chosen replies of row 0, row 1, ..."""
    n = len(helpful)
    return pd.DataFrame(
        {
            "row_id": range(n),
            "preference": "chosen",
            HELPFUL: pd.Series(helpful, dtype=object),
            TONE: pd.Series(tone or [None] * n, dtype=object),
            TOPICS: pd.Series([()] * n, dtype=object),
        }
    )


def test_a_flip_is_the_original_less_the_reworded_label() -> None:
    before = labels([True, False, True, None, True])
    after = labels([False, True, True, True, None])
    found = label_flips(before, after, [HELPFUL, TOPICS])
    assert list(found["row_id"]) == [0, 1, 2]
    assert list(found["flip"]) == [1, -1, 0]
    assert set(found["feature"]) == {HELPFUL}


def test_a_sentiment_that_falls_counts_as_lost() -> None:
    before = labels([None] * 3, ["positive", "neutral", "negative"])
    after = labels([None] * 3, ["negative", "positive", "negative"])
    assert list(label_flips(before, after, [TONE])["flip"]) == [1, -1, 0]


def test_texts_are_joined_by_row_and_side_never_by_position() -> None:
    before = labels([True, False])
    after = labels([True, False]).iloc[::-1].reset_index(drop=True)
    assert list(label_flips(before, after, [HELPFUL])["flip"]) == [0, 0]


def flips(*counts: tuple[int, int], feature: str = HELPFUL) -> pd.DataFrame:
    """So many flips (+1, 0, -1) each, of chosen replies of row 0, row 1, ..."""
    values = np.repeat([flip for flip, _ in counts], [n for _, n in counts])
    return pd.DataFrame(
        {"row_id": range(len(values)), "preference": "chosen", "feature": feature, "flip": values}
    )


def test_the_labelers_own_flips_are_taken_off() -> None:
    row = flip_rates(flips((1, 15), (-1, 5), (0, 80)), flips((1, 2), (0, 48))).iloc[0]
    assert (row["lost"], row["gained"], row["same"], row["own_n"]) == (15, 5, 80, 50)
    assert row["rate"] == 0.2 and row["own_rate"] == 0.04
    assert row["excess"] == pytest.approx(0.16)
    # Wilson: 20 of 100 is [.1334, .2888], 2 of 50 is [.0110, .1346].
    assert row["excess_low"] == pytest.approx(0.16 - (0.0666**2 + 0.0946**2) ** 0.5, abs=1e-3)
    assert row["excess_high"] == pytest.approx(0.16 + (0.0888**2 + 0.0290**2) ** 0.5, abs=1e-3)


def test_fewer_than_50_unchanged_texts_say_nothing() -> None:
    row = flip_rates(flips((1, 5), (0, 5)), flips((1, 2), (0, 47))).iloc[0]
    assert row["own_n"] == 49 and pd.isna(row["excess"]) and pd.isna(row["own_rate"])
    assert pd.isna(flip_rates(flips((1, 5), (0, 5))).iloc[0]["excess"])


def moved(misaligned: list[bool], margins: list[float] | None = None) -> pd.DataFrame:
    """Pairs that agreed before, and whether they still do."""
    return pd.DataFrame(
        {
            "row_id": range(len(misaligned)),
            "margin_before": margins or [1.0] * len(misaligned),
            "verdict_before": "agree",
            "verdict_after": ["disagree" if bad else "agree" for bad in misaligned],
        }
    )


def cell(found: pd.DataFrame, direction: str = "lost") -> pd.Series:
    own = found[found["preference"].eq("chosen") & found["direction"].eq(direction)]
    return own.iloc[0]


# Of 20 lost labels 8 become misaligned, of 80 that stayed 10.
EVENTS = [True] * 8 + [False] * 12 + [True] * 10 + [False] * 70


def test_misalignment_where_a_label_is_lost_is_set_beside_where_it_stays() -> None:
    found = cell(misalignment_risks(moved(EVENTS), flips((1, 20), (0, 80))))
    assert (found["n"], found["flips"], found["events"], found["events_flipped"]) == (
        100,
        20,
        18,
        8,
    )
    assert (found["risk_flipped"], found["risk_same"]) == (0.4, 0.125)
    # Wilson: 8 of 20 is [.2188, .6134], 10 of 80 is [.0693, .2150].
    assert found["low"] == pytest.approx(0.275 - (0.1812**2 + 0.0900**2) ** 0.5, abs=1e-3)
    assert found["high"] == pytest.approx(0.275 + (0.2134**2 + 0.0557**2) ** 0.5, abs=1e-3)
    # Equal margins leave a table of two by two, in which Firth adds a half to each cell.
    assert found["odds_ratio"] == pytest.approx(8.5 * 70.5 / (12.5 * 10.5))
    assert found["odds_low"] < found["odds_ratio"] < found["odds_high"]
    assert bool(found["clear"]) and pd.isna(found["needs"])


def test_only_pairs_that_agreed_before_are_at_risk() -> None:
    pairs = moved(EVENTS)
    pairs.loc[pairs.index >= 50, "verdict_before"] = "tie"
    assert cell(misalignment_risks(pairs, flips((1, 20), (0, 80))))["n"] == 50


def test_the_opposite_flip_is_not_compared() -> None:
    found = misalignment_risks(moved(EVENTS), flips((1, 20), (0, 60), (-1, 20)))
    assert (cell(found)["n"], cell(found, "gained")["n"]) == (80, 80)


@pytest.mark.parametrize(
    ("lost", "events", "needs"),
    [(10, 10, 150), (20, 4, 125), (10, 1, 500), (10, 0, None), (0, 10, None)],
)
def test_a_cell_with_too_little_says_how_many_pairs_it_needs(
    lost: int, events: int, needs: int | None
) -> None:
    pairs = moved([i < events for i in range(100)])
    found = cell(misalignment_risks(pairs, flips((1, lost), (0, 100 - lost))))
    assert pd.isna(found["difference"]) and pd.isna(found["odds_ratio"]) and not found["clear"]
    assert found["needs"] == needs if needs else pd.isna(found["needs"])


def test_nothing_labelled_has_no_rows() -> None:
    assert misalignment_risks(moved(EVENTS), flips()).empty
    assert flip_rates(flips()).empty


def two_by_two(a: int, b: int, c: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """A column that is 1 in a + b rows, with an outcome in a of them and in c of the others."""
    return np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d]), np.repeat(
        [1.0, 0.0, 1.0, 0.0], [a, b, c, d]
    )


CELL = st.integers(0, 30)


@settings(max_examples=50)
@given(CELL, CELL, CELL, CELL)
def test_firth_adds_a_half_to_each_cell_of_a_two_by_two(a: int, b: int, c: int, d: int) -> None:
    if a + b == 0 or c + d == 0:
        return
    found = firth(*two_by_two(a, b, c, d))
    assert found.value == pytest.approx(
        log((a + 0.5) * (d + 0.5) / (b + 0.5) / (c + 0.5)), abs=1e-6
    )


def test_perfect_separation_has_a_finite_odds_ratio_and_interval() -> None:
    found = firth(*two_by_two(15, 0, 10, 75))
    assert found.value == pytest.approx(log(15.5 * 75.5 / 0.5 / 10.5), abs=1e-6)
    assert 2 < found.low < found.value < found.high < 15 and found.p < 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_firth_is_that_of_firthmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = np.column_stack([rng.random(70) < 0.3, rng.normal(size=70)]).astype(float)
    chance = 1 / (1 + np.exp(2 - columns @ [0.8, -0.5]))
    outcome = (rng.random(70) < chance).astype(float)
    theirs = FirthLogisticRegression(gtol=1e-7, xtol=1e-7, max_iter=200).fit(columns, outcome)
    ends = theirs.lrt().conf_int(method="pl", tol=1e-10, max_iter=200)
    for which in (0, 1):
        found = firth(columns, outcome, which)
        assert found.value == pytest.approx(theirs.coef_[which], abs=1e-7)
        assert (found.low, found.high) == pytest.approx(tuple(ends[which]), abs=1e-6)
        assert found.p == pytest.approx(theirs.lrt_pvalues_[which], abs=1e-8)


def test_for_many_rows_firth_is_plain_logistic_regression() -> None:
    rng = np.random.default_rng(3)
    columns = np.column_stack([rng.random(8_000) < 0.3, rng.normal(size=8_000)]).astype(float)
    chance = 1 / (1 + np.exp(1.5 - 0.8 * columns[:, 0] + 0.5 * columns[:, 1]))
    outcome = (rng.random(8_000) < chance).astype(float)
    plain = LogisticRegression(C=np.inf, tol=1e-8).fit(columns, outcome)
    found = [firth(columns, outcome, which).value for which in (0, 1)]
    assert found == pytest.approx(plain.coef_[0], abs=2e-3)


def test_the_margin_is_adjusted_for() -> None:
    rng = np.random.default_rng(0)
    size = rng.exponential(1, 600)
    # Labels flip and verdicts turn where margins are small, and for no other reason.
    flipped = rng.random(600) < np.exp(-size)
    events = rng.random(600) < 0.6 * np.exp(-2 * size)
    found = cell(
        misalignment_risks(
            moved(list(events), list(size)), flips((0, 600)).assign(flip=flipped.astype(int))
        )
    )
    assert found["low"] > 0
    crude = firth(flipped.astype(float), events.astype(float))
    assert exp(crude.low) > 1 and found["odds_ratio"] < exp(crude.value)
    assert found["odds_low"] < 1 < found["odds_high"]


def test_columns_that_follow_from_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="constant"):
        firth(np.ones(10), np.arange(10) % 2)


def test_firths_interval_covers_in_some_95_of_100() -> None:
    rng = np.random.default_rng(1)
    exposed = np.arange(80) < 30
    covered = 0
    for _ in range(150):
        outcome = rng.random(80) < np.where(exposed, 0.4, 0.2)
        found = firth(exposed.astype(float), outcome.astype(float))
        covered += found.low <= log(0.4 / 0.6 * 0.8 / 0.2) <= found.high
    assert 135 <= covered <= 149


def test_newcombes_interval_is_that_of_the_paper() -> None:
    # Newcombe (1998), table II, method 10: 56 of 70 against 48 of 80.
    first, second = wilson(56, 70), wilson(48, 80)
    assert first is not None and second is not None
    assert difference_interval(first, second) == pytest.approx((0.0524, 0.3339), abs=1e-4)
