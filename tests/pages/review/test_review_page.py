"""Review by invitation: from the first screen to the last, and what the owner sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from given.filled_sheets import Filled

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Queues
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.reviews import BETTER, Item, Opinion, Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access
from ivan_core.engine.access import Visitor
from ivan_core.review.flow import (
    left_side,
    next_place,
    open_screen,
    opinions,
    save_better,
    standing,
)
from pages.components.review import invite as review_invite, steps as review_steps

REVIEW = "pages/review.py"
HOSTILE = "<img src=x> **b** :red[r] $x$"


@pytest.fixture
def make(data_dir: Path, pairs_file: Path):
    """Make a queue on three of forty pairs, or on two texts."""
    dataset = prepare(data_dir, DatasetRequest(source=str(pairs_file)))

    def made(**fields: object) -> Queue:
        plain = Queue(0, "", dataset.fingerprint, "a queue", "better", "random")
        queue = replace(plain, **fields)
        if queue.task == "describe":
            queue = replace(queue, keys=queue.keys or FEATURES)
            return Queues(data_dir).make(queue, [(4, "chosen"), (4, "rejected")])
        return Queues(data_dir).make(queue, [(5, "both"), (3, "both"), (9, "both")])

    return made


def key_of(page, label: str) -> str:
    """The key of the one button with a label."""
    (key,) = [key for key, text in page.buttons.items() if text == label]
    return key


def press(page, label: str) -> None:
    page.press(key_of(page, label))


def judging(open_page, queue: Queue, name: str = "Ada"):
    """The page of somebody who judges under the name in the address."""
    page = open_page(REVIEW, invite=queue.token, name=name)
    page.press("review-as")
    return page


def test_the_first_screen_says_what_how_long_and_what_may_come_up(make, open_page):
    page = open_page(REVIEW, invite=make().token)
    assert page.app.title[0].value == "Which reply is better?"
    assert "3 pairs, about 2 minutes." in page.said
    assert "insults, violence, sex or self-harm" in page.said
    assert "“Skip this one”" in page.said and "“Stop”" in page.said
    assert page.said.count("Asked: ") == 2
    assert page.app.text_input[0].label == "Your name (not verified)"
    assert list(page.buttons.values()) == ["Start"]
    assert page.links == {}


def test_an_invitation_is_followed_to_its_end(make, open_page, data_dir):
    queue = make()
    page = open_page(REVIEW, invite=queue.token)
    page.app.text_input[0].set_value(" Ada ")
    press(page, "Start")
    assert page.app.query_params["name"] == "Ada"
    assert "1 of 3" in page.said and "Ada (not verified)" in page.said
    assert "chosen" not in page.said and page.links == {}
    page.app.text_input[0].set_value("a note")
    press(page, "A is better")
    assert "2 of 3" in page.said and "The last pair" not in page.said
    press(page, "Skip this one")
    assert "3 of 3" in page.said
    press(page, "Stop")
    assert "How often you agreed is told once all are judged." in page.said
    assert "the same reply as" not in page.said
    press(page, "Go on")
    press(page, "Can't tell")
    assert page.app.title[0].value == "Thank you!"
    assert "You judged 2 pairs and skipped 1." in page.said
    left = left_side(queue, 5, "Ada")
    assert f"the same reply as the data in {int(left == 'chosen')} of the 1 pair where" in page.said
    assert "It is no mark: where people differ is what this is about." in page.said
    said = {one.row_id: one for one in Opinions(data_dir).all(queue.id)}
    assert (said[5].answers, said[5].note, said[5].left) == ({BETTER: left}, "a note", left)
    assert said[5].blind and said[3].skipped and said[9].answers == {BETTER: None}
    apart = [box.label for box in page.app.expander]
    assert apart == ([] if left == "chosen" else ["Where you preferred the other reply"])


def test_a_queue_may_tell_the_choice_after_each_pair(make, open_page, data_dir):
    page = judging(open_page, make(tells=True))
    press(page, "A is better")
    assert "The last pair: the data prefers" in page.said
    press(page, "Undo")
    assert "enters no rates" in page.said
    owner = open_page(REVIEW)
    assert "What was chosen is told after each pair." in owner.said
    owner.app.toggle(key="make-tells").set_value(True)
    owner.run()
    press(owner, "Make a queue of 30 items")
    assert Queues(data_dir).all()[0].tells


def test_a_reload_goes_on_and_undo_goes_back(make, open_page, data_dir):
    queue = make()
    page = judging(open_page, queue)
    press(page, "No difference")
    page = judging(open_page, queue)
    assert "2 of 3" in page.said
    press(page, "Undo")
    assert "You said: no difference. Keep it, or answer again." in page.said
    assert "1 of 3" in page.said and "2 of 3" not in page.said
    press(page, "Keep it")
    assert "You said" not in page.said
    press(page, "Undo")
    press(page, "B is better")
    opinion = Opinions(data_dir).of(Item(queue.id, 0, 5, "both"), "Ada")
    assert opinion.version == 2 and opinion.blind
    press(page, "Stop")
    assert "2 are left" in page.said
    press(page, "Go on")
    assert "2 of 3" in page.said


def test_another_window_was_faster_and_nothing_is_lost(make, open_page, data_dir):
    queue = make()
    page = judging(open_page, queue)
    left = left_side(queue, 5, "Ada")
    right = "rejected" if left == "chosen" else "chosen"
    store = Opinions(data_dir)
    store.save(Opinion(queue.id, 5, "both", "Ada", {BETTER: left}, left=left))
    press(page, "B is better")
    assert "in another window meanwhile: A is better." in page.said
    assert "“B is better” was not saved" in page.said
    assert store.of(Item(queue.id, 0, 5, "both"), "Ada").answers == {BETTER: left}
    press(page, "B is better")
    assert store.of(Item(queue.id, 0, 5, "both"), "Ada").answers == {BETTER: right}
    assert "another window" not in page.said


def test_a_press_before_anything_can_be_read_is_not_taken(make, open_page, data_dir, monkeypatch):
    queue = make()
    times = [100.0]
    monkeypatch.setattr(review_steps, "monotonic", lambda: times[-1])
    page = judging(open_page, queue)
    for seconds in (0.12, 0.3, 0.49):
        times.append(100.0 + seconds)
        press(page, "A is better")
        press(page, "Skip this one")
    assert "1 of 3" in page.said and Opinions(data_dir).all(queue.id) == []
    times.append(100.5)
    press(page, "A is better")
    (opinion,) = Opinions(data_dir).all(queue.id)
    assert opinion.seconds == 0.5 and "2 of 3" in page.said
    press(page, "A is better")
    assert "2 of 3" in page.said


def test_reading_before_an_undo_counts_as_time_of_the_answer_that_follows(
    make, open_page, data_dir, monkeypatch
):
    queue = make()
    times = [100.0]
    monkeypatch.setattr(review_steps, "monotonic", lambda: times[-1])
    page = judging(open_page, queue)
    for at, label in ((110.0, "A is better"), (140.0, "Undo"), (145.0, "Keep it")):
        times.append(at)
        press(page, label)
    times.append(145.4)  # in this visit the item cannot have been read yet
    press(page, "B is better")
    assert len(Opinions(data_dir).all(queue.id)) == 1
    times.append(145.8)
    press(page, "B is better")
    times.append(200.0)
    press(page, "B is better")
    seconds = {one.row_id: one.seconds for one in Opinions(data_dir).all(queue.id)}
    assert seconds == {5: 10.0, 3: 30.8, 9: 54.2}


def test_a_press_on_an_item_that_this_window_has_just_answered_is_nothing(make, data_dir):
    """As it comes in when the next item is on its way: the old one is still painted."""
    queue = make()
    now = standing(queue, "Ada")
    screen = open_screen(now, next_place(now))
    state: dict[str, object] = {review_steps._SHOWN: (screen.place, -60.0)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(review_steps.st, "session_state", state)
        for answer in ("chosen", "rejected"):
            assert review_steps.keep(
                screen,
                answer,
                lambda note, seconds, a=answer: save_better(screen, a, note, seconds),
            )
        assert review_steps._CLASH not in state
    (opinion,) = Opinions(data_dir).all(queue.id)
    assert (opinion.answers, opinion.version) == ({BETTER: "chosen"}, 1)


def test_a_namesake_is_asked_about(make, open_page, data_dir):
    queue = make()
    Opinions(data_dir).save(Opinion(queue.id, 5, "both", "Ada", {BETTER: None}))
    page = open_page(REVIEW, invite=queue.token)
    page.app.text_input[0].set_value("ada")
    press(page, "Start")
    assert "Somebody called Ada has judged 1 of these. Is that you?" in page.said
    press(page, "No, I am somebody else")
    assert "a name that tells you apart" in page.said
    page.app.text_input[0].set_value("Ada")
    press(page, "Start")
    press(page, "Yes, go on")
    assert page.app.query_params["name"] == "Ada" and "2 of 3" in page.said
    press(page, "Not you?")
    assert "name" not in page.app.query_params and "Start" in page.buttons.values()


def test_a_name_of_another_queue_and_one_in_the_address_are_asked_about(make, open_page, data_dir):
    first, second = make(), make()
    Opinions(data_dir).save(Opinion(first.id, 5, "both", "Ada", {BETTER: None}))
    page = open_page(REVIEW, invite=second.token)
    page.app.text_input[0].set_value("Ada")
    press(page, "Start")
    assert "has judged 1 in another review, and none of these. Is that you?" in page.said
    page = open_page(REVIEW, invite=second.token, name="Ada")
    assert "Go on as Ada?" in page.said and "1 of 3" not in page.said
    assert "Somebody called Ada has judged 1 in another review" in page.said
    press(page, "I am somebody else")
    assert "name" not in page.app.query_params and "Start" in page.buttons.values()
    page = open_page(REVIEW, invite=first.token, name="ada")
    assert "Go on as Ada?" in page.said and "Go on as Ada" in page.buttons.values()
    page.press("review-as")
    assert page.app.query_params["name"] == "Ada"
    page = open_page(REVIEW, invite=second.token, name=HOSTILE)
    assert f"Nobody called {HOSTILE} has judged any of these yet." in page.said
    page.press("review-as")
    assert "1 of 3" in page.said
    page.app.query_params["name"] = "Ada"
    page.run()
    assert "Go on as Ada?" in page.said


def test_whose_name_is_spelled_otherwise_elsewhere_gets_into_their_own_queue(
    make, open_page, data_dir
):
    Opinions(data_dir).save(Opinion(make().id, 5, "both", "ADA", {BETTER: None}))
    page = judging(open_page, make(assigned="Ada"), "ada")
    assert "1 of 3" in page.said and page.app.query_params["name"] == "Ada"


def test_closed_unknown_and_other_peoples_invitations_are_a_sentence(make, open_page, data_dir):
    assert "This invitation is not known here." in open_page(REVIEW, invite="nonsense").said
    hers = make(assigned="Ada")
    page = open_page(REVIEW, invite=hers.token, name="Bo")
    assert "This invitation is for Ada." in page.said and page.buttons == {}
    page = open_page(REVIEW, invite=hers.token)
    press(page, "I am Ada: start")
    assert "1 of 3" in page.said
    Queues(data_dir).close(hers.id)
    press(page, "A is better")
    assert "closed" in page.said
    for query in ({}, {"name": "Ada"}):
        assert "This invitation is closed" in open_page(REVIEW, invite=hers.token, **query).said


def test_no_name_is_asked_for_again(make, open_page):
    page = open_page(REVIEW, invite=make().token)
    press(page, "Start")
    assert "There is no name." in page.said and "Start" in page.buttons.values()


def test_hostile_titles_and_names_are_text(make, open_page):
    queue = make(title=HOSTILE, assigned=HOSTILE)
    page = open_page(REVIEW, invite=queue.token)
    assert f"This invitation is for {HOSTILE}." in page.said
    page = judging(open_page, queue, HOSTILE)
    assert f"{HOSTILE} (not verified)" in page.said
    page = open_page(REVIEW)
    assert f"This invitation is for {HOSTILE}." in page.said
    assert page.app.code[0].value.startswith(f"Hello {HOSTILE},")


def test_a_text_is_described_on_four_screens(make, open_page):
    page = judging(open_page, make(task="describe"))
    assert "1 of 2" in page.said and "Describe this reply · 1 of 4" in page.said
    press(page, "Skip this one")
    assert "2 of 2" in page.said
    press(page, "Undo")
    assert "You skipped this one." in page.said and "4 of 4" in page.said


def test_the_owner_makes_a_queue_reads_its_link_and_closes_it(data_dir, open_page):
    page = open_page(REVIEW)
    assert "Nobody was asked yet." in page.said
    press(page, "Make a queue of 30 items")
    (queue,) = Queues(data_dir).all()
    assert queue.task == "better" and queue.random and len(Queues(data_dir).items(queue.id)) == 30
    assert "0 of 30 items have 2 opinions; nobody has begun." in page.said
    assert "A link would work nowhere else" in page.said and "Send this message" not in page.said
    assert "invite=" not in page.said
    (message,) = [code.value for code in page.app.code]
    first, link = message.split("ssh -L ")[1].split("Then open:\n")
    assert first.startswith("8501:127.0.0.1:8501 you@this-machine")
    assert link.endswith(f"/review?invite={queue.token}")
    assert "It is 30 pairs, about 15 minutes." in message and "phone" not in message
    (button,) = page.app.get("link_button")
    assert button.proto.label == "Judge it yourself" and button.proto.url == link
    Opinions(data_dir).save(
        Opinion(queue.id, Queues(data_dir).items(queue.id)[0].row_id, "both", "Ada", {BETTER: None})
    )
    page.run()
    assert "Ada (not verified) 1." in page.said
    press(page, "Close it")
    assert "It is closed" in page.said and Queues(data_dir).get(queue.id).closed
    press(page, "Open it again")
    assert not Queues(data_dir).get(queue.id).closed


def test_where_others_reach_the_server_there_is_a_message_and_a_preview(
    make, open_page, monkeypatch
):
    queue = make()
    monkeypatch.setattr(review_invite, "link_to", lambda queue: f"https://ivan.lab/?i={queue.id}")
    page = open_page(REVIEW)
    assert "Send this message:" in page.said and "nowhere else" not in page.said
    assert "Whoever can reach ivan.lab can open its link." in page.said
    (message,) = [code.value for code in page.app.code]
    assert message.startswith("Hello,\n\nwould you read a few questions")
    assert "It is 3 pairs, about 2 minutes; a phone will do." in message
    assert message.endswith(f"https://ivan.lab/?i={queue.id}")
    assert "See the invitation as people will" in [box.label for box in page.app.expander]
    assert "You say which one you find better." in page.said
    assert page.app.button(key=f"preview-start-{queue.id}").disabled


def test_a_source_that_gives_nothing_says_why(make, open_page):
    make()
    page = open_page(REVIEW)
    page.app.selectbox(key="make-source").set_value("starred")
    page.run()
    assert "Not possible now: nothing is starred yet." in page.said
    assert "make" not in page.buttons
    page.app.selectbox(key="make-source").set_value("rows")
    page.run()
    page.app.text_input(key="make-rows").set_value("1, 99")
    page.run()
    assert "99" in page.said and "make" not in page.buttons


def test_files_go_out_and_come_in(make, open_page, data_dir):
    queue = make()
    page = open_page(REVIEW)
    page.app.segmented_control(key="review-view").set_value("Files")
    page.run()
    assert page.app.selectbox(key="sheet-queue").options == [f"{queue.id} · a queue"]
    page.app.text_input(key="sheet-for").set_value("Ada")
    page.run()
    press(page, "Make the spreadsheet")
    number, name, data = page.app.session_state["sheet-made"]
    assert (number, name) == (queue.id, "Ada") and data.startswith(b"PK")
    assert "Download a backup" in [one.proto.label for one in page.app.get("download_button")]
    page.app.file_uploader[0].upload("sheet.xlsx", data)
    page.run()
    press(page, "Import it")
    assert "Ada on “a queue”: 0 new" in page.said and "Nothing was changed." in page.said
    page.app.file_uploader[0].upload("sheet.xlsx", b"no sheet")
    page.run()
    press(page, "Import it")
    assert "sheet.xlsx" in page.said and "changed" not in page.said
    Queues(data_dir).close(queue.id)
    page.run()
    assert "No queue is open." in page.said


def test_of_a_sheet_with_a_wrong_cell_the_good_rows_are_offered(make, open_page, data_dir):
    queue = make()
    page = open_page(REVIEW)
    page.app.segmented_control(key="review-view").set_value("Files")
    page.run()
    filled = Filled(queue).put(0, which="A").put(1, which="maybe").put(2, which="B")
    page.app.file_uploader[0].upload("sheet.xlsx", filled.bytes())
    page.run()
    press(page, "Import it")
    assert "Nothing was imported." in page.said and "Answers!E3 says “maybe”" in page.said
    # It is told where the file was dropped, not at the top of the page.
    first = page.said.index("For people who cannot reach this server.")
    assert first < page.said.index("Nothing was imported.")
    assert Opinions(data_dir).all(queue.id) == [] and "Left out: row 3." in page.said
    press(page, "Take the 2 good ones")
    assert "Ada on “a queue”: 2 new" in page.said and "Answers!E3 says “maybe”" in page.said
    assert len(Opinions(data_dir).all(queue.id)) == 2
    assert "sheet-good" not in page.buttons


def test_a_visitor_from_elsewhere_takes_no_copy(make, open_page, monkeypatch):
    make()
    page = open_page(REVIEW)
    monkeypatch.setattr(access, "_provider", lambda: Visitor(False))
    page.app.segmented_control(key="review-view").set_value("Files")
    page.run()
    assert "Only people at this machine" in page.said
    page.app.segmented_control(key="review-view").set_value("Queues")
    page.run()
    press(page, "Make a queue of 30 items")
    assert "Making or closing a queue of reviews from another machine needs a login" in page.said


def test_who_is_logged_in_judges_under_the_verified_address(make, open_page, monkeypatch):
    queue = make()
    page = open_page(REVIEW, invite=queue.token)
    monkeypatch.setattr(access, "_provider", lambda: Visitor(False, "ada@example.org"))
    page.run()
    assert "You are logged in as ada@example.org." in page.said and not page.app.text_input
    press(page, "Start")
    assert "ada@example.org" in page.said and "not verified" not in page.said
    assert "Not you?" not in page.buttons.values()
    press(page, "No difference")
    (opinion,) = opinions().all(queue.id)
    assert (opinion.reviewer, opinion.verified) == ("ada@example.org", True)
    monkeypatch.setattr(access, "_provider", lambda: Visitor(False))
    page = open_page(REVIEW, invite=queue.token, name="ada@example.org")
    assert "is the name of somebody who logged in." in page.said
    assert page.buttons == {}


def test_a_stop_is_of_one_queue(make, open_page):
    first, second = make(), make()
    page = judging(open_page, first)
    press(page, "Stop")
    assert "3 are left" in page.said
    page.app.query_params["invite"] = second.token
    page.run()
    page.press("review-as")
    assert "1 of 3" in page.said
