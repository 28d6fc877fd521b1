"""The page Words: nothing is ranked unasked, what is ranked is read at a glance, visitors look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from given.words.scored_words import LIST, asked, keep

from ivan_core.engine import access
from ivan_core.engine.access import Visitor
from ivan_core.runs.questions import Questions
from ivan_core.words import asking
from ivan_core.words.word_list import bundled

PAGE = "pages/words.py"
Opened = Callable[..., Any]


def ask_for(page: Any, text: str) -> None:
    page.app.text_area(key="words-own").set_value(text)
    page.press("words-ask")


def html(page: Any) -> str:
    return "\n".join(one.body for one in page.app.get("html"))


def test_nothing_is_ranked_unasked_and_a_press_can_be_taken_back(
    data_dir: Path, open_page: Opened, spawned: list[Questions]
) -> None:
    page = open_page(PAGE)
    assert "If the whole reply were one word" in page.said and "A teaser" in page.said
    assert page.buttons["words-ask"] == "Rank 16,296 words"
    assert page.app.text_input(key="words-prompt").value == asking.PROMPT
    assert not spawned and "Likes best" not in html(page)
    page.press("words-ask")
    assert len(spawned) == 1 and "0 of 16,296 texts" in page.said
    (cancel,) = (key for key in page.buttons if key.startswith("words-cancel-"))
    page.press(cancel)
    assert "Stopped before the rewards were there." in page.said
    page.press("words-ask-again")
    assert "0 of 16,296 texts" in page.said


def test_what_everybody_sees_first_is_there_at_once_where_it_is_kept(
    data_dir: Path, open_page: Opened, spawned: list[Questions]
) -> None:
    n = len(bundled())
    keep(asking.demo(), [float(-i) for i in range(n)], [float(i) for i in range(n)])
    read = asking._read.cache_info()
    page = open_page(PAGE)
    now = asking._read.cache_info()
    assert now.hits + now.misses == read.hits + read.misses + 1, "it is looked up once"
    best, worst = bundled()[0], bundled()[-1]
    assert f'title="No. 1 here, no. {n:,} with the other model">{best}</li>' in html(page)
    assert f'title="No. {n:,} here, no. 1 with the other model">{worst}</li>' in html(page)
    assert html(page).count("<li ") == 4 * 50
    assert "their rank correlation is −1.00 (Spearman's rho, n = 16,296 words)." in page.said
    assert "193 words that are crude or name a group of people" in page.said
    assert f"“love” is no. {bundled().index('love') + 1:,} of {n:,} with" in page.said
    assert "has no interval" in page.said and "MiniLM" in page.said
    assert not spawned


def test_a_list_of_ones_own_is_ranked_and_shown_whole(
    data_dir: Path, open_page: Opened, spawned: list[Questions]
) -> None:
    hostile = (*LIST, "<b>bold</b>")
    keep(asked(hostile), [3, 2, 1, 0, -1, 9], [1, 3, 2, 0, 7, 9])
    page = open_page(PAGE)
    ask_for(page, "\n".join(hostile))
    assert not spawned
    # Of six each end has three, the outermost first.
    words = ["&lt;b&gt;bold&lt;/b&gt;", "love", "peace", "war", "mud", "cheese"]
    shown = [line.rpartition(">")[2] for line in html(page).split("</li>")[:6]]
    assert shown == words
    assert "<b>bold" not in html(page).replace("<i><b", "")
    assert "The list: 6 words of one's own." in page.said and "crude" not in page.said
    assert "read the reply alone: whatever the question" in page.said
    (where,) = (one for one in page.app.text_input if one.label == "Where does a word stand?")
    where.set_value("Peace").run()
    assert "“peace” is no. 3 of 6 with ivan/minilm-harmless" in page.said
    where.set_value("joy").run()
    assert len(spawned) == 1 and "0 of 1 texts" in page.said
    found = Questions(data_dir).next()
    assert found is not None and [text.reply for text in found[2]] == ["joy"]


def test_a_list_that_is_none_is_refused_and_what_was_shown_stays(
    data_dir: Path, open_page: Opened
) -> None:
    keep(asked(), [3, 2, 1, 0, -1], [1, 3, 2, 0, 7])
    page = open_page(PAGE)
    ask_for(page, "\n".join(LIST))
    ask_for(page, "alone")
    assert "The list holds 1 word, and a ranking needs two." in page.said
    assert "The list: 5 words of one's own." in page.said


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_visitor_sees_what_is_kept_and_has_no_form(
    data_dir: Path,
    open_page: Opened,
    spawned: list[Questions],
    monkeypatch: pytest.MonkeyPatch,
    is_kept: bool,
) -> None:
    import pages.components.kit.frame  # noqa: F401  it says who asks, once

    if is_kept:
        n = len(bundled())
        keep(asking.demo(), [float(i) for i in range(n)], [float(i) for i in range(n)])
    monkeypatch.setattr(access, "_provider", lambda: Visitor(local=False))
    page = open_page(PAGE)
    assert "words-ask" not in page.buttons
    assert ("Likes best" in html(page)) is is_kept
    for where in page.app.text_input:
        where.set_value("zyzzyva").run()
        assert "“zyzzyva” is not in this list." in page.said
    assert not spawned
    assert (f"The question: “{asking.PROMPT}”" in page.said) is is_kept
    assert "To rank words is for the owner of this server." in page.said
    assert ("No words were ranked here yet." in page.said) is not is_kept
