"""By keyboard alone: reaching things by Tab, and pressing them."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

READY = "[data-testid=stApp][data-test-script-state=notRunning]"
"""The app, once the script of its page has run to the end."""
_PAINTED = """() => new Promise(done => setTimeout(
    () => requestAnimationFrame(() => setTimeout(done)), 50))"""
"""What came with the last message is gathered for 10 ms, then put on the page with a frame."""
MOST_STOPS = 80
_HOLDS_FOCUS = "element => element.contains(document.activeElement)"


def ready(page: Page) -> None:
    """Wait until the page is drawn to its end, and its shortcuts listen."""
    expect(page.locator(READY)).to_be_attached()
    page.evaluate(_PAINTED)
    expect(page.locator(READY)).to_be_attached()


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the focus is on it."""
    expect(target).to_be_attached()
    ready(page)
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if target.evaluate(_HOLDS_FOCUS):
            return
    raise AssertionError(f"{MOST_STOPS} times Tab did not reach {target}.")


def press(page: Page, name: str, key: str = "Enter") -> None:
    """Press a button that was reached by Tab."""
    button = page.get_by_role("button", name=name, exact=True)
    expect(button).to_be_enabled()
    tab_to(page, button)
    page.keyboard.press(key)
