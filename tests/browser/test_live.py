"""A run at work: started by one press, seen by two, cancelled, resumed, outliving the server."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from app_server import wait_for_run
from fakes.reward_models import Fakes
from given.support import wait_for
from playwright.sync_api import Locator, Page, expect
from tables import click_first_row

from ivan_core.domain.runs import RunState
from ivan_core.runs.registry import Registry

FIRST = re.compile("Judge the sample with two models")
WHOLE = re.compile("Do the whole study on the sample")
HEADLINE = "sides with the author's choice in"
SO_FAR = re.compile(r"of \d+ pairs so far \[")
FAR = re.compile(r"^\(\d+%\) Compare · IVAN$")
MOST_WORK = 120
"""Seconds of processor: a minute on a machine with two cores and nothing else to do."""


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """Workers that are told of this file stop after a chunk for as long as it exists."""
    file = tmp_path / "held"
    file.touch()
    return file


def begin(page: Page, base: str) -> None:
    """The first press of a person who has just come."""
    page.goto(base)
    page.get_by_role("button", name=FIRST).click()
    expect(page.get_by_text("Judging sample")).to_be_visible()


def test_one_press_judges_the_sample_for_real_with_a_minutes_work(serve, page):
    server = serve()
    page.goto(server.url())
    before = server.work_seconds()
    page.get_by_role("button", name=FIRST).click()
    expect(page.get_by_text(HEADLINE).first).to_be_visible()
    expect(page.get_by_text("480 pairs, 1 to 50 shown.")).to_be_visible()
    assert wait_for(lambda: server.work_seconds() - before) < MOST_WORK


def test_two_people_see_the_same_run_to_its_result(serve, visitor, data_dir, held):
    server = serve(Fakes(held=str(held)))
    mine, theirs = visitor(), visitor()
    begin(mine, server.base)
    theirs.goto(mine.url)
    expect(theirs.get_by_text(SO_FAR).first).to_be_visible()
    expect(mine.get_by_text(SO_FAR).first).to_be_visible()
    for person in (mine, theirs):
        expect(person).to_have_title(FAR)
    held.unlink()
    for person in (mine, theirs):
        expect(person.get_by_text(HEADLINE).first).to_be_visible()
        expect(person).to_have_title("Compare · IVAN")
    assert (
        mine.get_by_text(HEADLINE).first.inner_text()
        == theirs.get_by_text(HEADLINE).first.inner_text()
    )
    assert len(Registry(data_dir).all()) == 1


def test_cancel_waits_for_no_work_and_resume_ends_at_the_same_numbers(serve, page, data_dir, held):
    server = serve(Fakes(held=str(held)))
    begin(page, server.base)
    expect(page.get_by_text(SO_FAR).first).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    wait_for_run(data_dir, RunState.CANCELLED)
    stopped = page.get_by_text("This run was cancelled. It stopped at")
    expect(stopped).to_contain_text("of 960 judgements; what is finished is kept.")
    held.unlink()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.get_by_text(HEADLINE).first).to_be_visible()
    expect(page.get_by_text("This run was cancelled.")).to_be_hidden()
    resumed = wait_for_run(data_dir, RunState.DONE)

    page.get_by_role("button", name="New comparison").click()
    page.get_by_role("button", name=re.compile("Judge 480 pairs")).click()
    expect(page.get_by_text("All rewards were known already")).to_be_visible()
    whole = wait_for_run(data_dir, RunState.DONE)
    tables = [
        pd.read_parquet(data_dir / "runs" / run.id / "table.parquet") for run in (resumed, whole)
    ]
    assert resumed.id != whole.id
    pd.testing.assert_frame_equal(*tables)


def test_a_run_goes_on_while_the_server_is_killed_and_comes_back(serve, page, data_dir, held):
    server = serve(Fakes(held=str(held)), anew=True)
    begin(page, server.base)
    expect(page.get_by_text(SO_FAR).first).to_be_visible()
    server.kill()
    before = Registry(data_dir).all()[0]
    assert before.state is RunState.RUNNING
    held.unlink()
    after = wait_for_run(data_dir, RunState.DONE)
    server.start()
    expect(page.get_by_text(HEADLINE).first).to_be_visible()
    assert after.id == before.id
    assert after.done > before.done


def test_pressing_twice_starts_one_run(serve, page, data_dir, held):
    server = serve(Fakes(held=str(held)))
    page.goto(server.url("/compare"))
    page.get_by_role("button", name="Judge 480 pairs with 2 models").dblclick()
    expect(page.get_by_text("Judging sample")).to_be_visible()
    expect(page.get_by_text(SO_FAR).first).to_be_visible()
    assert len(Registry(data_dir).all()) == 1


def test_a_run_is_cancelled_and_resumed_from_the_list(serve, page, data_dir, held):
    server = serve(Fakes(held=str(held)))
    begin(page, server.base)
    page.get_by_role("link", name="Runs").click()
    click_first_row(page, Registry(data_dir).all()[0].id)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.get_by_text("Judging sample")).to_be_visible()
    held.unlink()
    expect(page.get_by_text(HEADLINE).first).to_be_visible()


def tile(page: Page, stage: str) -> Locator:
    return page.locator(f".st-key-tile-{stage}")


def states(data_dir: Path) -> dict[str, RunState]:
    return {run.kind: run.state for run in Registry(data_dir).all()}


def test_a_study_pressed_twice_is_done_once_without_the_server_and_leads_to_its_pairs(
    serve, page, data_dir, tmp_path
):
    held = tmp_path / "held"
    held.touch()
    server = serve(Fakes(held=str(held)), anew=True)
    page.goto(server.url())
    page.get_by_role("button", name=WHOLE).dblclick()
    expect(tile(page, "Compare")).to_contain_text("Scoring with")
    expect(tile(page, "Labels")).to_contain_text("waits for its turn")
    expect(page.get_by_role("button", name="Cancel all")).to_be_visible()
    tile(page, "Rewording").get_by_role("button", name="Cancel").click()
    expect(tile(page, "Rewording")).to_contain_text("cancelled")
    server.kill()
    held.unlink()
    ended = dict.fromkeys(("compare", "labels", "analysis"), RunState.DONE)
    wait_for(lambda: states(data_dir) == {**ended, "rewrite": RunState.CANCELLED})
    assert len(Registry(data_dir).all()) == 4
    server.start()
    expect(tile(page, "Compare")).to_contain_text(re.compile(r"480\s*pairs judged"))
    expect(tile(page, "Labels")).to_contain_text(re.compile(r"480\s*pairs labelled"))
    expect(tile(page, "Analysis")).to_contain_text(re.compile(r"480\s*pairs analysed"))
    expect(tile(page, "Rewording").get_by_role("button", name="Resume")).to_be_visible()
    # A finding is pressed anywhere, on its picture too.
    page.locator("[class*=st-key-finding-]").first.get_by_test_id("stVegaLiteChart").click(
        force=True
    )
    expect(page).to_have_url(re.compile(r"/pairs\?run=[\d-]+&row=\d+"))
    expect(page.get_by_text("A · chosen")).to_be_visible()
