"""Reviews: by keyboard from the invitation to the thanks, two at once, and with hostile texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from accessibility import findings
from given import hostile
from given.filled_sheets import Filled, better
from given.made_runs import finished, spec_of_sample
from guarding import shows
from keyboard import ready, tab_to
from picking import pick
from playwright.sync_api import Page, expect

from ivan_core.annotations.opinions import Decisions, Opinions
from ivan_core.annotations.queues import Chosen, Queues
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.reviews import BETTER, NO_DIFFERENCE, Item, Opinion, Queue
from ivan_core.domain.specs import DatasetRequest
from ivan_core.experiments.compare.results import open_results
from ivan_core.review.flow import left_side
from ivan_core.review.settle import letters

KEYS = ("last_response_is_coherent", "last_response_is_honest", "last_response_sentiment", "topics")
LISTS = ("last_response_is_discriminating_against",)
PAIRS: Chosen = [(5, "both"), (3, "both"), (9, "both")]


def made(data_dir: Path, dataset: str, chosen: Chosen, **fields: object) -> Queue:
    plain = Queue(0, "", dataset, "a queue", "better", "random")
    return Queues(data_dir).make(replace(plain, **fields), chosen)


@pytest.fixture
def dataset(data_dir: Path, pairs_file: Path) -> str:
    """Forty pairs, by their fingerprint."""
    return prepare(data_dir, DatasetRequest(source=str(pairs_file))).fingerprint


def at(page: Page, queue: Queue, row: int, side: str = "both", screen: int = 0) -> None:
    """Wait until an item is on the screen with its buttons, which bear its name, and is open to
    answers: what has just been painted takes none."""
    name = f"st-key-stop-{queue.id}-{row}-{side}-{screen}"
    expect(page.locator(f".{name}").get_by_role("button")).to_be_visible()
    expect(page.locator(f"html[data-ivan-takes={name}]")).to_be_attached()
    ready(page)


def judge(page: Page, server, queue: Queue, name: str) -> None:
    """Open an invitation whose address names somebody, and say that one is that person."""
    page.goto(server.url("/review", invite=queue.token, name=name))
    page.get_by_role("button", name=f"Go on as {name}").click()


def test_from_the_invitation_to_the_thanks_by_keyboard(serve, page, data_dir, dataset):
    server = serve()
    queue = made(data_dir, dataset, PAIRS)
    page.goto(server.url("/review", invite=queue.token))
    tab_to(page, page.get_by_role("textbox", name="Your name (not verified)"))
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    at(page, queue, 5)
    page.keyboard.down("a")
    at(page, queue, 3)
    page.keyboard.down("a")  # held down: it repeats
    page.keyboard.up("a")
    expect(page.get_by_text("2 of 3", exact=True)).to_be_visible()
    page.keyboard.press("u")
    at(page, queue, 5)
    expect(page.get_by_text("You said: A is better.")).to_be_visible()
    expect(page.get_by_text("1 of 3", exact=True)).to_be_visible()
    page.keyboard.press("k")
    at(page, queue, 3)
    tab_to(page, page.locator("summary", has_text="Write a note"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("textbox", name="A note, if you like"))
    page.keyboard.type("abnstu")
    page.keyboard.press("Tab")
    at(page, queue, 3)
    page.keyboard.press("n")
    at(page, queue, 9)
    page.reload()
    expect(page.get_by_text("Somebody called Ada has judged 2 of these.")).to_be_visible()
    page.get_by_role("button", name="Go on as Ada").click()
    at(page, queue, 9)
    expect(page.get_by_text("3 of 3", exact=True)).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_text("You judged 2 pairs and skipped 1.")).to_be_visible()
    first, second, third = (
        Opinions(data_dir).of(Item(queue.id, 0, row), "Ada") for row, _ in PAIRS
    )
    assert first.answers == {BETTER: left_side(queue, 5, "Ada")} and first.version == 1
    assert second.answers == {BETTER: NO_DIFFERENCE} and second.note == "abnstu"
    assert third.skipped and first.blind and second.blind

    queue = made(data_dir, dataset, [(4, "rejected")], task="describe", keys=KEYS)
    judge(page, server, queue, "Ada")
    at(page, queue, 4, "rejected")
    expect(page.get_by_role("heading", name="Is it good?")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("One question is still open")).to_be_visible()
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How does it sound?")).to_be_visible()
    at(page, queue, 4, "rejected", 1)
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What about the whole conversation?")).to_be_visible()
    at(page, queue, 4, "rejected", 2)
    tab_to(page, page.get_by_role("checkbox", name="People and self"))
    page.keyboard.press("Space")
    tab_to(page, page.locator("summary", has_text="Write a note"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("textbox", name="A note, if you like"))
    page.keyboard.type("1 u s k")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("You judged 1 text.")).to_be_visible()
    said = Opinions(data_dir).of(Item(queue.id, 0, 4, "rejected"), "Ada")
    assert said.answers == {
        KEYS[0]: True,
        KEYS[1]: None,
        KEYS[2]: "neutral",
        KEYS[3]: ("People and self",),
    }
    assert said.note == "1 u s k" and said.blind


_PRESS_THE_NEXT = """([row, kind]) => {
  window.pressed = 0;
  new MutationObserver(() => {
    const next = document.querySelector(`[class*=st-key-answer-a-][class*="-${row}"] button`);
    if (!next || window.pressed) return;
    window.pressed += 1;
    if (kind === "click") next.click();
    else document.body.dispatchEvent(new KeyboardEvent("keydown", {
      key: "a", code: "KeyA", keyCode: 65, bubbles: true, cancelable: true,
    }));
  }).observe(document.body, {childList: true, subtree: true, attributes: true});
}"""
"""Presses the answer of an item in the moment in which it is there, before it can be painted."""
_PRESS_BOTH = """() => {
  for (const letter of "ab")
    document.querySelector(`[class*=st-key-answer-${letter}-] button`).click();
}"""
"""Presses two answers of the item that is painted before the next one can come."""


def test_a_press_on_what_cannot_have_been_read_or_was_just_answered_is_not_taken(
    serve, visitor, data_dir, dataset
):
    server = serve()
    for second in ("click", "key", "both"):
        queue = made(data_dir, dataset, PAIRS)
        page = visitor()
        judge(page, server, queue, "Ada")
        at(page, queue, 5)
        if second == "both":
            page.evaluate(_PRESS_BOTH)
        else:
            page.evaluate(_PRESS_THE_NEXT, [3, second])
            page.get_by_role("button", name="A is better").click()
        at(page, queue, 3)
        assert second == "both" or page.evaluate("window.pressed") == 1
        expect(page.get_by_text("2 of 3", exact=True)).to_be_visible()
        expect(page.get_by_text("another window")).not_to_be_visible()
        (said,) = Opinions(data_dir).all(queue.id)
        assert (said.row_id, said.version) == (5, 1)
        # Of two presses on one painted item either may be the one that is taken.
        assert second == "both" or said.answers == {BETTER: left_side(queue, 5, "Ada")}
        page.get_by_role("button", name="A is better").click()
        at(page, queue, 9)


def test_two_people_and_two_windows_at_one_item(serve, visitor, data_dir, dataset):
    server = serve()
    queue = made(data_dir, dataset, PAIRS[:1])
    windows = []
    for name in ("Ada", "Bo", "Ada"):
        window = visitor()
        judge(window, server, queue, name)
        at(window, queue, 5)
        windows.append(window)
    ada, bo, other = windows
    ada.keyboard.press("a")
    bo.keyboard.press("b")
    for window in (ada, bo):
        expect(window.get_by_text("Thank you!")).to_be_visible()
    other.keyboard.press("n")
    expect(other.get_by_text("in another window meanwhile: A is better.")).to_be_visible()
    expect(other.get_by_text("“No difference” was not saved")).to_be_visible()
    store = Opinions(data_dir)
    right = "rejected" if left_side(queue, 5, "Bo") == "chosen" else "chosen"
    assert {one.reviewer: one.answers[BETTER] for one in store.all(queue.id)} == {
        "Ada": left_side(queue, 5, "Ada"),
        "Bo": right,
    }
    at(other, queue, 5)
    other.get_by_role("button", name="No difference").click()
    expect(other.get_by_text("gave the same answer 0 of the 1 time you both")).to_be_visible()
    assert store.of(Item(queue.id, 0, 5), "Ada").answers == {BETTER: NO_DIFFERENCE}
    assert len(store.history(Item(queue.id, 0, 5))) == 3


def test_hostile_texts_names_and_titles_are_read_as_they_are(
    serve, guarded, listener, data_dir, tmp_path
):
    run_id, _ = hostile.made(data_dir, tmp_path, listener.address)
    dataset = open_results(run_id).dataset.fingerprint
    texts = hostile.texts(listener.address)
    name = f'<img src="{listener.address}/i"> ![x](y) **b** :red[r] $x$'
    rows = range(len(texts))
    queue = made(data_dir, dataset, [(row, "both") for row in rows], title=f"{texts[2]} {name}")
    server = serve()
    guarded.goto(server.url("/review", invite=queue.token))
    field = guarded.get_by_role("textbox", name="Your name (not verified)")
    field.fill(name)
    field.press("Enter")
    for row, text in zip(rows, texts, strict=True):
        at(guarded, queue, row)
        # The question once, and a reply on either side; the earlier turns are folded.
        shows(guarded, text, 3)
        shows(guarded, f"{name} (not verified)")
        guarded.keyboard.press("nt"[row % 2])
    expect(guarded.get_by_text("Thank you!")).to_be_visible()

    asked = made(
        data_dir,
        dataset,
        [(row, "chosen") for row in (0, 1, 4)],
        task="describe",
        keys=("last_response_is_honest",),
        assigned=name,
    )
    guarded.goto(server.url("/review", invite=asked.token))
    expect(guarded.get_by_text(f"This invitation is for {name}.")).to_be_visible()
    guarded.get_by_role("button", name="start").click()
    for place, row in enumerate((0, 1, 4)):
        at(guarded, asked, row, "chosen")
        expect(guarded.get_by_text(f"{place + 1} of 3", exact=True)).to_be_visible()
        shows(guarded, texts[row], 2)
        guarded.keyboard.press("2")
        guarded.keyboard.press("Enter")
    expect(guarded.get_by_text("You judged 3 texts.")).to_be_visible()

    guarded.goto(server.url("/review"))
    guarded.get_by_text("See the invitation as people will").click()
    shows(guarded, f"This invitation is for {name}.")
    shows(guarded, f"{name} (not verified) 3.")
    guarded.goto(server.url("/review", invite=texts[1]))
    expect(guarded.get_by_text("This invitation is not known here.")).to_be_visible()
    assert listener.asked == []


def test_a_difference_is_settled_and_a_spreadsheet_goes_out_and_comes_back(serve, page, data_dir):
    queue = better(data_dir)
    store = Opinions(data_dir)
    for name, answer in (("Ada", "chosen"), ("Bo", "rejected")):
        store.save(Opinion(queue.id, 2, "both", name, {BETTER: answer}))
    page.goto(serve().url("/review"))
    expect(page.get_by_text("Ada (not verified) 1, Bo (not verified) 1.")).to_be_visible()
    pick(page.get_by_role("radio", name="Settle", exact=True))
    expect(page.get_by_text("People differ on 1 item; 1 to settle.")).to_be_visible()
    page.get_by_role("textbox", name="Your name (not verified)").fill("Cleo")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 said A").or_(page.get_by_text("1 said B"))).to_be_visible()
    expect(page.get_by_text("the chosen reply")).to_have_count(0)
    better_one = letters(queue, Item(queue.id, 0, 2))["chosen"]
    pick(page.get_by_role("radio", name=f"{better_one} is better"))
    reason = page.get_by_role("textbox", name="Reason (optional)")
    reason.fill("B ignores the question")
    reason.press("Tab")
    ready(page)
    expect(reason).to_have_value("B ignores the question")
    page.get_by_role("button", name="Settle it").click()
    expect(page.get_by_text("all are settled.")).to_be_visible()
    (decision,) = Decisions(data_dir).all(queue.id)
    assert (decision.answer, decision.by, decision.version) == ("chosen", "Cleo", 1)
    assert decision.reason == "B ignores the question"
    assert [one.version for one in store.all(queue.id)] == [1, 1]

    pick(page.get_by_role("radio", name="Files", exact=True))
    page.get_by_role("button", name="Make the spreadsheet").click()
    expect(page.get_by_role("button", name="Download it")).to_be_visible()
    ready(page)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download it").click()
    sheet = Filled(coming.value.path().read_bytes(), "Dora")
    sheet.put(0, which=sheet.better(0)).put(1, which=sheet.worse(1), note="hm").put(3, skip="yes")
    file = data_dir / "filled.xlsx"
    file.write_bytes(sheet.bytes())
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_text("Dora on “Which one?”: 3 new, 0 changed, 0 as before.")).to_be_visible()
    said = {one.row_id: one for one in store.all(queue.id, "Dora")}
    assert {row: one.answers.get(BETTER) for row, one in said.items()} == {
        0: "chosen",
        1: "rejected",
        3: None,
    }
    assert said[1].note == "hm" and said[3].skipped and not said[0].verified
    ready(page)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download a backup").click()
    assert coming.value.path().read_bytes().startswith(b"PK")


def test_no_screen_has_a_serious_fault_of_accessibility(serve, visitor, data_dir):
    run_id = finished(data_dir, spec_of_sample(limit=120))
    dataset = open_results(run_id).dataset.fingerprint
    pairs = made(data_dir, dataset, PAIRS)
    texts = made(data_dir, dataset, [(4, "chosen")], task="describe", keys=(*KEYS, *LISTS))
    server = serve()

    def check(page: Page, text: str) -> None:
        expect(page.get_by_text(text).first).to_be_visible()
        assert findings(page) == [], text

    for name, answer in (("Ada", "chosen"), ("Bo", "rejected")):
        Opinions(data_dir).save(Opinion(pairs.id, 9, "both", name, {BETTER: answer}))
    for scheme, name in (("light", "Ada"), ("dark", "Bo")):
        page = visitor(color_scheme=scheme)
        page.goto(server.url("/review", invite=pairs.token))
        check(page, "Two examples")
        judge(page, server, pairs, name)
        at(page, pairs, 5)
        page.keyboard.press("a")
        at(page, pairs, 3)
        expect(page.get_by_text("The last pair")).not_to_be_visible()
        check(page, "Press A, B, N or T")
        page.set_viewport_size({"width": 400, "height": 800})
        page.keyboard.press("u")
        check(page, "You said: A is better.")
        at(page, pairs, 5)
        page.get_by_role("button", name="Stop").click()
        check(page, "Thank you!")
        judge(page, server, texts, name)
        at(page, texts, 4, "chosen")
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        check(page, "One question is still open")
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.goto(server.url("/review"))
        check(page, "Judge it yourself")
        page.goto(server.url())
        check(page, "What do 120 pairs of sample show?")
    page = visitor()
    page.goto(server.url("/review"))
    for view, text in (
        ("Agreement", "drawn at random without knowing the choice"),
        ("Settle", "People differ on"),
        ("Files", "Download a backup"),
    ):
        pick(page.get_by_role("radio", name=view, exact=True))
        check(page, text)
    page.goto(server.url("/compare", run=run_id))
    check(page, "sides with the author's choice in")
    page.goto(server.url("/pairs", run=run_id, row=3))
    check(page, "A · chosen")
