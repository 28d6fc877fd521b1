"""Tables as a person sees them: a click before the cells are there goes nowhere."""

from __future__ import annotations

from keyboard import ready
from playwright.sync_api import Page, expect

TABLE = "[data-testid=stDataFrame]"
_HEAD = 18
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


def click_head(page: Page, first_cell: str, at: int) -> None:
    """Click the head of a column of that table, `at` pixels from the left."""
    table = page.locator(TABLE).last
    expect(table.get_by_test_id("glide-cell-1-0")).to_have_text(first_cell)
    ready(page)
    table.click(position={"x": at, "y": _HEAD})
