"""Word differences on the page: found once for a pair of texts, and said where there are none."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
import streamlit as st
from streamlit.testing.v1 import AppTest

from ivan_core.metrics.differences import word_differences
from pages.components.pair import replies


def _pair(chosen: str, rejected: str) -> None:
    from ivan_core.domain.pairs import Pair
    from ivan_core.domain.transcripts import Dialogue
    from pages.components.pair.replies import show_pair

    asked = "\n\nHuman: Well?\n\nAssistant: "
    show_pair(Pair(0, Dialogue(asked + chosen), Dialogue(asked + rejected)), True, {})


def test_a_rerun_does_not_compare_again(monkeypatch):
    compared = []

    def counted(left: str, right: str):
        compared.append((left, right))
        return word_differences(left, right)

    monkeypatch.setattr(replies, "word_differences", counted)
    st.cache_data.clear()
    page = AppTest.from_function(
        _pair, args=("I like red apples.", "I like green apples."), default_timeout=300
    ).run()
    page.run()
    assert compared == [("I like red apples.", "I like green apples.")]
    shown = " ".join(html.body for html in page.get("html"))
    assert ">red</ins> apples." in shown
    assert ">green</ins> apples." in shown


def test_replies_that_are_not_compared_are_shown_with_a_sentence():
    texts = ("a a b " * 600, "a b b " * 600)
    page = AppTest.from_function(_pair, args=texts, default_timeout=300).run()
    shown = [html.body for html in page.get("html")]
    assert any(replies.NOT_COMPARED in body for body in shown)
    assert not any("<ins" in body for body in shown)
    assert any(("a a b " * 600).strip() in body for body in shown)


def test_where_most_words_differ_none_is_marked_and_a_sentence_says_so():
    page = AppTest.from_function(
        _pair, args=("Never do that.", "Take the bus to town."), default_timeout=300
    ).run()
    shown = " ".join(html.body for html in page.get("html"))
    assert "100% of the words differ, so none are marked." in shown and "<ins" not in shown
