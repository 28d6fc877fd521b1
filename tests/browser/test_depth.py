"""Compare in depth: filters in a URL, notes of two, guesses, searches, runs kept in order."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from app_server import wait_for_run
from given import made_runs
from given.support import wait_for
from keyboard import ready
from picking import pick
from playwright.sync_api import Locator, Page, expect
from tables import TABLE, click_first_row

from ivan_core.annotations.notes import Reviews
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.results import open_results
from ivan_core.runs.registry import Registry

CHART = "[data-testid=stVegaLiteChart]"
MODEL = "ivan/minilm-harmless"
COUNT = re.compile(r"^[\d,]+ pairs?.*\. Click a pair")


@pytest.fixture
def run_id(data_dir: Path) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120))


def chip(page: Page, name: str) -> Locator:
    return page.locator(".st-key-chips").get_by_role("button", name=name)


def row_count(page: Page) -> int:
    """How many rows the page says there are, once it says so."""
    said = page.get_by_text(COUNT)
    expect(said).to_be_visible()
    return int(said.inner_text().split()[0].replace(",", ""))


def test_a_bar_becomes_chips_and_a_link_that_others_can_open(serve, page, visitor, run_id):
    page.goto(serve().url("/compare", run=run_id))
    bar = f"[aria-label*='harmless; Verdict: disagree'][aria-label*='Model: {MODEL}']"
    page.locator(f"{CHART} path{bar}").first.click()
    verdict, subset = f"{MODEL} disagrees ✕", "subset: harmless ✕"
    expect(chip(page, verdict)).to_be_visible()
    expect(page).to_have_url(re.compile("(?=.*[?&]verdict=)(?=.*[?&]subset=harmless)"))
    expect(page.get_by_text("120 pairs, ")).to_have_count(0)
    found = row_count(page)
    assert 0 < found < 120

    other = visitor()
    other.goto(page.url)
    for name in (verdict, subset):
        expect(chip(other, name)).to_be_visible()
    assert row_count(other) == found

    # The filter comes along to Pairs and back through the navigation.
    other.get_by_role("link", name="Pairs").click()
    expect(other.get_by_role("button", name="Next")).to_be_visible()
    other.get_by_role("link", name="Compare").click()
    expect(chip(other, verdict)).to_be_visible()
    expect(other).to_have_url(re.compile("subset=harmless"))
    assert row_count(other) == found

    chip(other, verdict).click()
    expect(chip(other, verdict)).to_have_count(0)
    chip(other, subset).click()
    expect(other.get_by_text("120 pairs, 1 to 50 shown.")).to_be_visible()
    expect(other).not_to_have_url(re.compile("verdict=|subset="))


def write_note(page: Page, text: str) -> None:
    """Save, with what is typed still in the field."""
    field = page.get_by_role("textbox", name="Note", exact=True)
    field.fill(text)
    field.press("Control+Enter")
    page.get_by_role("button", name="Save", exact=True).click()


def open_notes(page: Page, url: str, name: str) -> None:
    page.goto(url)
    page.get_by_text("Note and star").click()
    field = page.get_by_role("textbox", name="Your name (not verified)")
    field.fill(name)
    field.press("Enter")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()


def test_notes_of_two_people_on_one_row_are_both_kept(serve, visitor, run_id, data_dir):
    url = serve().url("/pairs", run=run_id, row=3)
    ada, ben, ada_too = visitor(), visitor(), visitor()
    open_notes(ada, url, "Ada")
    open_notes(ben, url, "Ben")
    open_notes(ada_too, url, "Ada")
    write_note(ada, "first of Ada")
    expect(ada.get_by_text("Note and star (1)")).to_be_visible()
    write_note(ben, "first of Ben")
    expect(ben.get_by_text("Ada: first of Ada")).to_be_visible()
    write_note(ada_too, "second of Ada")
    conflict = "This note was changed in another window meanwhile."
    expect(ada_too.get_by_text(conflict)).to_be_visible()
    expect(ada_too.get_by_text("It now says: first of Ada")).to_be_visible()
    typed = ada_too.get_by_role("textbox", name="Note", exact=True)
    expect(typed).to_have_value("second of Ada")

    dataset = open_results(run_id).dataset.fingerprint
    kept = {mark.author: mark.note for mark in Reviews(data_dir).marks(dataset, [3])}
    assert kept == {"Ada": "first of Ada", "Ben": "first of Ben"}

    # What the sentence advises: having read it, saving again keeps the new words.
    ada_too.get_by_role("button", name="Save", exact=True).click()
    expect(ada_too.get_by_text("It now says")).to_have_count(0)
    expect(ada_too.get_by_text("Ben: first of Ben")).to_be_visible()
    kept = {mark.author: mark.note for mark in Reviews(data_dir).marks(dataset, [3])}
    assert kept == {"Ada": "second of Ada", "Ben": "first of Ben"}


def wait_until_above(sentence: Locator, table: Locator) -> None:
    """Wait until a sentence stands above a table: things move while a page is being drawn."""

    def is_above() -> bool:
        said, below = sentence.bounding_box(), table.bounding_box()
        return bool(said and below and said["y"] + said["height"] <= below["y"])

    expect(table).to_be_visible()
    wait_for(is_above)


def test_a_run_is_deleted_after_a_second_thought(serve, page, run_id, data_dir):
    other = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page.goto(serve().url("/runs"))
    click_first_row(page, other)  # the newest
    pick(page.get_by_role("radio", name="Delete", exact=True))
    delete = page.get_by_role("button", name="Delete this run")
    expect(delete).to_be_disabled()
    page.get_by_text("I mean it").click()
    expect(delete).to_be_enabled()
    delete.click()
    told = page.get_by_text(f"Deleted run {other}:")
    expect(told).to_be_visible()
    wait_until_above(told, page.locator(TABLE).first)
    assert [run.id for run in Registry(data_dir).all()] == [run_id]
    assert not list((data_dir / "compare").glob(f"{other}-*"))


def test_scores_of_the_original_are_imported_through_the_page(serve, page, data_dir, tmp_path):
    path = tmp_path / "2024-08-19-10-30-reward-model-deberta-v3-large-v2.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row_id", "chosen_score", "rejected_score", "agreement"))
        writer.writerows((row, row / 7, 1.0, row > 7) for row in range(20))
    page.goto(serve().url("/runs"))
    page.get_by_text("Import a run").click()
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Import", exact=True).click()
    told = page.get_by_text("Imported run 2024-08-19-10-30: 20 pairs")
    expect(told).to_be_visible()
    wait_until_above(told, page.locator(TABLE).first)
    click_first_row(page, "2024-08-19-10-30")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("in 60% of 20 pairs").first).to_be_visible()


def begin_to_guess(page: Page, name: str) -> None:
    page.get_by_text("Guess first").click()
    field = page.get_by_role("textbox", name="Your name (not verified)")
    field.fill(name)
    field.press("Enter")


def test_a_guess_comes_before_anything_of_the_choice(serve, page, run_id):
    page.goto(serve().url("/pairs", run=run_id, row=0))
    begin_to_guess(page, "Ada")
    for row in range(10):
        ask = page.get_by_text("Which reply is better?")
        expect(ask).to_be_visible()
        expect(page.get_by_text("A · chosen")).to_have_count(0)  # of the row before
        telling = re.compile(f"chosen|rejected|minilm|reward|pair {row} of")
        ready(page)
        expect(page.get_by_test_id("stMain")).not_to_contain_text(telling, use_inner_text=True)
        expect(page.locator(CHART)).to_have_count(0)
        page.get_by_role("button", name="A is better").click()
        expect(page.get_by_text(f"pair {row} of 480")).to_be_visible()
        expect(page.get_by_text("A · chosen")).to_be_visible()
        if row < 9:
            page.get_by_role("button", name="Next").click()
    tally = re.compile(r"Of 10 pairs sided with the choice: you \d+, minilm-harmless \d+, ")
    expect(page.get_by_text(tally)).to_be_visible()
    said = page.get_by_text(tally).inner_text()

    # Switch and name outlive a reload and a visit elsewhere; Back undoes the switch in one step.
    page.reload()
    expect(page.get_by_text(said, exact=True)).to_be_visible()
    expect(page.get_by_text("You guess as Ada.")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("textbox", name="Find in the texts")).to_be_visible()
    page.get_by_role("link", name="Pairs").click()
    expect(page.get_by_text("You guess as Ada.")).to_be_visible()
    page.get_by_text("Guess first").click()
    expect(page.get_by_text("You guess as Ada.")).to_have_count(0)
    expect(page.get_by_text("A · chosen")).to_have_count(1)
    page.go_back()
    expect(page.get_by_text("You guess as Ada.")).to_be_visible()


def test_words_are_searched_and_become_a_chip(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    field = page.get_by_role("textbox", name="Find in the texts")
    field.fill("The")
    field.press("Enter")
    expect(chip(page, "either text has “The” ✕")).to_be_visible()
    expect(page.get_by_text("Chosen after looking")).to_be_visible()
    assert 0 < row_count(page) <= 120
    expect(page).to_have_url(re.compile("find=The"))


def test_row_ids_that_come_down_are_the_rows_counted(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id, verdict=f"{MODEL}~disagree"))
    expect(chip(page, f"{MODEL} disagrees ✕")).to_be_visible()
    counted = row_count(page)
    ready(page)  # what is drawn now would push the button away from under the pointer
    page.get_by_text("Download these pairs").click()
    ready(page)
    with page.expect_download() as coming:
        page.get_by_role("button", name=re.compile("Pair numbers", re.IGNORECASE)).click()
    lines = coming.value.path().read_text().split()
    ids = {int(line) for line in lines if line.isdecimal()}
    table = open_results(run_id).table
    wanted = table[(table["model"] == MODEL) & (table["verdict"] == "disagree")]["row_id"]
    assert len(ids) == counted and ids == set(wanted)


def test_one_press_tells_what_moved_the_reward(serve, page, data_dir):
    run_id, _ = runs.start(made_runs.spec_of_sample((MODEL,), limit=4))
    server = serve()
    wait_for_run(data_dir, RunState.DONE)
    page.goto(server.url("/pairs", run=run_id, row=3))
    said = page.get_by_text(re.compile("^Without “.+”, minilm-harmless gives [AB] "))
    page.get_by_role("button", name="What moved the reward?").click()
    expect(said).to_be_visible()
    # Tab stops at the first coloured word of a reply, the arrow keys lead on; each has its number.
    first = page.locator(".ivan-words > [tabindex='0']").first
    first.focus()
    page.keyboard.press("ArrowRight")
    second = page.locator(".ivan-words > [tabindex='-1']:focus")
    expect(second).to_have_attribute("data-told", re.compile("typical margins"))
    shown = "(word) => getComputedStyle(word, '::after').visibility"
    assert (first.evaluate(shown), second.evaluate(shown)) == ("hidden", "visible")
    page.get_by_text("Sentence by sentence").click()
    expect(page.get_by_text("Blue with a solid line")).to_be_visible()
    expect(page.locator(CHART)).to_have_count(2)  # the margins, and what each sentence adds
    flip = re.compile("no shorter deletion|No deletion|No single deletion")
    expect(page.get_by_text(flip)).to_be_visible()
    # A reload shows the same without a press; the switch leads back to the words that differ.
    page.reload()
    expect(said).to_be_visible()
    pick(page.get_by_role("radio", name="Words that differ"))
    expect(said).to_have_count(0)
    expect(page.get_by_role("button", name="What moved the reward?")).to_be_visible()
