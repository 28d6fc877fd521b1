"""Text that nobody vouches for, on its way into labels and sentences."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from given import hostile

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from streamlit.testing.v1 import AppTest

from ivan_core.domain.words import short_names
from pages.components.kit.text import md_escape, say

JOINER = "\u2060"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain words, 12 of 13", "plain words, 12 of 13"),
        ("*a* _b_", r"\*a\* \_b\_"),
        ("![x](y)", r"\!\[x\]\(y\)"),
        ("<b>", r"\<b\>"),
        ("$x$ ~y~ `z`", r"\$x\$ \~y\~ \`z\`"),
        ("a\n# b\t c", r"a \# b c"),
        (":red[x]", rf"\:{JOINER}red\[x\]"),
        (":smile:", rf"\:{JOINER}smile\:"),
        ("a -> b", rf"a \-{JOINER}\> b"),
        ("a -- b", rf"a \-{JOINER}\- b"),
        ("at 12: noon", r"at 12\: noon"),
        ("a@b.co", rf"a\@{JOINER}b\.co"),
        ("www.x.y", rf"www{JOINER}\.x\.y"),
    ],
)
def test_a_label_takes_every_character_at_its_word(text, escaped):
    assert md_escape(text) == escaped


def _say_it(text: str) -> None:
    from pages.components.kit.text import say

    say(text)


@pytest.mark.parametrize("text", hostile.texts("http://nowhere"))
def test_a_sentence_holds_no_markup_but_its_own(text):
    page = AppTest.from_function(_say_it, args=(text,), default_timeout=300).run()
    body = page.get("html")[0].body
    inside = body.removeprefix(body[: body.index(">") + 1]).removesuffix("</p>")
    assert "<" not in inside
    assert ">" not in inside


def test_a_sentence_knows_its_sizes():
    with pytest.raises(KeyError):
        say("x", "enormous")


def test_short_names_drop_what_all_can_do_without():
    models = ("org/one", "ivan/two", "/some/folder/three")
    assert list(short_names(models).values()) == ["one", "two", "three"]


def test_names_that_would_be_the_same_stay_whole():
    assert short_names(("a/rm", "b/rm", "c/x")) == {"a/rm": "a/rm", "b/rm": "b/rm", "c/x": "x"}


def test_a_name_that_ends_in_a_slash_stays_a_name():
    assert short_names(("folder/",)) == {"folder/": "folder/"}
