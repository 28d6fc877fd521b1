"""The page of a whole study, which has one of each experiment: drawn without a request, narrow, at
night and on paper.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from given import made_runs
from given.hostile import made
from given.made_reviews import Said
from given.pages.sent import opened
from given.support import settings_of
from given.words.scored_words import asked as asked_words, keep
from guarding import Listener
from playwright.sync_api import Browser, Page, expect

from ivan_core.demo.finished_study import put_into
from ivan_core.engine import archive, handling as runs
from ivan_core.experiments.compare.results import open_results
from ivan_core.report.page import report
from ivan_core.report.study import study_named

NARROW = {"width": 400, "height": 800}
CHAPTERS = ("Comparison", "Labelling", "Rewording", "Analysis")


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the finished study."""
    folder = tmp_path_factory.mktemp("sent-study")
    with pytest.MonkeyPatch.context() as patch:
        assert put_into(settings_of(patch, folder))
        path = folder / "study.html"
        path.write_text(report(study_named(runs.every("compare")[0].id)), "utf-8")
    return path


def width_of(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_experiment_is_drawn_and_nothing_is_asked_for(
    chromium: Browser, sent: Path, scheme: str
) -> None:
    page, asked, told = opened(chromium, sent, viewport=NARROW, color_scheme=scheme)
    assert asked == [sent.as_uri()] and told == []
    for name in CHAPTERS:
        chapter = page.get_by_role("region", name=re.compile(name)).first
        assert chapter.locator("svg.marks").count() > 2, name
    assert page.get_by_role("region", name="What do reviewers say?").locator("svg").count() == 4
    assert width_of(page) == NARROW["width"], "nothing is scrolled sideways"
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert width_of(page) == NARROW["width"], "nor with all tables and manifests open"
    page.get_by_role("link", name=re.compile("^Analysis")).click()
    expect(page.get_by_role("heading", name=re.compile("^Analysis"))).to_be_in_viewport()
    page.context.close()


def test_on_paper_charts_fit_the_sheet_and_the_ways_within_it_are_left_out(
    chromium: Browser, sent: Path
) -> None:
    page, asked, told = opened(chromium, sent, viewport={"width": 700, "height": 900})
    page.emulate_media(media="print")
    assert page.evaluate(
        "[...document.querySelectorAll('svg.marks')].every("
        "one => one.getBoundingClientRect().right <= document.documentElement.clientWidth)"
    )
    expect(page.locator("nav")).to_be_hidden()
    assert len(page.pdf(format="A4")) > 100_000
    assert asked == [sent.as_uri()] and told == []
    page.context.close()


def test_hostile_names_and_people_do_nothing(
    chromium: Browser, data_dir: Path, tmp_path: Path, listener: Listener
) -> None:
    run_id, _ = made(data_dir, tmp_path, listener.address)
    archive.rename(run_id, f"</title><img src={listener.address} onerror=\"document.title='hit'\">")
    said = Said(data_dir, open_results(run_id).dataset.fingerprint)
    queue = said.pairs(2, title="<script>document.title='hit'</script>")
    for name in ("Ada<img src=x onerror=\"document.title='hit'\">", "Zoë"):
        said.choose(queue, name, {0: "chosen", 1: "rejected"}, seconds=5.0)
    path = tmp_path / "hostile.html"
    path.write_text(report(study_named(run_id), texts=True), "utf-8", "replace")
    page, asked, told = opened(chromium, path)
    assert page.title().startswith("Study of ")
    expect(page.get_by_role("heading", name="</title><img").first).to_be_attached()
    assert asked == [path.as_uri()] and told == [] and listener.asked == []
    page.context.close()


def test_many_models_and_words_fit_a_phone_and_ask_for_nothing(
    chromium: Browser, data_dir: Path, tmp_path: Path
) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(made_runs.many(5), limit=40))
    keep(asked_words(), [3, 2, 1, 0, -1], [1, 3, 2, 0, None])
    for named in (run_id, f"words-{asked_words().key}"):
        path = tmp_path / f"{named}.html"
        path.write_text(report(named), "utf-8")
        page, asked, told = opened(chromium, path, viewport=NARROW)
        assert asked == [path.as_uri()] and told == [] and width_of(page) == NARROW["width"]
        page.context.close()
