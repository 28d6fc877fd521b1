"""Journeys through the app in Debian's Chromium, each with a data folder of its own.

They share one browser and one server, which is made new for each; those that try how a server
starts have one of their own. Without a browser they are skipped and counted aloud, unless
`IVAN_REQUIRE` names `browser`: then they fail.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from app_server import AppServer, SharedServer
from fakes.reward_models import Fakes
from guarding import Listener

from ivan_core.demo.server import DemoServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WAIT = 300_000
"""Milliseconds within which a text that is waited for must appear, on a busy machine too."""


def missing() -> str:
    """What these tests lack on this machine, in words; empty if nothing."""
    if find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if CHROMIUM.exists() else f"no Chromium at {CHROMIUM}"


def required() -> bool:
    return "browser" in os.environ.get("IVAN_REQUIRE", "").replace(",", " ").split()


if find_spec("playwright") is None and not required():
    collect_ignore_glob = ["test_*.py", "*/test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if missing() and not required():
                item.add_marker(pytest.mark.skip(reason=missing()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count aloud what was skipped: the journeys of the files that cannot even be read, too."""
    if not missing() or required():
        return
    skipped = sum("/browser/" in r.nodeid for r in terminalreporter.stats.get("skipped", []))
    if find_spec("playwright") is None:
        files = Path(__file__).parent.rglob("test_*.py")
        skipped = sum(file.read_text("utf-8").count("\ndef test_") for file in files)
    if skipped:
        line = f"{skipped} browser journeys skipped: {missing()}"
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if missing():
        pytest.fail(f"IVAN_REQUIRE asks for browser tests, but {missing()}.", pytrace=False)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


Visit = Callable[..., "Page"]


@pytest.fixture
def visitor(chromium: Browser, serve: object) -> Iterator[Visit]:
    """Each call is another person's browser with an empty page; closed before the server is."""
    from playwright.sync_api import expect

    expect.set_options(timeout=WAIT)
    contexts = []

    def arrive(width: int = 1280, height: int = 1000, **options: object) -> Page:
        viewport = {"width": width, "height": height}
        context = chromium.new_context(viewport=viewport, accept_downloads=True, **options)
        context.set_default_timeout(WAIT)
        contexts.append(context)
        return context.new_page()

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture
def page(visitor: Visit) -> Page:
    return visitor()


@pytest.fixture
def demo(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    """A demo server that the app and its workers ask; batches are done when they are looked at."""
    with DemoServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "demo")
        monkeypatch.setenv("OLLAMA_API_HOST", server.ollama_url)
        yield server


@pytest.fixture
def listener() -> Iterator[Listener]:
    """An address that hostile texts may name."""
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def guarded(page: Page) -> Iterator[Page]:
    """A page that may ask for nothing but the app, and open no dialog."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog: {dialog.message}"))
    yield page
    origin = page.evaluate("location.origin")
    assert asked
    assert [url for url in asked if not url.startswith((f"{origin}/", "data:", "blob:"))] == []


@pytest.fixture(scope="session")
def shared_server() -> Iterator[SharedServer]:
    """The server of all journeys that do not try how one starts; it starts with the first."""
    folder = Path(tempfile.mkdtemp(prefix="ivan-"))
    server = SharedServer(folder)
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def serve(
    data_dir: Path, shared_server: SharedServer, request: pytest.FixtureRequest
) -> Iterator[Callable[..., AppServer]]:
    """The app, new and with an empty memory; with fakes, its workers judge with those.

    `anew` starts a server of one's own, on which no page has been opened.
    """
    servers: list[AppServer] = []

    def start(fakes: Fakes | None = None, anew: bool = False) -> AppServer:
        server = AppServer(data_dir, fakes) if anew else shared_server
        servers.append(server)
        if anew:
            server.start()
        else:
            shared_server.begin(data_dir, fakes)
        return server

    yield start
    for server in servers:
        if getattr(request.node, "journey_failed", False):
            print(f"--- log of {server.base}\n{server.log}")
        server.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call" and report.failed:
        item.journey_failed = True  # type: ignore[attr-defined]
    return report
