"""The surface change: other punctuation and spaces, the same words, roles and turns."""

from __future__ import annotations

import re

import pytest
from given import hostile
from hypothesis import given, strategies as st

from ivan_core.domain.transcripts import Dialogue
from ivan_core.rewording.styles import change_surface

TOKENS = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    return TOKENS.findall(text)


def roles(text: str) -> list[str]:
    return [turn.role for turn in Dialogue(text).turns]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("\n\nHuman: Tea", "\n\nHuman: Tea."),
        ("\n\nHuman: Tea.", "\n\nHuman: Tea"),
        ("\n\nHuman: Tea?", "\n\nHuman: Tea ?"),
        ("\n\nHuman: Tea ?", "\n\nHuman: Tea?"),
        ("\n\nHuman: (Tea)", "\n\nHuman: (Tea)."),
        ("\n\nHuman: Tea;", "\n\nHuman: Tea; "),
    ],
)
def test_a_text_with_one_place_to_change_is_changed_there(text, changed):
    assert change_surface(text) == changed


def test_a_text_without_letters_or_digits_has_no_surface_to_change():
    for empty in ("", "\n\nHuman:", "\n\nHuman: ?!\n\nAssistant: ;"):
        assert change_surface(empty) is None


def test_code_and_addresses_are_left_alone():
    text = "\n\nHuman: See https://a.example/it's.\n    x = 'a'...\nDon't you think so"
    changed = change_surface(text)
    assert changed is not None
    assert changed.startswith("\n\nHuman: See https://a.example/it's.\n    x = 'a'...\n")
    assert tokens(changed) == tokens(text)


def test_the_same_text_always_gets_the_same_change():
    text = "\n\nHuman: I don't... know. It's \"odd\" - isn't it? Yes! No."
    assert change_surface(text) == change_surface(text)
    more = [change_surface(f"{text} And {n}.") for n in range(20)]
    starts = {str(changed)[: len(text) - 4] for changed in more}
    # Other texts draw other coins.
    assert len(starts) > 5


MARKS = st.sampled_from(
    [" ", "  ", ". ", "... ", "…", "?", "! ", '"', "'", "’", "“", " - ", "–", "--", ", ", "\n", ")"]
)
SAID = st.lists(st.one_of(st.sampled_from(["tea", "3", "Human:", "don't"]), MARKS), max_size=12)
TEXTS = st.lists(st.tuples(st.sampled_from(["Human", "Assistant"]), SAID.map("".join)), max_size=4)


@given(TEXTS.map(lambda turns: "".join(f"\n\n{role}:{said}" for role, said in turns)) | st.text())
def test_words_and_roles_stay_and_something_changes(text):
    changed = change_surface(text)
    said = [Dialogue(text).preamble, *(turn.content for turn in Dialogue(text).turns)]
    if changed is None:
        assert not any(tokens(part) for part in said)
        return
    assert changed != text
    assert tokens(changed) == tokens(text) and roles(changed) == roles(text)


def test_hostile_texts_keep_their_words():
    for text in hostile.texts("http://leak.example"):
        changed = change_surface(f"\n\nHuman: {text}")
        assert changed is not None and tokens(changed) == tokens(f"\n\nHuman: {text}")
