"""Guess first: the URL keeps the switch and the name, and links carry both."""

from __future__ import annotations

import pytest
from given import made_runs

from ivan_core.annotations.notes import Reviews
from ivan_core.experiments.compare.results import open_results
from ivan_core.review.marks import left_side

COMPARE = "pages/compare.py"
PAIRS = "pages/pairs.py"
HOSTILE = "<img src=x> **b** :red[r]"


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))


def turn(page, on: bool) -> None:
    page.app.toggle(key="guess-first").set_value(on)
    page.run()


def test_the_switch_and_the_name_stand_in_the_url(run_id, open_page):
    page = open_page(PAIRS, run=run_id, row="3")
    turn(page, True)
    assert page.app.query_params["guess"] == "1"
    assert "Type your name below" in page.said
    page.app.text_input(key="name-typed").set_value(" Ada ")
    page.run()
    assert page.app.query_params["name"] == "Ada"
    assert "You guess as Ada." in page.said and "Which reply is better?" in page.said
    turn(page, False)
    assert "guess" not in page.app.query_params and "name" not in page.app.query_params
    assert "A · chosen" in page.said


def test_a_reload_asks_for_nothing_again(run_id, open_page, data_dir):
    page = open_page(PAIRS, run=run_id, row="3", guess="1", name="Ada")
    assert page.app.toggle(key="guess-first").value
    page.press("guess-A")
    assert "pair 3 of 480" in page.said
    dataset = open_results(run_id).dataset.fingerprint
    assert [guess.name for guess in Reviews(data_dir).guesses(dataset)] == ["Ada"]
    again = open_page(PAIRS, run=run_id, row="3", guess="1", name="Ada")
    assert "pair 3 of 480" in again.said and "1 of 10 guessed." in again.said


def test_links_carry_the_switch_and_the_name_and_compare_hands_them_on(run_id, open_page):
    page = open_page(PAIRS, run=run_id, row="3", guess="1", name="Ada")
    page.run()
    assert "guess=1&name=Ada" in page.links["Compare"]
    page = open_page(COMPARE, run=run_id, guess="1", name="Ada", subset="harmless")
    page.run()
    assert {"guess=1", "name=Ada", "subset=harmless"} <= set(
        page.links["Pairs"].partition("?")[2].split("&")
    )


def test_who_is_not_the_person_of_the_link_gives_another_name(run_id, open_page):
    page = open_page(PAIRS, run=run_id, row="3", guess="1", name="Ada")
    page.press("other-name")
    assert "Type your name below" in page.said
    assert page.app.query_params["guess"] == "1" and "name" not in page.app.query_params


def test_a_hostile_or_endless_name_is_a_name(run_id, open_page):
    page = open_page(PAIRS, run=run_id, row="3", guess="1", name=HOSTILE)
    assert f"You guess as {HOSTILE}." in page.said
    page = open_page(PAIRS, run=run_id, row="3", guess="1", name="a  b" * 100)
    assert f"You guess as {('a b' * 100)[:60]}." in page.said
    page.press("guess-none")
    assert "pair 3 of 480" in page.said


@pytest.mark.parametrize("press", ["A", "B", "none"])
def test_after_a_guess_it_is_said_which_reply_was_picked(run_id, open_page, press):
    page = open_page(PAIRS, run=run_id, row="3", guess="1", name="Ada")
    dataset = open_results(run_id).dataset.fingerprint
    picked = {"A": left_side(dataset, 3, "Ada"), "none": None}
    picked["B"] = "rejected" if picked["A"] == "chosen" else "chosen"
    page.press(f"guess-{press}")
    words = f"You picked the {picked[press]} reply" if picked[press] else "You saw no difference."
    assert words in page.said
