"""A report that somebody was sent: it opens from a file, draws its charts and asks for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from accessibility import AXE
from given.hostile import made
from given.pages.sent import opened
from given.support import settings_of
from guarding import Listener
from playwright.sync_api import Browser, expect

from ivan_core.demo.finished_study import put_into
from ivan_core.engine import archive, handling as runs
from ivan_core.report.page import report


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the comparison of the finished study."""
    folder = tmp_path_factory.mktemp("sent")
    with pytest.MonkeyPatch.context() as patch:
        assert put_into(settings_of(patch, folder))
        (run,) = runs.every("compare")
        path = folder / "report.html"
        path.write_text(report(run.id), "utf-8")
    return path


def test_it_draws_its_charts_asks_for_nothing_and_breaks_no_rule(
    chromium: Browser, sent: Path
) -> None:
    page, asked, told = opened(chromium, sent, viewport={"width": 400, "height": 800})
    marks = page.locator("[data-spec='agreement-0'] .mark-rect path")
    assert marks.count() >= 18, "3 verdicts of 2 models on all pairs and on 2 subsets"
    marks.first.hover()
    expect(page.locator("#vg-tooltip-element")).to_contain_text("Model")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 400, "nothing is scrolled sideways"
    table = page.locator("details", has_text="The table behind it").first
    table.locator("summary").click()
    expect(table.get_by_role("columnheader", name="verdict")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert asked == [sent.as_uri()]
    assert told == []
    page.context.close()


def test_on_paper_all_sentences_stand_and_tables_stay_folded(chromium: Browser, sent: Path) -> None:
    page, _, _ = opened(chromium, sent)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    folded = page.locator("details:not([open])")
    assert folded.filter(has_text="The table behind it").count() > 10
    assert folded.filter(has_text="sides with the author's choice in").count() == 0
    expect(page.get_by_text("Where kind is natural").last).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    page.context.close()


def test_who_cannot_see_it_is_told_all_of_it(chromium: Browser, sent: Path) -> None:
    page, _, _ = opened(chromium, sent, bypass_csp=True)  # or axe could not run
    expect(page.locator("[data-spec]:has(> [aria-hidden])")).to_have_count(
        page.locator("[data-spec]").count()
    )
    slow = {"color-contrast": {"enabled": False}}  # of each cell of each table
    options = {"resultTypes": ["violations"], "rules": slow}
    found = AXE.run(page, options=options).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    chart = page.get_by_role("img").first
    assert len(chart.get_attribute("aria-label") or "") > 100
    page.context.close()


def test_hostile_texts_and_names_do_nothing(
    chromium: Browser, data_dir: Path, tmp_path: Path, listener: Listener
) -> None:
    run_id, _ = made(data_dir, tmp_path, listener.address)
    archive.rename(run_id, "</title><img src=x onerror=\"document.title='hit'\">")
    path = tmp_path / "hostile.html"
    path.write_text(report(run_id, texts=True), "utf-8", "replace")
    page, asked, told = opened(chromium, path)
    assert page.locator("[data-spec]").count() > 10
    assert page.title().startswith("Comparison </title><img")
    page.get_by_text("Pair 0", exact=True).click()
    expect(page.get_by_text("<script>fetch(").first).to_be_attached()
    assert asked == [path.as_uri()] and told == [] and listener.asked == []
    page.context.close()


def test_words_of_charts_are_light_at_night_and_dark_by_day_and_on_paper(
    chromium: Browser, sent: Path
) -> None:
    page, _, _ = opened(chromium, sent, color_scheme="dark")
    name = page.locator("[data-spec='agreement-0'] text", has_text="All pairs").first

    def lightness() -> tuple[int, int]:
        """Of words of a chart, and of the page behind them: 0 to 255."""
        tones = name.evaluate(
            "e => [getComputedStyle(e).fill, getComputedStyle(document.body).backgroundColor]"
        )
        first, second = (sum(map(int, tone[4:-1].split(","))) // 3 for tone in tones)
        return first, second

    words, behind = lightness()
    assert words > 200 and behind < 50
    for change in ({"color_scheme": "light"}, {"color_scheme": "dark", "media": "print"}):
        page.emulate_media(**change)
        words, behind = lightness()
        assert words < 80 and behind > 240
    page.context.close()
