"""Pages as Streamlit's own test runner draws them: no browser, a data folder of their own."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from html import unescape
from itertools import count
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from ivan_core.models import servers

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
HOME = "streamlit_app.py"
# For each page Streamlit looks for components in all that is installed, which stays as it is.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
# Streamlit gives a page 3 seconds, which a busy machine may need for what takes a tenth of one.
for _way in (AppTest.from_file, AppTest.from_function, AppTest.from_string):
    _way.__func__.__kwdefaults__["default_timeout"] = 300  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def servers_may_be_slow_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is short for a demo server beside other tests; silence is no other server."""
    monkeypatch.setattr(servers, "SHOWN_SECONDS", 60.0)


class Page:
    """A page in a session of its own, as a person reads it."""

    def __init__(self, page: str, query: dict[str, str]) -> None:
        self.app = AppTest.from_file(str(ROOT / HOME), default_timeout=300)
        if page != HOME:
            self.app.switch_page(page)
        for name, value in query.items():
            self.app.query_params[name] = value
        self.run()

    def run(self) -> None:
        self.app.run()
        assert not self.app.exception, self.app.exception[0].value

    def press(self, key: str) -> None:
        self.app.button(key=key).click()
        self.run()

    def unfold(self, key: str) -> None:
        """Open a fold, whose inside is drawn then."""
        self.app.session_state[key] = True
        self.run()

    @property
    def said(self) -> str:
        """Its sentences below the navigation, one a line."""
        unseen = ("<style>", "<script>", '<span class="ivan-name">')
        drawn = (html.body for html in self.app.get("html") if not html.body.startswith(unseen))
        bodies = (body.replace("</p><p", "</p>\n<p") for body in drawn)
        pieces = (unescape(re.sub(r"<[^>]+>", "", body)) for body in bodies)
        return "\n".join(one for one in pieces if not one.startswith("Study: "))

    @property
    def study(self) -> str:
        """The line under the navigation that tells the study; empty where there is none."""
        texts = [re.sub(r"<[^>]+>", "", html.body) for html in self.app.get("html")]
        texts += [block.proto.popover.label.replace("\\", "") for block in self.app.get("popover")]
        return next((unescape(one) for one in texts if one.startswith("Study: ")), "")

    @property
    def buttons(self) -> dict[str, str]:
        """Labels of its buttons by key."""
        return {button.key: button.label for button in self.app.button}

    @property
    def links(self) -> dict[str, str]:
        """Where its links lead, by label; with the query string."""
        links = [link.proto for link in self.app.get("page_link")]
        return {link.label: f"{link.page}?{link.query_string}" for link in links}

    @property
    def kinds(self) -> list[str]:
        """The kinds of elements on it, from top to bottom."""
        return [element.type for element in self.app.main]


@pytest.fixture
def open_page(data_dir: Path) -> Callable[..., Page]:
    """Open a page by its file, with query parameters; Home where none is named."""

    def open_it(page: str = HOME, **query: str) -> Page:
        return Page(page, query)

    return open_it


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reviewers look at each item for minutes: between two looks at their clock there is one."""
    from pages.components.review import steps as review_steps

    monkeypatch.setattr(review_steps, "monotonic", count(0.0, 60.0).__next__)


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs for which a worker was started, in place of the workers."""
    from ivan_core.engine import handling as runs

    started: list[str] = []
    monkeypatch.setattr(runs, "spawn", started.append)
    return started
