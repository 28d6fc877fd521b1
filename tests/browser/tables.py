"""Tables as a person sees them: a click before the cells are there goes nowhere."""

from __future__ import annotations

from keyboard import ready
from playwright.sync_api import Locator, Page, expect

TABLE = "[data-testid=stDataFrame]"
LIST = ".ivan-table"
"""A list of rows, pairs or texts."""
_FIRST_ROW = 52
"""Pixels from the top of a table to its first row, below the header."""


def click_first_row(page: Page, first_cell: str, at: int = 150) -> None:
    """Click the first row of the page's only or last table, `at` pixels from the left.

    `first_cell` is what its first cell must say by then: a table that is about to be replaced by
    another one, or that has not drawn its cells yet, would lose the click.
    """
    table = page.locator(TABLE).last
    expect(table.get_by_test_id("glide-cell-1-0")).to_have_text(first_cell)
    ready(page)
    table.click(position={"x": at, "y": _FIRST_ROW})


def row_of(page: Page, row: str) -> Locator:
    """The link that leads to a row of the page's only list of rows, once it is there."""
    link = page.locator(LIST).get_by_role("link", name=f"Pair {row}", exact=True)
    expect(link).to_be_visible()
    ready(page)
    return link


def first_of(page: Page) -> Locator:
    """The first row's link of that list."""
    return page.locator(LIST).get_by_role("link").first


def sort_by(page: Page, head: str) -> None:
    """Press the head of a column of that list."""
    ready(page)
    page.locator(LIST).get_by_role("button", name=head).click()
