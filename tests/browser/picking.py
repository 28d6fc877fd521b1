"""Picking one of several and typing a new one, as a person does who does it again where the page
moved away; and accepting a cost.
"""

from __future__ import annotations

import re
from contextlib import suppress

from keyboard import ready
from playwright.sync_api import Locator, Page, TimeoutError, expect

ACCEPT = "Go to confirmation …"
UPLOAD = re.compile(r"^Upload, at the most \$\d")
_MOST_CLICKS = 10
_MARKED = 20_000
"""Milliseconds within which the browser marks what was clicked, before anything is sent."""


def pick(radio: Locator) -> None:
    """Pick one of several once the page is drawn, and wait until it is drawn with that.

    The input itself is hidden, so the click is forced: it goes to where the input was, and is lost
    if the page moved meanwhile; it is then made once more.
    """
    for _ in range(_MOST_CLICKS):
        ready(radio.page)
        radio.click(force=True)
        with suppress(AssertionError):
            expect(radio).to_be_checked(timeout=_MARKED)
            return ready(radio.page)
    raise AssertionError(f"{_MOST_CLICKS} clicks did not pick {radio}.")


def choose(page: Page, field: str, option: str) -> None:
    """Choose one of a list, and wait until the page is drawn with it.

    A page that is drawn meanwhile takes the list away; it is then opened once more.
    """
    offered = page.get_by_role("option", name=option)
    for _ in range(_MOST_CLICKS):
        ready(page)
        page.get_by_role("combobox", name=field).click()
        with suppress(AssertionError, TimeoutError):
            expect(offered).to_be_visible(timeout=_MARKED)
            offered.click(timeout=_MARKED)
            return ready(page)
    raise AssertionError(f"{field!r} was opened {_MOST_CLICKS} times without {option!r}.")


def offer_new(field: Locator, text: str) -> Locator:
    """Type what a list lacks; the option that adds it.

    A page that is drawn meanwhile takes the words and the list away; they are then typed once more.
    """
    add = field.page.get_by_role("option", name="Add:")
    for _ in range(_MOST_CLICKS):
        ready(field.page)
        field.click()
        field.fill(text)
        with suppress(AssertionError):
            expect(add).to_be_visible(timeout=_MARKED)
            return add
    raise AssertionError(f"{text!r} was typed {_MOST_CLICKS} times and never offered.")


def accept(page: Page) -> Locator:
    """Open the dialog and tick the box; the button that sends."""
    page.get_by_role("button", name=ACCEPT).click()
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name=UPLOAD)
    expect(button).to_be_disabled()
    dialog.get_by_text("I accept this cost").click()
    expect(button).to_be_enabled()
    return button
