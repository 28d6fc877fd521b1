"""Margins of one pair in words: which word, from where on, and that word and number fit."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ivan_core.metrics.margin_words import (
    CLEARLY_FROM,
    SLIGHTLY_FROM,
    STRENGTHS,
    margin_size,
    preference,
    preferences_words,
    strength,
)


@pytest.mark.parametrize(
    ("margin", "told"),
    [
        (-1.8, "clearly prefers B (1.8 typical margins)"),
        (1.0, "clearly prefers A (1.0 typical margin)"),
        (0.96, "clearly prefers A (1.0 typical margin)"),  # the word goes by what is shown
        (0.94, "slightly prefers A (0.9 typical margins)"),
        (-0.3, "slightly prefers B (0.3 typical margins)"),
        (0.2, "barely prefers A (0.2 typical margins)"),
        (-0.01, "barely prefers B (under 0.1 typical margin)"),
        (0.0, "likes both the same"),
        (None, "did not rate it"),
        (float("nan"), "did not rate it"),
    ],
)
def test_a_word_comes_first_with_its_number_behind(margin: float | None, told: str) -> None:
    assert preference(margin, "A", "B") == told


def test_the_unit_may_be_left_out_where_it_was_named() -> None:
    assert preference(-1.8, "A", "B", unit=False) == "clearly prefers B (1.8)"
    assert margin_size(0.04, unit=False) == "under 0.1"


@given(st.floats(0.001, 50))
def test_words_grow_with_the_number_and_are_the_same_for_either_side(margin: float) -> None:
    words = ("barely", "slightly", "clearly")
    assert strength(margin) == strength(-margin)
    assert words.index(strength(margin)) <= words.index(strength(2 * margin))


def test_where_the_words_begin_is_told_in_one_sentence() -> None:
    assert strength(CLEARLY_FROM) == "clearly" and strength(SLIGHTLY_FROM) == "slightly"
    assert STRENGTHS == (
        "“Clearly” is 1 typical margin or more, “slightly” 0.3 or more, “barely” less."
    )


def test_more_than_four_models_are_counted_and_the_surest_are_named() -> None:
    told = [("a", 1.5), ("b", 0.2), ("c", -2.0), ("d", None), ("e", 0.0), ("f", 0.9)]
    assert preferences_words(told, "A", "B") == (
        "3 of 6 models prefer A, a the most (1.5 typical margins); 1 prefers B, c the most (2.0"
        " typical margins); 1 likes both the same; 1 did not rate it"
    )
    assert preferences_words(told[:2], "A", "B") == (
        "a clearly prefers A (1.5 typical margins), b barely prefers A (0.2)"
    )
    assert preferences_words([], "A", "B") == ""
