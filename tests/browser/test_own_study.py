"""A researcher with a file: from an empty folder to a figure, in a study of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.reward_models import Fakes
from given.support import write_pairs
from keyboard import ready
from playwright.sync_api import Page, expect


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """Sixty pairs and a damaged line."""
    path = write_pairs(tmp_path / "my-prefs.jsonl", 60)
    path.write_text(f"{path.read_text()}{{not json\n")
    return path


@pytest.fixture
def researcher(page: Page) -> Iterator[Page]:
    """Their page; whatever it shows after the first press, it is never of the sample."""
    yield page
    said = page.locator("[data-testid=stMain]").inner_text()
    assert not re.search(r"\bsample\b", said), said


def drop(page: Page, file: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text("60 pairs, 2 turns each.")).to_be_visible()


def own(page: Page) -> None:
    """The page is of the study, and nothing on it is of the sample."""
    ready(page)
    expect(page.get_by_text("Study: my-prefs.jsonl · 60 pairs")).to_be_visible()
    said = page.locator("[data-testid=stMain]").inner_text()
    assert not re.search(r"\bsample\b", said), said


def test_from_a_file_to_pairs_labels_rewordings_and_a_figure(serve, researcher, own_file):
    page = researcher
    server = serve(Fakes())
    page.goto(server.base)
    drop(page, own_file)
    expect(page.get_by_text("line 61: not valid JSON")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Judge 60 pairs with 2 models")).click()
    expect(page.get_by_text(re.compile("sides with the recorded choice in"))).to_be_visible()
    own(page)
    for name in ("Pairs", "Taxonomy", "Rewrite", "Review", "Runs", "Home"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_url(re.compile("study=|run=" if name != "Home" else "study="))
        own(page)
    page.get_by_role("link", name="Taxonomy", exact=True).click()
    page.get_by_role("button", name="Label 120 texts").click()
    expect(page.get_by_text(re.compile("of 120 texts")).first).to_be_visible()
    own(page)
    page.get_by_role("link", name="Compare", exact=True).click()
    own(page)
    page.get_by_role("button", name="Figure").first.click()
    with page.expect_download() as figure:
        page.get_by_role("button", name=re.compile("SVG")).first.click()
    assert b"<svg" in Path(figure.value.path()).read_bytes()


def test_the_study_comes_back_with_reload_back_and_a_sent_link(serve, visitor, own_file):
    page = visitor()
    server = serve(Fakes())
    page.goto(server.base)
    drop(page, own_file)
    page.get_by_role("button", name="Only begin a study with them").click()
    expect(page).to_have_url(re.compile("study="))
    own(page)
    page.get_by_role("link", name="Rewrite", exact=True).click()
    own(page)
    address = page.url
    page.reload()
    own(page)
    page.go_back()
    expect(page.get_by_role("button", name=re.compile("^Judge 60 pairs"))).to_be_visible()
    own(page)
    page.go_forward()
    expect(page).to_have_url(address)
    own(page)
    friend = visitor()
    friend.goto(address)
    own(friend)
    expect(friend.get_by_role("button", name="Reword 60 pairs")).to_be_visible()
