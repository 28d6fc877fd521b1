"""Words as a newcomer meets them: a list is ranked for real, looked at, taken along, passed on."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from keyboard import ready
from playwright.sync_api import Page, expect

LIST = ("love", "peace", "cheese", "mud", "war", "ice cream")
TOGETHER = re.compile(r"^The two orders .* \(Spearman's rho, n = 6 words\)\.$")


def test_a_list_of_ones_own_is_ranked_and_seen_by_whoever_has_its_address(serve, visitor):
    server = serve()
    page: Page = visitor()
    page.goto(server.url())
    page.get_by_role("link", name="Words", exact=True).click()
    page.get_by_text("Other words, other models").click()
    own = page.get_by_role("textbox", name="A list of your own", exact=True)
    own.fill("\n".join(LIST))
    own.press("Tab")
    page.get_by_role("button", name="Rank my words").click()
    told = page.get_by_text(TOGETHER)
    expect(told).to_be_visible()
    for end in (".best", ".worst"):
        both = page.locator(f".ivan-words {end}")
        expect(both).to_have_count(2)
        for of_model in both.all():
            shown = of_model.get_by_role("listitem").all_inner_texts()
            assert len(shown) == 3 and set(shown) <= set(LIST)
    page.get_by_label("Where does a word stand?").fill("sunshine")
    page.get_by_label("Where does a word stand?").press("Enter")
    expect(page.get_by_text("“sunshine” is not in the list. It would be no. ")).to_be_visible()
    ready(page)
    with page.expect_download() as coming:
        page.get_by_role("button", name="CSV of all words").click()
    with Path(coming.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["place ivan/minilm-harmless"] for row in rows] == list("123456")
    assert {row["word"] for row in rows} == set(LIST)
    other: Page = visitor()
    other.goto(page.url)
    expect(other.get_by_text(told.inner_text(), exact=True)).to_be_visible()
    expect(other.get_by_label("Where does a word stand?")).to_have_value("love")
