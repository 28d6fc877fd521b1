"""The owner's tabs Agreement and Settle, reviews on Pairs, and the stage on Home."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.listed import listed
from given.made_labellings import FIRST, REFUSAL, SECOND, SENTIMENT, Labellings, four_pairs
from given.made_reviews import Said
from given.made_runs import finished, spec_of_file

from ivan_core.domain.reviews import BETTER, Item
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets
from ivan_core.review.settle import decide, letters

REVIEW = "pages/review.py"
HOSTILE = "<img src=x> **b** :red[r] $x$"


@pytest.fixture
def run_id(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Four pairs that two labelers have labelled and two models judged."""
    file = four_pairs(tmp_path)
    labellings = Labellings(data_dir, file, monkeypatch)
    labellings.made("first", FIRST)
    labellings.made("second", SECOND)
    return finished(data_dir, spec_of_file(file))


@pytest.fixture
def said(run_id: str, data_dir: Path, tmp_path: Path) -> Said:
    found = datasets.find(DatasetRequest(source=str(tmp_path / "four.jsonl")))
    assert found is not None
    return Said(data_dir, found.fingerprint)


def tab(page, name: str):
    page.app.segmented_control(key="review-view").set_value(name)
    page.run()
    return page


def test_nobody_yet(said, open_page):
    page = tab(open_page(REVIEW), "Agreement")
    assert "Nobody has judged a random item of this dataset blind yet." in page.said
    assert "review-page-False" not in {one.key for one in page.app.get("download_button")}
    page = tab(page, "Settle")
    assert "There is nothing to settle" in page.said


def test_who_chooses_as_the_reviewers_do(said, open_page, run_id):
    queue = said.pairs(4)
    said.choose(queue, "Ada", {0: "chosen", 1: "chosen", 2: "rejected", 3: "chosen"})
    said.choose(queue, HOSTILE, {0: "chosen", 1: "chosen", 2: "chosen"})
    page = tab(open_page(REVIEW), "Agreement")
    assert (
        "2 people judged items drawn at random" in page.said and "7 opinions in all." in page.said
    )
    assert "review-page-False" in {one.key for one in page.app.get("download_button")}
    told = "Two people gave the same answer in 2 of 3 pairs (67% [21, 94]): too few to say more."
    assert told in page.said
    (fold,) = [one for one in page.app.expander if one.label == "Numbers for the paper"]
    assert any(
        "Krippendorff" in one.proto.body or "kappa" in one.proto.body for one in fold.get("html")
    )
    assert "On 7 random pairs" not in page.said
    assert "On 4 random pairs somebody chose a second time" in page.said
    # The reviewers among themselves differ on row 2 alone.
    assert page.app.selectbox(key="review-who").label == "Pairs judged by"
    assert len(listed(page.app)) == 1
    page.app.selectbox(key="review-who").set_value("choice::the recorded choice").run()
    page.run()
    assert page.app.query_params["who"] == "choice::the recorded choice"
    assert "The recorded choice and the reviewers agree on 3 of 3 pairs (100%" in page.said
    assert "No pair here." in page.said


def test_answers_in_under_a_second_are_listed_and_counted_only_when_asked_for(said, open_page):
    queue = said.pairs(4)
    said.choose(queue, "Ada", {0: "chosen", 1: "chosen"})
    said.choose(queue, HOSTILE, {0: "chosen"})
    said.choose(queue, HOSTILE, {1: "rejected"}, seconds=0.6)
    page = tab(open_page(REVIEW), "Agreement")
    assert (
        "2 people judged items drawn at random" in page.said and "3 opinions in all." in page.said
    )
    assert "Kept but in no rate: 1 given in under a second." in page.said
    quick = page.app.dataframe[0].value
    assert quick[["Pair", "Who", "Seconds"]].values.tolist() == [[1, HOSTILE, 0.6]]
    page.app.toggle(key="review-leave-quick").set_value(False)
    page.run()
    assert (
        "2 people judged items drawn at random" in page.said and "4 opinions in all." in page.said
    )
    assert "Counted although given in under a second: 1." in page.said
    assert "leave them out all the same" in page.said


def test_a_link_opens_the_texts_of_a_question_and_one_leads_to_its_pair(said, open_page, run_id):
    queue = said.queue([(row, "chosen") for row in range(4)], (REFUSAL, SENTIMENT))
    for row in range(4):
        said.say(queue, "Ada", row, "chosen", {REFUSAL: row < 2, SENTIMENT: "neutral"})
        said.say(queue, "Bob", row, "chosen", {REFUSAL: row < 1, SENTIMENT: "neutral"})
    query = {"question": REFUSAL, "listed": "1.chosen"}
    page = tab(open_page(REVIEW, **query), "Agreement")
    assert "Of the 2 texts either called “Refusal”, both did in 1 (50%, 95%" in page.said
    assert "Too few to say more: the rarer answer was given to fewer than 20 texts." in page.said
    table = listed(page.app)
    assert table[["Pair", "Side", "Ada", "Bob"]].values.tolist() == [[1, "chosen", "yes", "no"]]
    assert "Pair 1, the chosen reply" in page.said and "I can't help with 1." in page.said
    assert any(f"run={run_id}&row=1" in link for link in page.links.values())
    page.app.selectbox(key="review-who").select("first")
    page.run()
    # Of rows 0, 2 and 3 (on 1 they differ) first says yes, no, yes; the reviewers yes, no, no.
    assert "first and the reviewers gave the same answer on Refusal in 2 of 3 texts" in page.said


def test_what_differs_is_settled_beside_what_people_said(said, open_page, data_dir, run_id):
    queue = said.pairs(4)
    said.choose(queue, "Ada", {0: "chosen", 1: "none"}, note=HOSTILE)
    said.choose(queue, "Bob", {0: "rejected", 1: "rejected"})
    page = tab(open_page(REVIEW), "Settle")
    assert "People differ on 2 items; 2 to settle." in page.said
    assert f"Ada noted: {HOSTILE}" in page.said
    assert "Type your name to settle it." in page.said
    assert "recorded choice" not in page.said and "the chosen reply" not in page.said
    assert "minilm" not in page.said and "is shown once this is settled" in page.said
    page.app.text_input(key="name-typed").set_value("Cem")
    page.run()
    row = page.app.selectbox(key=f"settle-item-{queue.id}").value.partition(".")[0]
    where = f"{queue.id}-{row}-both-{BETTER}"
    page.press(f"settle-press-{where}")
    assert "Nothing was chosen" in page.said
    worse = letters(queue, Item(queue.id, 0, int(row)))["rejected"]
    page.app.segmented_control(key=f"settle-answer-{where}").set_value(f"{worse} is better")
    page.app.text_input(key=f"settle-reason-{where}").set_value("it answers")
    page.press(f"settle-press-{where}")
    assert f"Settled pair {row} as the rejected reply, by Cem." in page.said
    assert "People differ on 2 items; 1 to settle." in page.said
    page.app.segmented_control(key="settle-state").set_value("settled")
    page.run()
    assert "because: it answers" in page.said and "by Cem" in page.said
    assert "the recorded choice" in page.said and "the chosen reply" in page.said
    assert "is shown once this is settled" not in page.said


def test_a_decision_that_somebody_else_took_meanwhile_is_shown_and_nothing_lost(
    said, open_page, data_dir
):
    queue = said.pairs(4)
    said.choose(queue, "Ada", {0: "chosen"}, note="A is kinder.", left="chosen")
    said.choose(queue, "Bob", {0: "rejected"}, note="A is kinder.", left="rejected")
    page = tab(open_page(REVIEW), "Settle")
    page.app.text_input(key="name-typed").set_value("Cem")
    page.run()
    page.app.segmented_control(key="settle-state").set_value("all")
    page.run()
    where = f"{queue.id}-0-both-{BETTER}"
    named = letters(queue, Item(queue.id, 0, 0))
    better = named["chosen"]
    left = next(side for side, letter in named.items() if letter == "A")
    other = " (A and B stood the other way round for {}.)"
    for person, ours in (("Ada", left == "chosen"), ("Bob", left == "rejected")):
        told = f"{person} noted: A is kinder."
        assert told in page.said and (told + other.format(person) in page.said) != ours
    told = "1 said A, 1 said B." if better == "A" else "1 said B, 1 said A."
    assert f"Which reply is better: {told}" in page.said
    page.app.segmented_control(key=f"settle-answer-{where}").set_value(f"{better} is better")
    page.app.text_input(key=f"settle-reason-{where}").set_value("my words")
    decide(Item(queue.id, 0, 0, "both"), BETTER, "rejected", "Dan", "mine", 0)
    page.press(f"settle-press-{where}")
    assert "This question was settled in another window meanwhile." in page.said
    assert "Dan settled it as the rejected reply because: mine." in page.said
    assert page.app.text_input(key=f"settle-reason-{where}").value == "my words"
    page.press(f"settle-press-{where}")
    assert "Settled pair 0 as the chosen reply, by Cem." in page.said


def test_reviews_stand_with_their_pair_and_home_counts_them(said, open_page, run_id):
    queue = said.pairs(4)
    said.choose(queue, "Ada", {1: "chosen"}, note=HOSTILE)
    said.choose(queue, "Bob", {1: "rejected"})
    decide(Item(queue.id, 0, 1, "both"), BETTER, "chosen", "Cem", "why not", 0)
    page = open_page("pages/pairs.py", run=run_id, row="1")
    assert f"Ada noted: {HOSTILE}" in page.said
    assert "Cem settled “Which reply is better?” because: why not" in page.said
    page = open_page("pages/pairs.py", run=run_id, row="1", guess="1", name="Eve")
    assert "Ada" not in page.said
    page = open_page("pages/pairs.py", run=run_id, row="2")
    assert "Ada" not in page.said
    home = open_page("streamlit_app.py")
    assert "of 4 items answered" in home.said and "not in this version" not in home.said
    assert any(link.startswith("review?") for link in home.links.values())
