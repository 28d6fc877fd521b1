"""A rewording from the first press to the file, with real rules and models, on a small draw."""

from __future__ import annotations

import csv
import re

from app_server import wait_for_run
from fakes.reward_models import Fakes
from given import hostile
from given.hostile import rewordings
from keyboard import ready
from picking import choose
from playwright.sync_api import Page, expect

from ivan_core.domain.runs import RunState
from ivan_core.experiments.rewrite.results import open_rewrite
from ivan_core.runs.registry import Registry

ROWS = 130
"""Three chunks: enough to be stopped between two."""


def headline(page: Page, share: str):
    return page.get_by_text(re.compile(rf"Meaning kept in {share} \[\d+, \d+\] of \d+ pairs"))


def begin(page: Page, base: str) -> None:
    """Go to the page and start a small draw."""
    page.goto(base)
    choose(page, "Which pairs", "A random draw of N")
    number = page.get_by_role("spinbutton", name="N", exact=True)
    number.fill(str(ROWS))
    number.press("Enter")
    page.get_by_role("button", name=f"Reword {ROWS} pairs").click()
    expect(page.get_by_text("Rewording sample with ivan/rules (rule-based)")).to_be_visible()


def test_from_the_start_to_the_file(serve, page, data_dir, tmp_path):
    held = tmp_path / "held"
    held.touch()
    server = serve(Fakes(held=str(held)))  # the work of a rewording is real all the same
    begin(page, server.url("/rewrite"))
    so_far = page.get_by_text(re.compile(r"pieces accepted so far")).first
    expect(so_far).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("This run was cancelled.")).to_be_visible()
    stopped = wait_for_run(data_dir, RunState.CANCELLED)
    held.unlink()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(headline(page, r"\d+%")).to_be_visible()
    run = wait_for_run(data_dir, RunState.DONE)
    assert run.id == stopped.id
    assert len(Registry(data_dir).all()) == 1

    expect(headline(page, "100%")).to_be_visible()
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("End")
    expect(headline(page, "0%")).to_be_visible()
    expect(page).to_have_url(re.compile("meaning=1"))
    page.go_back()
    expect(headline(page, "100%")).to_be_visible()

    found = open_rewrite(run.id)
    bars = page.locator("[data-testid=stVegaLiteChart]").first.locator("g.mark-rect.role-mark path")
    expect(bars.first).to_be_attached()
    ready(page)
    widths = bars.evaluate_all("bars => bars.map(bar => bar.getBoundingClientRect().width)")
    # Over the middle of a bar lies its interval.
    bars.nth(widths.index(max(widths))).click(position={"x": 4, "y": 4})
    expect(page).to_have_url(re.compile("flip=(mis)?aligned"))
    chip = page.get_by_role("button", name=re.compile("agrees now|no longer agrees"))
    expect(chip).to_be_visible()
    expect(page.get_by_text("Chosen after looking")).to_be_visible()
    first = page.locator(".ivan-table a").first.inner_text()
    page.get_by_role("textbox", name="Open a pair").fill(first)
    page.keyboard.press("Enter")
    turned = re.compile(r" and now (agrees|disagrees|likes both the same)")
    expect(page.get_by_text(turned)).to_be_visible()
    expect(page).to_have_url(re.compile("row="))
    row = int(re.findall(r"row=(\d+)", page.url)[0])
    reply = found.pair(row).sides["original"][0].reply
    expect(page.get_by_text(reply.split()[-1]).first).to_be_visible()
    page.get_by_role("button", name="All pairs").click()
    chip.click()
    expect(page.get_by_text(f"{ROWS} pairs, 1 to 50 shown.")).to_be_visible()

    details = page.get_by_text("Files, command and settings")
    expect(details).to_have_count(1)
    ready(page)
    details.click()
    ready(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="-rewrite.csv").click()
    path = tmp_path / "taken.csv"
    download.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert len(header) == 39
    assert 0 < len(rows) <= ROWS


def test_hostile_texts_are_read_as_they_are_and_ask_for_nothing(serve, page, data_dir, tmp_path):
    leak = "http://leak.invalid"
    run_id, model = rewordings.made(data_dir, tmp_path, leak)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog: {dialog.message}"))
    server = serve()
    page.goto(
        server.url("/rewrite", run=run_id, meaning="0", model=model, flip="any", of="surface")
    )
    expect(page.get_by_text("Chosen after looking")).to_be_visible()
    chip = page.get_by_role("button", name=re.compile("flips either way"))
    expect(chip).to_be_visible()
    assert f"{model}: flips either way" in chip.inner_text().replace("\u2060", "")
    for row, seen in ((0, "Sure, here it is:"), (1, "The server said"), (2, "Now then,")):
        page.goto(server.url("/rewrite", run=run_id, row=row))
        expect(page.get_by_text(f"Pair {row}: {row + 1} of 18 pairs")).to_be_visible()
        expect(page.get_by_text(seen).first).to_be_visible()
        expect(page.get_by_test_id("stMain")).to_contain_text(hostile.texts(leak)[row])
    expect(page).to_have_title("Rewrite · IVAN")
    assert [url for url in asked if not url.startswith((f"{server.base}/", "data:", "blob:"))] == []
