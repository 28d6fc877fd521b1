"""Word differences between two replies."""

from __future__ import annotations

from hypothesis import given, strategies as st

from ivan_core.metrics.differences import (
    MOST_CHARACTERS,
    MOST_TOKENS,
    share_apart,
    word_differences,
)


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


def test_spaces_alone_are_own_where_the_words_are_the_same():
    left, right = word_differences("one,two three", "one, two  three")
    assert left == [("one,two", False), (" ", True), ("three", False)]
    assert right == [("one,", False), (" ", True), ("two", False), ("  ", True), ("three", False)]


def test_what_is_too_long_is_not_compared():
    assert word_differences("word " * 4_001, "short") is None
    assert word_differences("." * (MOST_TOKENS + 1), "short") is None
    assert word_differences("x" * (MOST_CHARACTERS + 1), "short") is None
    assert word_differences("x" * MOST_CHARACTERS, "short") is not None


def test_equal_texts_are_never_too_long():
    long = "word " * 100_000
    assert word_differences(long, long) == ([(long, False)], [(long, False)])


def test_texts_that_repeat_themselves_are_given_up_after_so_many_steps():
    # Each word of "a a b a a b …" equals up to a third of the others: without a limit this takes
    # minutes. The count of steps, not a clock, ends it.
    assert word_differences("a a b " * 600, "a b b " * 600) is None
    assert word_differences("a a b " * 60, "a b b " * 60) is not None


WORDS = st.text(alphabet="ab \n.", max_size=60)


@given(WORDS | st.text(max_size=60), WORDS | st.text(max_size=60))
def test_joined_pieces_give_the_texts_back(one, other):
    left, right = word_differences(one, other)
    assert "".join(text for text, _ in left) == one
    assert "".join(text for text, _ in right) == other


@given(st.text(max_size=40))
def test_any_text_is_equal_to_itself(text):
    left, right = word_differences(text, text)
    assert not any(own for _, own in left + right)


def test_the_share_of_words_apart_counts_words_of_both_sides():
    # "I like red apples." beside "I like green apples.": of 8 words two are on one side only.
    found = word_differences("I like red apples.", "I like green apples.")
    assert found is not None and share_apart(*found) == 2 / 8
    found = word_differences("One two.", "Three four five.")
    assert found is not None and share_apart(*found) == 1
    assert share_apart([("...", False)], [("!", True)]) == 0
