"""`ivan app --public` as a stranger meets it: all is there, nothing runs, nothing is kept."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from app_server import ROOT, AppServer
from playwright.sync_api import Page, expect


class Demo(AppServer):
    """A demo from a folder that is thrown away."""

    def _launch(self) -> None:
        command = [sys.executable, "-m", "ivan_core", "app", "--public", "--port", str(self.port)]
        self._open(command, os.environ | {"OPENAI_API_KEY": "sk-secret"}, ROOT)


@pytest.fixture
def demo(data_dir: Path, visitor: object):
    server = Demo(data_dir)
    server.start()
    yield server
    server.close()


def test_a_stranger_finds_a_finished_study_and_leaves_nothing(demo, visitor, data_dir):
    page: Page = visitor()
    page.goto(demo.url())
    expect(page.get_by_text("A demo to look around in: nothing runs here.")).to_be_visible()
    expect(page.get_by_role("heading", name="What do 480 pairs of sample show?")).to_be_visible()
    expect(page.get_by_text(re.compile("leans to the shorter reply"))).to_be_visible()
    for name in ("Analysis", "Compare", "Rewrite", "Taxonomy"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(
            page.get_by_text(re.compile(r"run \d{4}-\d{2}-\d{2}-\d{2}-\d{2}")).first
        ).to_be_visible()
    page.get_by_role("link", name="Pairs", exact=True).click()
    page.get_by_text("Note and star").click()
    page.get_by_label("Note", exact=True).fill("Only for me.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Note and star (1)")).to_be_visible()
    other: Page = visitor()
    other.goto(page.url)
    expect(other.get_by_text("Note and star", exact=True)).to_be_visible()
    expect(other.get_by_text("Only for me.")).to_have_count(0)
    assert {path.name for path in data_dir.iterdir()} <= {".private"}
