"""Many models, of one run and of several: a cell of their matrix leads to its pairs."""

from __future__ import annotations

import re

import pytest
from given import made_runs
from keyboard import ready
from playwright.sync_api import Page, expect
from tables import LIST, TABLE, row_of

from ivan_core.experiments.compare.results import open_results

MODELS = made_runs.many(5)
CHART = "[data-testid=stVegaLiteChart]"
_HEAD, _ROW = 35, 35
"""Pixels of the head and of a row of a table."""


def click_cell(page: Page, first: str, second: str) -> None:
    """Click the cell of two models beside its number, which lies on it."""
    ready(page)
    cell = page.locator(f"{CHART} path[aria-label*='Model: {first}; Beside: {second};']").first
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 5, box["y"] + 4)


def parting(run_id: str, first: str, second: str) -> list[int]:
    """The pairs of a run on which two of its models have different verdicts."""
    aligned = open_results(run_id).aligned
    ours, theirs = (aligned.models[name].verdict for name in (first, second))
    found: list[int] = aligned.row_ids[ours != theirs].tolist()
    return found


@pytest.fixture
def whole(data_dir) -> str:
    """One run with all models."""
    return made_runs.finished(data_dir, made_runs.spec_of_sample(MODELS, limit=40))


def test_a_cell_of_the_matrix_of_a_run_lists_its_pairs(serve, page, whole):
    page.goto(serve().url("/compare", run=whole))
    expect(page.get_by_text("Of 5 models made/model-")).to_be_visible()
    click_cell(page, MODELS[1], MODELS[3])
    chip = page.locator(".st-key-chips").get_by_role("button", name="model-04 part ✕")
    expect(chip).to_be_visible()
    rows = parting(whole, MODELS[1], MODELS[3])
    expect(page.get_by_text(f"{len(rows)} pairs. Click a pair")).to_be_visible()
    row_of(page, str(rows[0])).click()
    expect(page).to_have_url(re.compile(rf"/pairs\?.*row={rows[0]}\b"))


def test_a_cell_of_several_runs_lists_its_pairs_and_leads_to_one(serve, page, data_dir, whole):
    apart = [
        made_runs.finished(data_dir, made_runs.spec_of_sample(models, limit=40))
        for models in (MODELS[:2], MODELS[2:])
    ]
    page.goto(serve().url("/runs"))
    table = page.locator(TABLE).first
    expect(table.get_by_test_id("glide-cell-1-0")).to_have_text(apart[1])
    for place in (0, 1):
        ready(page)
        table.click(position={"x": 15, "y": _HEAD + _ROW * place + 15})
    page.get_by_role("button", name="Set in one table").click()
    expect(page.get_by_text("5 models of 2 runs judged the same 40 pairs")).to_be_visible()
    page.get_by_text("Equal verdicts", exact=True).click()
    click_cell(page, MODELS[1], MODELS[3])
    expect(page.get_by_text(f"{MODELS[1]} and {MODELS[3]} part")).to_be_visible()
    rows = parting(whole, MODELS[1], MODELS[3])
    expect(page.get_by_text(f"{len(rows)} pairs. Click a pair to read it.")).to_be_visible()
    expect(page.locator(LIST).get_by_role("link")).to_have_count(len(rows))
    row_of(page, str(rows[-1])).click()
    expect(page).to_have_url(re.compile(rf"/pairs\?run={apart[0]}&row={rows[-1]}$"))
