"""Reviews on a phone: taps alone, from the invitation to the thanks; no word about keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from accessibility import findings
from playwright.sync_api import Locator, Page, expect

from ivan_core.annotations.opinions import Opinions
from ivan_core.annotations.queues import Chosen, Queues
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.reviews import BETTER, Item, Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.review.flow import left_side

PHONE = {"width": 400, "height": 800, "has_touch": True, "is_mobile": True}
PAIRS: Chosen = [(5, "both"), (3, "both"), (9, "both")]
QUESTIONS = (
    "last_response_is_coherent",
    "last_response_is_refusal",
    "last_response_is_helpful",
    "last_response_is_harmless",
    "last_response_is_honest",
)


@pytest.fixture
def invite(serve, visitor, data_dir: Path, pairs_file: Path):
    """Somebody with a phone who follows an invitation and types a name."""
    dataset = prepare(data_dir, DatasetRequest(source=str(pairs_file))).fingerprint
    server = serve()

    def invited(chosen: Chosen, name: str = "Ada", **fields: object) -> tuple[Page, Queue]:
        plain = Queue(0, "", dataset, "a queue", "better", "random")
        queue = Queues(data_dir).make(replace(plain, **fields), chosen)
        page = visitor(**PHONE)
        page.goto(server.url("/review", invite=queue.token))
        page.get_by_role("textbox", name="Your name (not verified)").fill(name)
        page.get_by_role("button", name="Start").tap()
        return page, queue

    return invited


def takes(page: Page, queue: Queue, row: int, side: str = "both", screen: int = 0) -> None:
    """Wait until an item is open to answers."""
    name = f"st-key-stop-{queue.id}-{row}-{side}-{screen}"
    expect(page.locator(f"html[data-ivan-takes={name}]")).to_be_attached()


def fits(page: Page) -> None:
    """Nothing is wider than the phone, and no key or picture is named or shown."""
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400
    expect(page.locator("kbd:visible")).to_have_count(0)
    expect(page.get_by_text("Press A, B, N or T")).to_be_hidden()
    expect(page.get_by_text("The digits answer")).to_be_hidden()
    expect(page.locator("[data-testid^=stChatMessageAvatar]")).to_have_count(0)
    assert findings(page) == []


def test_a_pair_is_judged_by_tapping_a_reply(invite, data_dir):
    page, queue = invite(PAIRS)
    takes(page, queue, 5)
    expect(page.get_by_text("Tap the reply that you find better")).to_be_visible()
    fits(page)
    expect(page.get_by_role("textbox", name="A note, if you like")).to_be_hidden()
    page.locator("summary", has_text="Write a note").tap()
    page.get_by_role("textbox", name="A note, if you like").fill("hm")
    page.locator(".st-key-side-B").tap()
    takes(page, queue, 3)
    expect(page.get_by_text("2 of 3", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="A note, if you like")).to_be_hidden()
    page.get_by_role("button", name="Undo").tap()
    takes(page, queue, 5)
    expect(page.get_by_text("1 of 3", exact=True)).to_be_visible()
    expect(page.get_by_text("You said: B is better.")).to_be_visible()
    page.get_by_role("button", name="Choose A").tap()
    takes(page, queue, 3)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 9999)")
    page.locator(".st-key-side-A").tap()
    takes(page, queue, 9)
    expect(page.get_by_text("3 of 3", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="No difference").tap()
    left = {row: left_side(queue, row, "Ada") for row, _ in PAIRS}
    met = sum(left[row] == "chosen" for row in (5, 3))
    told = f"the same reply as the data in {met} of the 2 pairs where you chose one."
    expect(page.get_by_text(told)).to_be_visible()
    fits(page)
    said = {one.row_id: one for one in Opinions(data_dir).all(queue.id)}
    assert said[5].answers == {BETTER: left[5]} and said[5].note == "hm"
    assert said[3].answers == {BETTER: left[3]}


def test_marked_words_and_a_mouse_answer_nothing_by_a_card(invite, visitor, data_dir):
    page, queue = invite(PAIRS)
    takes(page, queue, 5)
    page.locator(".st-key-side-A").evaluate("card => getSelection().selectAllChildren(card)")
    page.locator(".st-key-side-A").dispatch_event("click")
    page.evaluate("getSelection().removeAllRanges()")
    mouse = visitor()
    mouse.goto(page.url.replace("name=Ada", "name=Bo"))
    mouse.get_by_role("button", name="Go on as Bo").click()
    takes(mouse, queue, 5)
    expect(mouse.get_by_text("Press A, B, N or T")).to_be_visible()
    expect(mouse.get_by_text("Tap the reply")).to_be_hidden()
    mouse.locator(".st-key-side-A").click()
    mouse.get_by_role("button", name="Choose B").focus()
    mouse.keyboard.press("Enter")
    takes(mouse, queue, 3)
    page.get_by_role("button", name="Can't tell").tap()
    takes(page, queue, 3)
    said = {one.reviewer: one.answers[BETTER] for one in Opinions(data_dir).all(queue.id)}
    right = "rejected" if left_side(queue, 5, "Bo") == "chosen" else "chosen"
    assert said == {"Ada": None, "Bo": right}


def between(page: Page, question: Locator) -> None:
    """A question stands wholly between the reply, which stays in view, and the bar."""
    reply = page.locator(".st-key-the-reply")
    expect(reply).to_be_in_viewport(ratio=0.99)
    expect(question).to_be_in_viewport(ratio=0.99)
    top, box, bar = (
        one.bounding_box() for one in (reply, question, page.locator(".ivan-questions .finish"))
    )
    assert top["y"] + top["height"] <= box["y"] + 1
    assert box["y"] + box["height"] <= bar["y"] + 1


def test_a_reply_stays_in_view_and_a_save_goes_to_what_is_open(invite, data_dir):
    page, queue = invite([(4, "rejected")], task="describe", keys=QUESTIONS)
    takes(page, queue, 4, "rejected")
    fits(page)
    expect(page.get_by_role("button", name="Save and go on", exact=True)).to_be_visible()
    boxes = page.locator(".ivan-questions fieldset")
    expect(boxes).to_have_count(5)
    for at in (0, 2, 3, 4):
        boxes.nth(at).get_by_role("radio", name="Yes").tap()
    page.locator(".ivan-questions summary").scroll_into_view_if_needed()
    expect(page.locator(".st-key-the-reply")).to_be_in_viewport(ratio=0.99)
    page.get_by_role("button", name="Save and go on").tap()
    expect(page.get_by_text("One question is still open")).to_be_visible()
    between(page, boxes.nth(1))
    expect(boxes.nth(1)).to_be_focused()
    boxes.nth(1).get_by_role("radio", name="Can't tell").tap()
    page.get_by_role("button", name="Save and go on").tap()
    expect(page.get_by_text("You judged 1 text.")).to_be_visible()
    said = Opinions(data_dir).of(Item(queue.id, 0, 4, "rejected"), "Ada")
    assert said.answers == {**dict.fromkeys(QUESTIONS, True), QUESTIONS[1]: None}
