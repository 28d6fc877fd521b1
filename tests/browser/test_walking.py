"""From a mark to its strip, one by one through its pairs, and back to the table."""

from __future__ import annotations

import re

import pytest
from given import made_runs
from keyboard import ready
from playwright.sync_api import Page, expect
from tables import LIST, row_of

from ivan_core.experiments.compare.conditions import LANGUAGE, VerdictIs, listing
from ivan_core.experiments.compare.results import open_results
from ivan_core.lists.conditions import Filter, matching_rows
from ivan_core.lists.pairs import SubsetIs

CHART = "[data-testid=stVegaLiteChart]"
MODEL = "ivan/minilm-harmless"
BAR = "[aria-label*='harmless; Verdict: disagree'][aria-label*='Model: ivan/minilm-harmless']"
WORDS = "minilm-harmless disagrees; subset: harmless"


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample())


def is_read(page: Page, row: int, place: int, of: int) -> None:
    expect(page.get_by_text(f"Pair {place} of {of}: {WORDS}")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/pairs.*row={row}$"))
    ready(page)


def test_a_mark_is_read_pair_by_pair_and_left_again(serve, page, run_id):
    results = open_results(run_id)
    asked = (VerdictIs(model=MODEL, verdict="disagree"), SubsetIs(label="harmless"))
    rows = matching_rows(listing(results), Filter(LANGUAGE, asked))
    among = [row for row in results.sharpest if row in rows]
    here = among.index(rows[1]) if rows[1] in among else -1
    sharpest = among[(here + 1) % len(among)]
    page.goto(serve().url("/compare", run=run_id))
    page.locator(f"{CHART} path{BAR}").first.click()
    strip = page.locator(".st-key-strip")
    expect(strip.get_by_text(f"{len(rows)} pairs: {WORDS}")).to_be_in_viewport()
    strip.get_by_role("link", name="See the table").click()
    expect(row_of(page, str(rows[0]))).to_be_in_viewport()
    strip.get_by_role("link", name="Read them one by one").click()
    is_read(page, rows[0], 1, len(rows))
    page.keyboard.press("j")
    is_read(page, rows[1], 2, len(rows))
    page.keyboard.press("d")
    is_read(page, sharpest, rows.index(sharpest) + 1, len(rows))
    page.go_back()
    is_read(page, rows[1], 2, len(rows))
    page.reload()
    is_read(page, rows[1], 2, len(rows))
    page.get_by_role("button", name="Back to the table").click()
    expect(row_of(page, str(rows[0]))).to_be_in_viewport()
    expect(strip.get_by_text(f"{len(rows)} pairs: {WORDS}")).to_be_visible()
    strip.get_by_role("button", name="✕").click()
    expect(strip).to_have_count(0)
    expect(page.get_by_text("480 rows, 1 to 50 shown.")).to_be_visible()
    expect(page.locator(LIST)).to_have_count(1)
    assert "verdict=" not in page.url
