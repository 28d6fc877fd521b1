"""The app on a narrow screen and from the keyboard."""

from __future__ import annotations

import re

import pytest
from fakes.reward_models import Fakes
from given import made_runs
from given.support import wait_for
from keyboard import ready
from playwright.sync_api import Page, expect

WIDE = """() => [...document.querySelectorAll('html, [data-testid=stMain]')]
    .map(element => element.scrollWidth - element.clientWidth)"""


@pytest.fixture
def run_id(data_dir, tmp_path) -> str:
    """Six models with long names on twelve subsets, of replies with very long words."""
    rows = [
        {
            "chosen": f"\n\nHuman: q{i}\n\nAssistant: {'yes' * 900}",
            "rejected": f"\n\nHuman: q{i}\n\nAssistant: no, {i}",
            "subset": f"a-long-subset-{i % 12}",
        }
        for i in range(36)
    ]
    names = tuple(f"an-organisation/a-rather-long-name-of-a-reward-model-{n}" for n in range(6))
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "rows.jsonl", rows), names)
    return made_runs.finished(data_dir, spec)


def test_no_page_scrolls_sideways_on_a_narrow_screen(serve, visitor, run_id):
    server = serve()
    page: Page = visitor(width=400, height=800)
    for path, query, text in (
        ("/", {}, "Recent runs"),
        ("/compare", {}, "Which reply does a reward model prefer"),
        ("/compare", {"run": run_id}, "sides with the recorded choice"),
        ("/pairs", {"run": run_id, "row": 3}, "A · chosen"),
        ("/runs", {}, "Select a run"),
    ):
        page.goto(server.url(path, **query))
        expect(page.get_by_text(text).first).to_be_visible()
        ready(page)
        wait_for(lambda: page.evaluate(WIDE) == [0, 0])


def test_the_keyboard_alone_starts_a_run(serve, page):
    page.goto(serve(Fakes(delay=0.05)).url())
    button = page.get_by_role("button", name=re.compile("Judge the sample"))
    expect(button).to_be_visible()
    ready(page)
    for _ in range(12):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()
