"""Which words moved a model: steps, sentences, and what is not known."""

from __future__ import annotations

import pytest

from ivan_core.metrics.moved_words import (
    MovedWord,
    moved_sentence,
    next_sentence,
    number_of,
    step,
    strongest,
    unit_of,
)

WORDS = [
    MovedWord("A", "Some, ", -0.12),
    MovedWord("A", "soil. ", 0.36),
    MovedWord("B", "ants", 0.05),
    MovedWord("B", "odd", None),
]


@pytest.mark.parametrize(
    ("adds", "reached"), [(0.05, 0), (0.1, 1), (-0.1, -1), (0.25, 2), (0.5, 3), (-9.0, -3), (0, 0)]
)
def test_an_effect_reaches_steps_of_the_unit_with_its_sign(adds, reached):
    assert step(adds, 1.0) == reached == step(adds * 4, 4.0)
    assert step(None, 1.0) == 0 == step(adds, 0.0)


def test_the_strongest_word_is_said_with_its_number_and_the_others_after_it():
    assert moved_sentence("m", WORDS, 0.9) == (
        "Without “soil”, m gives A 0.36 less (0.4 typical margins)."
    )
    assert next_sentence(WORDS, 0.9) == "Next, in typical margins: “Some” in A −0.13."
    assert [word.text for word in strongest(WORDS, 0.9, 5)] == ["soil. ", "Some, "]


def test_without_a_typical_margin_the_largest_effect_is_the_unit():
    assert unit_of(WORDS, None) == 0.36
    assert moved_sentence("m", WORDS, None) == "Without “soil”, m gives A 0.36 less."
    assert next_sentence(WORDS, None) == "Next: “Some” in A −0.12, “ants” in B +0.050."


def test_what_moves_nothing_and_what_is_not_known_are_said():
    assert moved_sentence("m", WORDS, 40.0) == (
        "No word alone moves m by 0.1 typical margins: what it likes lies in the whole."
    )
    assert not next_sentence(WORDS, 40.0)
    still = [MovedWord("A", "a", 0.0)]
    assert "No word alone moves m by anything" in moved_sentence("m", still, None)
    assert "could not score" in moved_sentence("m", [MovedWord("A", "a", None)], 1.0)
    assert number_of(None, 1.0) == "–"


def test_words_are_quoted_without_the_marks_around_them_and_long_ones_cut():
    assert MovedWord("A", '"(so)," ', 1.0).quoted == "“so”"
    assert MovedWord("A", "... ", 1.0).quoted == "“...”"
    assert MovedWord("A", "x" * 60, 1.0).quoted == f"“{'x' * 40}…”"
