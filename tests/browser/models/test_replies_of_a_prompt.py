"""A bar of the best of several replies leads to a prompt that the model gets wrong, and to all its
replies by reward.
"""

from __future__ import annotations

import re

from given.layouts import scored
from keyboard import ready
from playwright.sync_api import expect
from tables import LIST, row_of

CHART = "[data-testid=stVegaLiteChart]"


def test_a_press_on_a_bar_leads_to_the_prompts_it_misses_and_their_replies(
    serve, page, data_dir, tmp_path
):
    run = scored.second(tmp_path)
    page.goto(serve().url("/compare", run=run))
    expect(page.get_by_text("a right one gets the highest reward of better in 67%")).to_be_visible()
    bar = page.locator(f"{CHART} path[aria-label*='Model: better; Prompts: All prompts;']").first
    ready(page)
    bar.scroll_into_view_if_needed()
    ready(page)
    box = bar.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 5, box["y"] + box["height"] / 2)
    chips = page.locator(".st-key-chips")
    expect(chips.get_by_role("button", name="decides a prompt for better ✕")).to_be_visible()
    expect(page.get_by_text("1 pair. Click a pair")).to_be_visible()
    row_of(page, "3").click()
    expect(page).to_have_url(re.compile(r"/pairs\?.*row=3\b"))
    expect(page.get_by_role("heading", name="All replies to this prompt")).to_be_visible()
    expect(page.get_by_text("better rewards a wrong reply most.")).to_be_visible()
    replies = page.locator(LIST).last
    # What stands in a reply is text: no tag of it is drawn.
    expect(replies.get_by_text("<b>Ten</b> Human: x")).to_be_visible()
    ready(page)
    replies.get_by_role("link", name="Reply 4", exact=True).click()
    expect(page).to_have_url(re.compile(r"/pairs\?.*row=5\b"))
