"""Reading a finished run: deep links, from a mark to a pair, keys, Back, downloads."""

from __future__ import annotations

import re

import made_runs
import pytest
from playwright.sync_api import Page, expect

from ivan_core.workspace.results import open_results

CHART = "[data-testid=stVegaLiteChart]"
TABLE = "[data-testid=stDataFrame]"
FIRST_ROW = {"x": 300, "y": 52}
"""Inside a table: below its header, on a text."""


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample())


def shows_row(page: Page, row: int) -> None:
    expect(page.get_by_text(f"row {row} of 480 · sample")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/pairs.*row={row}$"))


def test_a_deep_link_to_compare_opens_on_a_server_that_has_just_started(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    expect(page.get_by_text("sides with the authored choice in").first).to_be_visible()
    expect(page.locator(CHART).first).to_be_visible()


def test_a_deep_link_to_a_pair_opens_on_a_server_that_has_just_started(serve, page, run_id):
    page.goto(serve().url("/pairs", run=run_id, row=17))
    shows_row(page, 17)
    expect(page.get_by_text("A · chosen")).to_be_visible()
    page.reload()
    shows_row(page, 17)


def test_from_a_bar_to_its_rows_to_a_pair_and_back(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    bar = "[aria-label*='harmless; Verdict: disagree'][aria-label*='Model: ivan/minilm-harmless']"
    page.locator(f"{CHART} path{bar}").first.click()
    expect(page.get_by_role("button", name="ivan/minilm-harmless: disagree")).to_be_visible()
    expect(page.get_by_role("button", name="subset: harmless")).to_be_visible()
    page.locator(TABLE).last.click(position=FIRST_ROW)
    expect(page.get_by_text("A · chosen")).to_be_visible()
    expect(page.get_by_text(re.compile(r"row \d+ of 480 · sample · harmless"))).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    expect(page.get_by_text("sides with the authored choice in").first).to_be_visible()


def test_from_a_cell_of_rewards_to_its_rows(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    page.get_by_role("radio", name="Rewards").check(force=True)
    cells = page.locator(CHART).nth(1).locator("path[aria-roledescription]")
    expect(cells.first).to_be_visible()
    cells.nth(cells.count() // 2).click()
    chip = page.get_by_role("button", name="ivan/minilm-harmless: chosen reward")
    expect(chip).to_be_visible()
    page.locator(TABLE).last.click(position=FIRST_ROW)
    expect(page.get_by_text("A · chosen")).to_be_visible()


def test_pages_of_rows_turn(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    page.get_by_role("button", name=re.compile(r"\b10$")).click()
    expect(page.get_by_text("480 rows, 451 to 480 shown.")).to_be_visible()
    page.locator(TABLE).last.click(position=FIRST_ROW)
    shows_row(page, 450)


def test_keys_move_and_back_returns_one_step(serve, page, run_id):
    sharpest = open_results(run_id).sharpest[0]
    page.goto(serve().url("/pairs", run=run_id, row=0))
    shows_row(page, 0)
    expect(page.get_by_role("button", name="Next")).to_be_enabled()
    page.keyboard.press("j")
    shows_row(page, 1)
    page.keyboard.press("j")
    shows_row(page, 2)
    page.keyboard.press("k")
    shows_row(page, 1)
    page.keyboard.press("d")
    shows_row(page, sharpest)
    page.go_back()
    shows_row(page, 1)
    page.go_forward()
    shows_row(page, sharpest)


def test_a_finding_on_home_leads_to_its_pair(serve, page, run_id):
    page.goto(serve().url())
    page.get_by_role("link", name="Read the 5 sharpest").click()
    shows_row(page, open_results(run_id).sharpest[0])
    page.go_back()
    expect(page.get_by_role("heading", name="What does a preference dataset")).to_be_visible()


def test_the_csv_files_come_down_as_they_are(serve, page, run_id, data_dir):
    page.goto(serve().url("/compare", run=run_id))
    page.get_by_text("Files, command and settings").click()
    names = sorted(path.name for path in (data_dir / "compare").iterdir())
    assert len(names) == 3
    for name in names:
        with page.expect_download() as coming:
            page.get_by_role("button", name=name).click()
        assert coming.value.suggested_filename == name
        assert coming.value.path().read_bytes() == (data_dir / "compare" / name).read_bytes()


def test_a_run_that_does_not_exist_is_said_and_the_way_out_works(serve, page, run_id):
    page.goto(serve().url("/compare", run="no-such-run"))
    expect(page.get_by_text("There is no run 'no-such-run' here.")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("button", name="Judge 480 pairs with 2 models")).to_be_visible()


def test_runs_leads_to_a_run_and_navigation_keeps_it(serve, page, run_id):
    page.goto(serve().url("/runs"))
    page.locator(TABLE).click(position={"x": 150, "y": 52})
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("sides with the authored choice in").first).to_be_visible()
    page.get_by_role("link", name="Pairs").click()
    expect(page.get_by_text("row 0 of 480 · sample")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/pairs.*run={run_id}"))
