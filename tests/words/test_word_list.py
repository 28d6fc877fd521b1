"""The bundled list, what is held back of it, and lists of one's own."""

from __future__ import annotations

import pytest

from ivan_core.domain.errors import BadInput
from ivan_core.words.word_list import LIST_WORDS, MOST_WORDS, bundled, held_back, own_list


def test_the_bundled_list_is_of_plain_words_each_once_as_it_is_described() -> None:
    words = bundled()
    assert LIST_WORDS.startswith(f"{len(words):,} English words")
    assert len(set(words)) == len(words) and list(words) == sorted(words)
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
    assert min(map(len, words)) == 3
    assert {"love", "peace", "humour", "colour", "color"} <= set(words)
    assert not {"london", "hitler", "burundi"} & set(words), "no names"


def test_what_is_held_back_is_in_the_list() -> None:
    assert held_back() < set(bundled())
    assert {"bastard", "liberals", "immigrants"} <= held_back()
    assert "idiots" not in held_back()


def test_an_own_list_has_a_word_a_line_each_once() -> None:
    assert own_list("\ufeffLove\n\n  ice   cream \nlove\nLove\n") == ("Love", "ice cream", "love")


def test_one_line_may_have_commas() -> None:
    assert own_list("love, ice cream;mud\twar,") == ("love", "ice cream", "mud", "war")
    assert own_list("a, b\nc") == ("a, b", "c")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The list holds 0 words, and a ranking needs two."),
        ("love\nlove", "The list holds 1 word, and a ranking needs two."),
        (f"love\n{'x' * 61}", "” is no word: it has 61 characters."),
        ("love\nw\u202ear", " 4 characters, some of which cannot be printed."),
        ("\n".join(map(str, range(MOST_WORDS + 1))), "The list holds 25,001 words."),
        ("x" * 1_000_001, "The list has 1,000,001 characters."),
    ],
)
def test_what_is_no_list_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        own_list(text)
    assert refused.value.message.endswith(said) and refused.value.hint
