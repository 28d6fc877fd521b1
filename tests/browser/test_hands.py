"""By keyboard alone, on a small window, and from a column of one's own to its rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from given import made_runs
from keyboard import press, ready, tab_to
from playwright.sync_api import Locator, Page, expect
from tables import LIST, first_of, row_of

from ivan_core.annotations.notes import Reviews
from ivan_core.experiments.compare.results import open_results

CHART = "[data-testid=stVegaLiteChart]"


@pytest.fixture
def run_id(data_dir: Path) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120))


def test_a_pair_is_starred_noted_and_left_by_keyboard(serve, page, run_id, data_dir):
    page.goto(serve().url("/pairs", run=run_id, row=3))
    expect(page.get_by_text("A · chosen")).to_be_visible()
    tab_to(page, page.locator("summary").filter(has_text="Note and star"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("textbox", name="Your name (not verified)"))
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    star = page.get_by_role("switch", name="Star")
    tab_to(page, star)
    page.keyboard.press("Space")
    expect(star).to_be_checked()
    tab_to(page, page.get_by_role("textbox", name="Note", exact=True))
    page.keyboard.type("by keyboard")
    press(page, "Save")
    expect(page.get_by_text("Note and star (1)")).to_be_visible()
    (mark,) = Reviews(data_dir).marks(open_results(run_id).dataset.fingerprint)
    assert (mark.row_id, mark.author, mark.starred, mark.note) == (3, "Ada", True, "by keyboard")

    tab_to(page, page.get_by_role("switch", name="Guess first"))
    page.keyboard.press("Space")
    press(page, "No difference Shortcut N")
    expect(page.get_by_text("pair 3 of 480")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="What moved the reward?"))
    tab_to(page, page.locator("summary").filter(has_text="Type your own reply"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="A reply of your own")).to_be_visible()
    press(page, "Next Shortcut J")
    expect(page).to_have_url(re.compile("row=4"))


def table_of(page: Page) -> Locator:
    """What of a table takes the focus and the arrow keys."""
    return page.get_by_test_id("data-grid-canvas").last


def test_a_run_is_chosen_renamed_and_opened_by_keyboard(serve, page, run_id, data_dir):
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page.goto(serve().url("/runs"))
    tab_to(page, table_of(page))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text(f"{run_id}: done.")).to_be_visible()
    tab_to(page, page.get_by_role("radio", name="Rename"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("textbox", name="Name", exact=True))
    page.keyboard.type("First look")
    page.keyboard.press("Enter")
    press(page, "Keep this name")
    expect(page.get_by_test_id("glide-cell-1-1")).to_have_text("First look")
    tab_to(page, page.get_by_role("radio", name="Rename"))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Delete")).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("checkbox", name="I mean it"))
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Delete this run")).to_be_enabled()
    press(page, "Open")
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={run_id}"))


def test_two_runs_are_ticked_and_set_side_by_side_by_keyboard(serve, page, run_id, data_dir):
    other = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page.goto(serve().url("/runs"))
    tab_to(page, table_of(page))
    page.keyboard.press("Shift+Space")
    expect(page.get_by_text(f"{other}: done.")).to_be_visible()
    ready(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    press(page, "Set side by side")
    expect(page.get_by_text(f"{other} and {run_id} share 20 pairs")).to_be_visible()


def test_a_star_puts_a_run_on_top_and_it_stays_chosen(serve, page, run_id, data_dir):
    made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    page.goto(serve().url("/runs"))
    tab_to(page, table_of(page))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text(f"{run_id}: done.")).to_be_visible()
    press(page, "Star")
    expect(page.get_by_test_id("glide-cell-2-0")).to_have_text(run_id)
    expect(page.get_by_text(f"{run_id}: done.")).to_be_visible()
    press(page, "Take its star away")
    expect(page.get_by_test_id("glide-cell-1-1")).to_have_text(run_id)


def test_a_row_of_compare_is_opened_by_keyboard(serve, page, run_id):
    server = serve()
    page.goto(server.url("/compare", run=run_id))
    tab_to(page, first_of(page))
    page.keyboard.press("ArrowDown")
    expect(row_of(page, "1")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(row_of(page, "1")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(LIST).locator(":focus")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("pair 1 of 480")).to_be_visible()

    page.goto(server.url("/compare", run=run_id))
    tab_to(page, page.get_by_role("textbox", name="Open a pair"))
    page.keyboard.type("17")
    page.keyboard.press("Enter")
    expect(page.get_by_text("pair 17 of 480")).to_be_visible()


def test_a_figure_is_within_reach_on_a_small_window(serve, visitor, run_id):
    page = visitor(width=400, height=500)
    page.goto(serve().url("/compare", run=run_id))
    expect(page.locator("[data-testid=stVegaLiteChart] path").first).to_be_attached()
    ready(page)  # a chart that comes now would push its button away from under the pointer
    page.get_by_role("button", name="Figure", exact=True).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Methods")).to_be_attached()
    dialog.get_by_text(f"ivan figure {run_id} agreement").scroll_into_view_if_needed()
    expect(dialog.get_by_text(f"ivan figure {run_id} agreement")).to_be_in_viewport()
    ready(page)
    with page.expect_download() as coming:
        dialog.get_by_role("button", name="CSV").click()
    assert coming.value.path().read_text().startswith("model,subset")
    # While a file is made its button takes no focus, and Escape goes nowhere.
    expect(dialog.get_by_role("button", name="CSV")).to_be_enabled()
    dialog.get_by_role("button", name="CSV").press("Escape")
    expect(dialog).to_have_count(0)


def make_column(page: Page, expression: str) -> None:
    page.get_by_text("Make a column", exact=True).click()
    field = page.get_by_role("textbox", name="Regular expression")
    field.fill(expression)
    page.get_by_role("button", name="Make the column").click()


def test_a_bar_of_a_column_becomes_a_chip_and_the_column_outlives_a_reload(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    make_column(page, r"\bthe\b")
    said = page.get_by_text(re.compile(r"^matches of \\bthe\\b: Mean "))
    expect(said).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]show=[0-9a-f]{16}"))
    bars = page.locator(CHART).filter(has=page.get_by_text("Agreement by which side has more"))
    bars.last.locator("path[aria-label*='Equal on both sides']").first.click()
    chip = page.locator(".st-key-chips").get_by_role(
        "button", name=r"matches of \bthe\b (chosen minus rejected): 0 ✕"
    )
    expect(chip).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]column="))

    page.reload()
    expect(said).to_be_visible()
    expect(chip).to_be_visible()
    page.get_by_role("link", name="Pairs").click()
    expect(page.get_by_role("button", name="Next")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(said).to_be_visible()
    chip.click()
    expect(chip).to_have_count(0)
    page.locator(".st-key-column-show").get_by_role("button", name="Clear value").click()
    expect(said).to_have_count(0)
    expect(page).not_to_have_url(re.compile("show="))


def test_a_catastrophic_regular_expression_ends_in_a_kind_sentence(serve, page, data_dir, tmp_path):
    ask = "\n\nHuman: q\n\nAssistant: "
    rows = [{"chosen": f"{ask}{'a' * 5000}!", "rejected": f"{ask}no"}]
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "long.jsonl", rows))
    page.goto(serve().url("/compare", run=made_runs.finished(data_dir, spec)))
    make_column(page, "(a+)+$")
    refused = page.get_by_text("There is no column matches of (a+)+$.")
    expect(refused).to_be_visible()
    expect(refused).to_contain_text("did not come to an end within 0.5 s on pair 0.")
    advice = "Write each repeat so that it can match in one way only."
    expect(page.get_by_text(advice)).to_be_visible()
    expect(page.get_by_text("1 pair. Click a pair")).to_be_visible()  # the page goes on
