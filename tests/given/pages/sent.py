"""A page that somebody was sent, opened from a file in a browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

WAIT = 300_000
"""Milliseconds within which a chart must be drawn, on a busy machine too."""


def opened(chromium: Browser, path: Path, **options: object) -> tuple[Page, list[str], list[str]]:
    """The page once its charts are drawn, all that it asked for, and what the console was told."""
    asked: list[str] = []
    told: list[str] = []
    expect.set_options(timeout=WAIT)
    context = chromium.new_context(**options)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(path.as_uri())
    places = page.locator("[data-spec]").count()
    assert places
    expect(page.locator("[data-spec] svg.marks")).to_have_count(places)
    return page, asked, told
