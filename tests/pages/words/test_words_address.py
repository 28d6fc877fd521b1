"""A ranking of words has an address, which shows what is kept and has nothing scored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.warm import ONE, asked_model
from given.words.scored_words import LIST, asked, keep

from ivan_core.engine import access
from ivan_core.engine.access import Visitor
from ivan_core.runs.questions import Questions
from ivan_core.words import asking
from ivan_core.words.asking import Asked
from ivan_core.words.word_list import bundled

PAGE = "pages/words.py"
NOT_KEPT = "The ranking that this address names is not kept here."
NOT_LISTED = "The word that this address names is not in the list."
RHO = "their rank correlation is +0.60 (Spearman's rho, n = 5 words)."
"""Of the rewards 5 4 3 2 1 and 4 5 1 3 2, which are their own ranks and differ by 1 1 2 1 1:
1 - 6 * (1 + 1 + 4 + 1 + 1) / (5 * 24) = 0.6."""
NAMES = ("control", "harmless")
Opened = Callable[..., Any]


@pytest.fixture
def key(data_dir: Path) -> str:
    """The key of a kept ranking of a list of one's own."""
    return keep(asked(), [5, 4, 3, 2, 1], [4, 5, 1, 3, 2]).asked.key


@pytest.fixture
def first(data_dir: Path) -> None:
    """What everybody sees first is kept: a correlation of 1."""
    n = len(bundled())
    keep(asking.demo(), [float(i) for i in range(n)], [float(i) for i in range(n)])


def be(monkeypatch: pytest.MonkeyPatch, visitor: Visitor) -> None:
    """Ask as somebody else than the local user from now on."""
    import pages.components.kit.frame  # noqa: F401  it says who asks, once

    monkeypatch.setattr(access, "_provider", lambda: visitor)


def field(page: Any) -> Any:
    (found,) = (one for one in page.app.text_input if one.label == "Where does a word stand?")
    return found


def test_a_ranking_that_was_asked_for_is_shown_again_by_its_address(
    key: str, first: None, open_page: Opened, spawned: list[Questions]
) -> None:
    page = open_page(PAGE)
    assert "ranking" not in page.app.query_params
    page.app.text_area(key="words-own").set_value("\n".join(LIST))
    page.press("words-ask")
    assert page.app.query_params["ranking"] == key and RHO in page.said
    other = open_page(PAGE, ranking=key)
    assert RHO in other.said and "The list: 5 words of one's own." in other.said
    assert other.app.text_area(key="words-own").value == "\n".join(LIST)
    assert other.buttons["words-ask"] == "Rank my words"
    assert not spawned


def test_a_new_form_begins_with_what_the_address_shows(
    data_dir: Path, open_page: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, harmless = (asking.models_here()[f"ivan/minilm-{name}"] for name in NAMES)
    known = {model.name: model for model in (harmless, control, ONE, asked_model("fake/two"))}
    monkeypatch.setattr(asking, "models_here", lambda: known)
    question = Asked(models=(ONE, control), prompt="Best of all?", own=LIST)
    page = open_page(PAGE, ranking=keep(question, [5, 4, 3, 2, 1], [4, 5, 1, 3, 2]).asked.key)
    assert page.app.text_input(key="words-prompt").value == "Best of all?"
    chosen = [page.app.selectbox(key=f"words-{place}").value for place in ("first", "second")]
    assert chosen == ["fake/one", "ivan/minilm-control"]
    assert "The question:" not in page.said, "the form says it"
    page.app.text_input(key="words-prompt").set_value("Worst of all?").run()
    assert "The question: “Best of all?”" in page.said and RHO in page.said
    page.press("words-ask")
    assert "0 of 5 texts" in page.said
    del known["fake/one"]  # as by deleting the run that it judged
    page.run()
    assert page.app.selectbox(key="words-first").value in known


def test_links_to_the_page_lead_back_to_what_was_asked_for(key: str, open_page: Opened) -> None:
    page = open_page(PAGE)
    assert "ranking" not in page.links["Words"]
    page.app.text_area(key="words-own").set_value("\n".join(LIST))
    page.press("words-ask")
    assert page.links["Words"].endswith(f"?ranking={key}")


def test_an_address_follows_what_this_session_asked_for_and_asks_nothing_itself(
    data_dir: Path, open_page: Opened, spawned: list[Questions]
) -> None:
    page = open_page(PAGE)
    page.app.text_area(key="words-own").set_value("\n".join(LIST))
    page.press("words-ask")
    assert len(spawned) == 1 and "0 of 5 texts" in page.said
    assert NOT_KEPT in open_page(PAGE, ranking=asked().key).said
    assert len(spawned) == 1
    keep(asked(), [5, 4, 3, 2, 1], [4, 5, 1, 3, 2])
    page.run()
    assert RHO in page.said


@pytest.mark.parametrize(
    "named",
    ["0" * 16, "0123456789abcdeg", "../../secret", "<b>x</b>", "½" * 16, "x" * 5_000, "a\0b", " "],
)
def test_an_address_of_nothing_is_told_and_the_page_is_as_ever(
    named: str, first: None, open_page: Opened, spawned: list[Questions]
) -> None:
    page = open_page(PAGE, ranking=named)
    assert f"{NOT_KEPT}\nRank its words again." in page.said
    assert not set(named.split()) & set(page.said.split())
    assert "their rank correlation is +1.00" in page.said and "words-ask" in page.buttons
    assert not spawned


@pytest.mark.parametrize("stranger", ["", "somebody"])
def test_a_visitor_sees_kept_rankings_alone(
    stranger: str,
    key: str,
    first: None,
    open_page: Opened,
    spawned: list[Questions],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    be(monkeypatch, Visitor(local=False, stranger=stranger))
    page = open_page(PAGE, ranking=key, word="joy")
    assert RHO in page.said and NOT_LISTED in page.said
    field(page).set_value("joy").run()
    assert "“joy” is not in this list." in page.said
    unkept = open_page(PAGE, ranking=asked(("joy", "mud")).key)
    assert NOT_KEPT in unkept.said and "Rank its words again." not in unkept.said
    assert "their rank correlation is +1.00" in unkept.said
    for shown in (page, unkept):
        assert "words-ask" not in shown.buttons
        assert ("install IVAN on a machine of your own" in shown.said) is bool(stranger)
        assert ("for the owner of this server" in shown.said) is not stranger
    assert not spawned


def test_a_question_that_no_model_read_is_nobodys_to_see(
    data_dir: Path, open_page: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = keep(asked(prompt="Which is my password?"), [5, 4, 3, 2, 1], [4, 5, 1, 3, 2])
    be(monkeypatch, Visitor(local=False))
    page = open_page(PAGE, ranking=found.asked.key)
    assert f"The question: “{asking.PROMPT}”" in page.said and "password" not in page.said


def test_the_word_looked_up_stands_in_the_address(key: str, open_page: Opened) -> None:
    page = open_page(PAGE, ranking=key, word="MUD")
    assert field(page).value == "mud" and "“mud” is no. 4 of 5 with" in page.said
    field(page).set_value("Peace").run()
    assert page.app.query_params["word"] == "peace"
    assert "“peace” is no. 2 of 5 with" in page.said
    page.app.query_params["word"] = "war"  # as by the browser's Back
    page.run()
    assert field(page).value == "war" and "“war” is no. 5 of 5 with" in page.said


def test_a_word_that_is_not_in_the_list_is_scored_when_typed_and_not_by_an_address(
    key: str, open_page: Opened, spawned: list[Questions]
) -> None:
    page = open_page(PAGE, ranking=key, word="<i>joy</i>")
    assert NOT_LISTED in page.said and field(page).value == "love" and "joy" not in page.said
    assert not spawned
    field(page).set_value("joy").run()
    assert len(spawned) == 1 and "0 of 1 texts" in page.said
    assert "word" not in page.app.query_params and NOT_LISTED not in page.said
