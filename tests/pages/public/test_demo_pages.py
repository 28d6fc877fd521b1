"""The pages of a demo: they show what is there, run nothing, ask for no name and keep nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from given.made_runs import finished, spec_of_file

from ivan_core.annotations import apart
from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.domain.reviews import Queue
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import handling as runs
from ivan_core.engine.access import LOCAL, Visitor
from ivan_core.engine.studies import About
from pages.components.kit import sent_page
from pages.components.public import pace
from pages.components.public.pace import Bucket, Busy, Pace

PAGES = ("analysis", "compare", "pairs", "review", "rewrite", "runs", "taxonomy", "handbook")
SESSION = "test session id"
"""What Streamlit's test runner calls each of its sessions."""
TOLD = "A demo to look around in: nothing runs here."


@pytest.fixture(autouse=True)
def demo(
    data_dir: Path, pairs_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A data folder with one finished run and a queue on its pairs, of which a demo is made."""
    run_id = finished(data_dir, spec_of_file(pairs_file))
    dataset = runs.manifest(run_id)["dataset"]["fingerprint"]  # type: ignore[index]
    asked = Queue(0, "", dataset, "a queue", "better", "random")
    Queues(data_dir).make(asked, [(5, "both"), (3, "both")])
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr(apart, "_folder", lambda: tmp_path / "copies")
    monkeypatch.setattr(pace, "PACE", Pace())
    monkeypatch.setenv("IVAN_PUBLIC", "1")
    yield run_id


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_it_is(page: str, demo: str, open_page):
    said = open_page(f"pages/{page}.py", run=demo).said
    assert said.startswith(TOLD)


def test_home_shows_the_study_and_offers_nothing_of_ones_own(open_page):
    home = open_page()
    assert home.said.startswith(TOLD)
    assert home.app.title[0].value == "What do 40 pairs of pairs\\.jsonl show?"
    assert home.app.text_input == [] and home.app.get("file_uploader") == []


@pytest.mark.parametrize("page", ["compare", "rewrite", "taxonomy"])
def test_a_form_says_how_it_is_done_at_home_where_its_button_would_be(page, open_page):
    opened = open_page(f"pages/{page}.py", form="new")
    assert opened.said.count("Here things are only read. To do this yourself, get IVAN") == 1
    assert opened.buttons == {}


def test_an_invitation_asks_for_no_name_and_nothing_is_kept(open_page, data_dir, monkeypatch):
    (queue,) = Queues(data_dir).all()
    page = open_page("pages/review.py", invite=queue.token)
    assert page.app.text_input == []
    assert "no name is asked for, and what you answer is thrown away" in page.said
    assert "the same link goes on" not in page.said
    page.press("review-start")
    first = next(key for key, label in page.buttons.items() if label.startswith("A is better"))
    page.press(first)
    said = {}
    for who in (SESSION, "another", ""):
        monkeypatch.setattr(apart, "_asking", lambda who=who: who)
        said[who] = [one.reviewer for one in Opinions(data_dir).all(queue.id)]
    assert said == {SESSION: ["Visitor"], "another": [], "": []}


def test_a_guess_is_made_without_a_name(demo, open_page):
    page = open_page("pages/pairs.py", run=demo, row="3", guess="1")
    assert "You guess as Visitor." in page.said
    assert "other-name" not in page.buttons
    page.press("guess-A")
    assert "1 of 10 guessed." in page.said


def test_too_many_pages_are_not_drawn(open_page, monkeypatch):
    slow = Pace(clock=lambda: 0.0)
    monkeypatch.setattr(pace, "PACE", slow)
    page = open_page("pages/runs.py")
    said = ""
    for _ in range(41):
        page.run()
        said = page.said
    assert said.startswith("This demo is asked for more than it does at a time.")
    assert "Wait a few seconds" in said and not page.links


def test_a_bucket_fills_at_its_pace():
    bucket = Bucket(most=2.0, a_second=0.5, content=2.0, at=0.0)
    assert [bucket.take(1.0, now) for now in (0.0, 0.0, 0.0, 1.0, 2.0, 2.0)] == [
        True,
        True,
        False,
        False,
        True,
        False,
    ]
    assert [bucket.take(1.0, now) for now in (100.0, 100.0, 100.0)] == [True, True, False]


def test_who_comes_with_many_sessions_empties_what_all_share():
    shared = Pace(clock=lambda: 0.0)
    for number in range(240):
        shared.require(f"session {number}")
    with pytest.raises(Busy):
        shared.require("one more")


def test_a_file_costs_more_than_a_page(monkeypatch):
    made: list[str] = []
    slow = Pace(clock=lambda: 0.0)
    monkeypatch.setattr(pace, "PACE", slow)
    monkeypatch.setattr(pace.access, "asking", lambda: Visitor(False, stranger="one"))
    make = pace.paced(lambda: made.append("a file"))
    monkeypatch.setattr(pace.access, "asking", lambda: Visitor(False, stranger="nobody"))
    for _ in range(4):
        make()
    with pytest.raises(Busy):
        make()
    assert len(made) == 4
    monkeypatch.setattr(pace.access, "asking", lambda: LOCAL)
    for _ in range(9):
        pace.paced(lambda: made.append("a file"))()
    assert len(made) == 13


def test_the_page_of_a_study_costs_as_much_as_three_files(monkeypatch):
    monkeypatch.setattr(pace, "PACE", Pace(clock=lambda: 0.0))
    monkeypatch.setattr(pace.access, "asking", lambda: Visitor(False, stranger="one"))
    monkeypatch.setattr(sent_page, "_made", lambda named, texts: b"")
    made = []
    monkeypatch.setattr(sent_page.st, "download_button", lambda *told, **_: made.append(told[1]))
    sent_page.study_to_send(About("id", "sample", "fingerprint", 4, RowsSpec()), "here")
    made[0]()
    sent_page.told_to_send("words-key", "there")
    made[1]()
    with pytest.raises(Busy):
        made[1]()


def test_a_file_for_another_tool_is_made_at_the_pace_of_downloads(demo, open_page, monkeypatch):
    page = open_page("pages/compare.py", run=demo)
    page.unfold("other-tools")
    assert not [one for one in page.app.code if one.value.startswith("ivan publish")]
    monkeypatch.setattr(pace, "PACE", Pace(clock=lambda: 0.0))
    said = []
    for _ in range(4):
        page.app.button(key="other-tools-make").click()
        page.run()
        said.append(page.said)
    assert "pairs written." in said[0]
    assert "This demo is asked for more than it does at a time." in said[-1]


def test_a_page_without_a_run_shows_the_newest_and_its_form_when_asked(demo, open_page):
    page = open_page("pages/compare.py")
    assert f"run {demo}" in page.said
    page.press("new")
    assert f"run {demo}" not in page.said
    assert page.app.multiselect(key="form-models").value
    assert f"run {demo}" in open_page("pages/compare.py").said


def test_questions_to_models_are_offered_where_they_are_allowed(demo, open_page, monkeypatch):
    shut = open_page("pages/pairs.py", run=demo, row="3", marked="ivan/minilm-harmless")
    assert "moved-ask" not in shut.buttons and "own-ask" not in shut.buttons
    assert "not part of this demo" not in shut.said
    monkeypatch.setenv("IVAN_PUBLIC_QUESTIONS", "1")
    assert {"moved-ask", "own-ask"} <= set(open_page("pages/pairs.py", run=demo, row="3").buttons)


def test_nobody_is_invited_by_a_demo_and_its_queue_can_be_tried(open_page):
    page = open_page("pages/review.py")
    assert "Send this message" not in page.said and "work nowhere else" not in page.said
    assert "what you answer there is thrown away" in page.said
    assert [link.proto.label for link in page.app.get("link_button")] == ["Judge it yourself"]
    assert "review-close" not in page.buttons


@pytest.mark.parametrize("page", PAGES)
def test_no_page_takes_a_file(page, demo, open_page):
    opened = open_page(f"pages/{page}.py", form="new")
    assert opened.app.get("file_uploader") == []


def test_the_files_of_review_are_downloads_alone(open_page):
    page = open_page("pages/review.py", view="3")
    assert "Send a spreadsheet" in [head.value for head in page.app.subheader]
    assert page.app.get("file_uploader") == []
