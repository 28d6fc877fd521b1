"""Two texts in short: their first words, from where they part, those that differ marked."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ivan_core.lists.short import SHORT, beside, snippet

SAME = "The first ten words of both replies are the very same words here, and then "


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, "(no reply)"),
        ("", "(empty reply)"),
        (" a\n\nb ", "a b"),
        ("x" * 160, "x" * 160),
        ("x" * 161, "x" * 159 + "…"),
    ],
)
def test_a_snippet_is_one_line(text, shown):
    assert snippet(text) == shown


def test_words_that_the_other_text_has_not_are_marked():
    pieces = beside("I would go by\nbus today.", "I would go by train today.")
    assert pieces == (("I would go by ", False), ("bus", True), (" today.", False))


def test_texts_that_begin_alike_are_shown_from_shortly_before_they_part():
    ours, theirs = (f"{SAME}they {word} at last, as texts do." for word in ("part", "meet"))
    assert beside(ours, theirs)[0] == ("… ", False)
    shown = "".join(words for words, _ in beside(ours, theirs))
    assert shown.startswith("… words here, and then they part")
    assert [words for words, apart in beside(ours, theirs) if apart] == ["part"]


def test_where_nearly_all_words_differ_none_is_marked():
    """Of the eleven words nine stand in one text alone."""
    assert beside("Call them and ask.", "No, you should never do them this.") == (
        ("Call them and ask.", False),
    )


@pytest.mark.parametrize(("text", "other"), [(None, "a"), ("a", None), ("", "a"), ("a", "a")])
def test_a_text_alone_has_nothing_marked(text, other):
    assert beside(text, other) == ((snippet(text), False),)


@given(st.text(), st.text())
def test_what_is_shown_is_short_and_of_the_text(text, other):
    shown = "".join(words for words, _ in beside(text, other))
    assert len(shown) <= SHORT + len("… …")
    inside = shown.removeprefix("… ").removesuffix("…")
    assert inside in " ".join(text.split()) or shown == snippet(text)


def test_a_text_of_millions_is_read_at_its_beginning_alone():
    assert beside("a " * 2_000_000 + "b", "a " * 2_000_000 + "c")[0][0].startswith("a a a")
