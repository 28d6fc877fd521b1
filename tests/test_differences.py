"""Word differences between two replies."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from ivan_core.metrics.differences import MOST_TOKENS, word_differences


def test_what_is_shared_and_what_is_own():
    left, right = word_differences("I like red apples.", "I like green apples!")
    assert left == [("I like ", False), ("red", True), (" apples", False), (".", True)]
    assert right == [("I like ", False), ("green", True), (" apples", False), ("!", True)]


def test_two_own_words_are_one_mark():
    left, _ = word_differences("say big red now", "say old sad now")
    assert left == [("say ", False), ("big red", True), (" now", False)]


def test_an_own_line_break_between_own_words_stays_apart():
    left, _ = word_differences("big\nred", "old\nsad")
    assert left == [("big", True), ("\n", False), ("red", True)]


def test_equal_texts_have_nothing_of_their_own():
    assert word_differences("the same", "the same") == (
        [("the same", False)],
        [("the same", False)],
    )


def test_an_empty_side_has_no_pieces():
    assert word_differences("", "all own") == ([], [("all own", True)])


def test_very_long_texts_are_not_compared():
    long = "word " * MOST_TOKENS
    assert word_differences(long, "short") == ([(long, False)], [("short", False)])


def test_the_longest_texts_that_are_compared_take_seconds_at_most():
    start = time.perf_counter()
    word_differences("a b " * (MOST_TOKENS // 4), "b a " * (MOST_TOKENS // 4))
    assert time.perf_counter() - start < 10


@given(st.text(alphabet="ab \n.", max_size=60), st.text(alphabet="ab \n.", max_size=60))
def test_joined_pieces_give_the_texts_back(one, other):
    left, right = word_differences(one, other)
    assert "".join(text for text, _ in left) == one
    assert "".join(text for text, _ in right) == other


@given(st.text(max_size=40))
def test_any_text_is_equal_to_itself(text):
    left, right = word_differences(text, text)
    assert not any(own for _, own in left + right)
