"""Three people from an empty folder, with sixty pairs of their own: who reads and takes a figure,
who pays for labels, and who asks others. No page ever shows other pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.reward_models import Fakes
from given.support import write_pairs
from keyboard import ready
from picking import accept
from playwright.sync_api import Page, expect

from ivan_core.annotations.queues import Queues
from ivan_core.domain.reviews import Queue


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """Sixty pairs and a damaged line."""
    path = write_pairs(tmp_path / "my-prefs.jsonl", 60)
    path.write_text(f"{path.read_text()}{{not json\n")
    return path


@pytest.fixture
def researcher(page: Page) -> Iterator[Page]:
    """Their page; whatever it shows after the first press, it is never of the sample."""
    yield page
    shows_no_others(page)


def shows_no_others(page: Page) -> None:
    """Nothing on the page is of the sample, once what was there before is gone; a queue may be a
    random sample of one's own."""
    other = re.compile(r"(?<!random )\bsample\b")
    expect(page.locator("[data-testid=stMain]")).not_to_contain_text(other)


def drop(page: Page, file: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text("60 pairs, 2 turns each.")).to_be_visible()


def own(page: Page) -> None:
    """The page is of the study, and nothing on it is of the sample."""
    expect(page.get_by_text("Study: my-prefs.jsonl · 60 pairs")).to_be_visible()
    ready(page)
    shows_no_others(page)


def test_from_a_file_to_pairs_labels_rewordings_and_a_figure(serve, researcher, own_file):
    page = researcher
    server = serve(Fakes())
    page.goto(server.base)
    drop(page, own_file)
    expect(page.get_by_text("line 61: not valid JSON")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Judge 60 pairs with 2 models")).click()
    expect(page.get_by_text(re.compile("sides with the recorded choice in"))).to_be_visible()
    own(page)
    for name in ("Pairs", "Taxonomy", "Rewrite", "Review", "Runs", "Home"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_url(re.compile("study=|run=" if name != "Home" else "study="))
        own(page)
    page.get_by_role("link", name="Taxonomy", exact=True).click()
    page.get_by_role("button", name="Label 120 texts").click()
    expect(page.get_by_text(re.compile("of 120 texts")).first).to_be_visible()
    own(page)
    page.get_by_role("link", name="Compare", exact=True).click()
    own(page)
    ready(page)
    page.get_by_role("button", name="Figure").first.click()
    expect(page.get_by_role("button", name=re.compile("SVG")).first).to_be_visible()
    ready(page)
    with page.expect_download() as figure:
        page.get_by_role("button", name=re.compile("SVG")).first.click()
    assert b"<svg" in Path(figure.value.path()).read_bytes()


def test_the_study_comes_back_with_reload_back_and_a_sent_link(serve, visitor, own_file):
    page = visitor()
    server = serve(Fakes())
    page.goto(server.base)
    drop(page, own_file)
    page.get_by_role("button", name="Only begin a study with them").click()
    expect(page).to_have_url(re.compile("study="))
    own(page)
    page.get_by_role("link", name="Rewrite", exact=True).click()
    own(page)
    address = page.url
    page.reload()
    own(page)
    page.go_back()
    expect(page.get_by_role("button", name=re.compile("^Judge (the )?60 pairs"))).to_be_visible()
    own(page)
    page.go_forward()
    expect(page).to_have_url(address)
    own(page)
    friend = visitor()
    friend.goto(address)
    own(friend)
    expect(friend.get_by_role("button", name="Reword 60 pairs")).to_be_visible()


def begin(page: Page, base: str, file: Path) -> None:
    """Begin a study with a file, judge nothing."""
    page.goto(base)
    drop(page, file)
    page.get_by_role("button", name="Only begin a study with them").click()
    own(page)


def test_who_pays_for_labels_sees_the_cost_of_their_own_texts(
    serve, researcher, own_file, demo, data_dir
):
    page = researcher
    begin(page, serve().base, own_file)
    page.get_by_role("link", name="Taxonomy", exact=True).click()
    expect(page.get_by_text("120 texts, one request each.")).to_be_visible()
    own(page)
    page.get_by_role("button", name="Prepare the batch and see the cost").click()
    expect(page.get_by_text("Human: Question 0?").first).to_be_visible()
    own(page)
    assert demo.requests.count("POST", "/v1/batches") == 0
    accept(page).click()
    expect(page.get_by_text("labelled 120 of 120 texts").first).to_be_visible()
    own(page)
    assert demo.requests.count("POST", "/v1/batches") == 1
    page.get_by_role("link", name="Home", exact=True).click()
    own(page)


def test_who_asks_others_gets_their_answers_on_the_same_pairs(
    serve, researcher, visitor, own_file, data_dir
):
    page, server = researcher, serve()
    begin(page, server.base, own_file)
    page.get_by_role("link", name="Review", exact=True).click()
    own(page)
    page.get_by_role("button", name=re.compile(r"^Make a queue of \d+ items$")).click()
    expect(page.get_by_text("A link would work nowhere else")).to_be_visible()
    own(page)
    (queue,) = Queues(data_dir).all()
    friend = visitor(width=400, height=800, has_touch=True, is_mobile=True)
    friend.goto(server.url("/review", invite=queue.token))
    friend.get_by_role("textbox", name="Your name (not verified)").fill("Ada")
    friend.get_by_role("button", name="Start").tap()
    for number in (1, 2):
        expect(friend.get_by_text(re.compile(rf"^{number} of \d+$"))).to_be_visible()
        takes_answers(friend, queue, number - 1, data_dir)
        shows_no_others(friend)
        friend.get_by_role("button", name="Choose A").tap()
    takes_answers(friend, queue, 2, data_dir)
    friend.get_by_role("button", name="Stop").tap()
    expect(friend.get_by_text("Thank you!")).to_be_visible()
    page.get_by_role("radio", name="Agreement").click()
    expect(
        page.get_by_text(re.compile(r"opinions? in all|given in under a second")).first
    ).to_be_visible()
    ready(page)
    quick = page.get_by_role("switch", name="Leave out answers given in under a second")
    if quick.count():  # a tap takes no time on a quick machine
        quick.click(force=True)
    expect(page.get_by_text(re.compile("2 opinions in all"))).to_be_visible()
    own(page)


def takes_answers(page: Page, queue: Queue, place: int, data_dir: Path) -> None:
    """Wait until an item of a queue is open to answers."""
    row = list(Queues(data_dir).items(queue.id))[place].row_id
    name = f"st-key-stop-{queue.id}-{row}-both-0"
    expect(page.locator(f"html[data-ivan-takes={name}]")).to_be_attached()
