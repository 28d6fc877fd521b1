"""Picking one of several, as a person does who presses again where the page moved away."""

from __future__ import annotations

from contextlib import suppress

from keyboard import ready
from playwright.sync_api import Locator, expect

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
