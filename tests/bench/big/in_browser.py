"""Times a big run as a person sees it, in Chromium.

Seconds until the page stands: from the press that opens the run for the first time in the list of
runs, then from an address (in a browser that has the app's scripts, and in new ones that fetch them
first); and from a click on a bar, a bin or a question until what it asks for is painted: bars and
bins on a page at rest, by the browser's own clock. Beside them the processor seconds that the
server took for each, which other work on the machine does not change, and its memory in MiB.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[3]
CHART = "[data-testid=stVegaLiteChart]"
RUNS = "[data-testid=stDataFrame]"
QUESTIONS = (
    "What does it reward?",
    "Where does it go against people?",
    "What did training change?",
    "What breaks it?",
    "Worth a second look",
)
COUNT = re.compile(r"^[\d,]+ pairs?(, 1 to 50 shown)?\. Click a pair")
WATCH = """() => {
    const rows = () => [...document.querySelectorAll('.ivan-table')].at(-1)?.textContent;
    const count = () => [...document.querySelectorAll('p')].map(line => line.textContent)
        .find(text => /^[\\d,]+ pairs?(, 1 to 50 shown)?\\. Click a pair/.test(text));
    const before = [rows(), count()];
    window.repainted = new Promise(told => document.addEventListener('pointerup', () => {
        const pressed = performance.now();
        const look = () => {
            const other = [rows(), count()].every((now, place) => now && now !== before[place]);
            requestAnimationFrame(other ? () => told(performance.now() - pressed) : look);
        };
        look();
    }, {once: true, capture: true}));
}"""
"""Starts the browser's own clock at the next press; it stops in the frame after the one in which
other rows and another number of them stand, so that they are painted. A clock outside looks at the
page a few times a second only."""
IDLE = "[data-test-script-state=notRunning]"
FIRST_ROW, ROW = 52, 35
"""Pixels from the top of a table to the middle of its first row, and of each row."""
AGAIN = 5
READING = 2.0
"""Seconds that somebody looks at the page before."""
WAIT = 60_000


class Server:
    """The app on a free port, watched from outside."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                "streamlit_app.py",
                "--server.port",
                str(port),
            ],
            cwd=ROOT,
            env=os.environ | {"IVAN_DATA_DIR": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            try:
                urllib.request.urlopen(f"{self.base}/_stcore/health", timeout=2).close()
                return
            except OSError:
                sleep(0.1)

    def mib(self) -> float:
        """Memory that is its own, without mapped files."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text("utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return int(fields["RssAnon"].split()[0]) / 1024

    def processor(self) -> float:
        """Processor seconds it has taken so far."""
        after_name = Path(f"/proc/{self._process.pid}/stat").read_text("utf-8").rpartition(")")[2]
        user, system = after_name.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def timed(server: Server, act: Callable[[], None]) -> dict[str, float]:
    """Seconds until what was done is to be seen, and those the server's processor took."""
    taken, start = server.processor(), perf_counter()
    act()
    wall = perf_counter() - start
    return {"seconds": round(wall, 3), "server_processor": round(server.processor() - taken, 3)}


def opened(page: Page, url: str) -> Page:
    """A new session on a finished page."""
    return drawn(page, lambda: page.goto(url, wait_until="commit"))


def drawn(page: Page, act: Callable[[], object]) -> Page:
    """Act, and wait for a run's sentence, its first chart, its rows and their number."""
    act()
    expect(page.get_by_text("sides with").first).to_be_visible(timeout=WAIT)
    expect(page.locator(f"{CHART} path").first).to_be_visible(timeout=WAIT)
    expect(page.get_by_text(COUNT)).to_be_visible(timeout=WAIT)
    return page


def new_page(browser: Browser) -> Page:
    """A page in a browser that has never seen the app."""
    return browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()


def clicked(server: Server, page: Page, mark: Any) -> dict[str, float]:
    """Click a mark: seconds until the rows behind it are painted, and those of the server."""
    box, taken = mark.bounding_box(), server.processor()
    page.evaluate(WATCH)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    milliseconds = page.evaluate("() => window.repainted")
    expect(page.locator(IDLE)).to_be_attached(timeout=WAIT)
    return {
        "seconds": round(milliseconds / 1000, 3),
        "server_processor": round(server.processor() - taken, 3),
    }


def summary(found: list[dict[str, float]]) -> dict[str, float]:
    return {
        name: round(median(one[name] for one in found), 3)
        for name in ("seconds", "server_processor")
    }


def clicks(server: Server, page: Page, marks: Callable[[], Any]) -> list[dict[str, float]]:
    """Click one mark after another, each on a page without conditions."""
    found = []
    every = page.get_by_text(COUNT).inner_text()
    for number in range(AGAIN):
        mark = marks().nth(number)
        mark.scroll_into_view_if_needed(timeout=WAIT)
        expect(page.locator(IDLE)).to_be_attached(timeout=WAIT)
        sleep(READING)
        found.append(clicked(server, page, mark))
        # Without conditions, as it was: by the browser, which keeps nothing of the charts.
        page.goto(page.url.split("&")[0], wait_until="commit")
        expect(page.get_by_text(every, exact=True)).to_be_visible(timeout=WAIT)
    return found


def tabs(server: Server, page: Page, url: str) -> dict[str, Any]:
    """Open an analysis, and choose its questions one after the other, twice."""

    def chosen(place: int) -> None:
        page.get_by_role("radio", name=QUESTIONS[place]).click()
        page.wait_for_url(re.compile(rf"[?&]view={place}\b"), timeout=WAIT)
        expect(page.locator(IDLE)).to_be_attached(timeout=WAIT)

    def open_it() -> None:
        page.goto(url, wait_until="commit")
        expect(page.get_by_role("radio", name=QUESTIONS[0])).to_be_visible(timeout=WAIT)
        expect(page.locator(IDLE)).to_be_attached(timeout=WAIT)

    found = {"open": timed(server, open_it)}
    for visit in ("first", "again"):
        for place in (*range(1, len(QUESTIONS)), 0):
            told = timed(server, lambda place=place: chosen(place))
            found[f"{QUESTIONS[place]} ({visit})"] = told
    return found


def bench_in_browser(folder: Path, runs: dict[str, str]) -> dict[str, Any]:
    """What a person waits for: `runs` are those of the study, by their kinds."""
    load = os.getloadavg()[0]
    server = Server(folder)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            # The libraries every page needs, before anything of the run is read.
            warm = new_page(browser)
            warm.goto(f"{server.base}/runs")
            expect(warm.locator(RUNS)).to_be_visible(timeout=WAIT)
            before = server.mib()
            sleep(READING)
            url = f"{server.base}/compare?run={runs['compare']}"
            button = _listed(warm, runs["compare"])
            first = timed(server, lambda: drawn(warm, button.click))
            after_open = server.mib()
            again = [timed(server, lambda: opened(warm, url)) for _ in range(AGAIN)]
            pages = [warm, *(new_page(browser) for _ in range(AGAIN))]
            fresh = [timed(server, lambda page=page: opened(page, url)) for page in pages[1:]]
            page = pages[-1]
            bars = clicks(
                server, page, lambda: page.locator(f"{CHART} path[aria-label*='Verdict: disagree']")
            )
            cells = page.locator(CHART).filter(has=page.get_by_text("The rewards of both"))
            bins = clicks(server, page, lambda: _dense(page, cells))
            found = {
                "open, first visit": first,
                "open again": summary(again),
                "open in a new browser": summary(fresh),
                "click a bar, first": bars[0],
                "click a bar": summary(bars),
                "click a bin, first": bins[0],
                "click a bin": summary(bins),
            }
            if "labels" in runs:
                labelled = f"{url}&{_by_label(runs['labels'])}"
                found["filter by a label, first"] = timed(server, lambda: opened(page, labelled))
                found["filter by a label"] = timed(server, lambda: opened(page, labelled))
                analysis = f"{server.base}/analysis?run={runs['analysis']}"
                found["analysis"] = tabs(server, page, analysis)
            return {
                **found,
                "server mib": {
                    "before": round(before, 1),
                    "growth after opening": round(after_open - before, 1),
                    "growth at the end": round(server.mib() - before, 1),
                    "sessions at the end": len(pages),
                },
                "load": {"before": round(load, 2), "after": round(os.getloadavg()[0], 2)},
            }
    finally:
        server.close()


def _listed(page: Page, run_id: str) -> Locator:
    """The button that opens a run, once the run is ticked in the list of all."""
    cells = page.get_by_test_id(re.compile(r"^glide-cell-\d+-\d+$"))
    cell = cells.filter(has_text=re.compile(f"^{re.escape(run_id)}$")).first
    expect(cell).to_be_attached(timeout=WAIT)
    expect(page.locator(IDLE)).to_be_attached(timeout=WAIT)
    row = int((cell.get_attribute("data-testid") or "").rpartition("-")[2])
    at = {"x": 150, "y": FIRST_ROW + ROW * row}
    page.locator(RUNS).first.click(position=at)  # type: ignore[arg-type]
    button = page.get_by_role("button", name="Open", exact=True)
    expect(button).to_be_visible(timeout=WAIT)
    expect(page.locator(IDLE)).to_be_attached(timeout=WAIT)
    return button


def _by_label(run_id: str) -> str:
    """The condition, in an address, that a labeler gave a label to one of the replies."""
    from ivan_core.experiments.compare.conditions import LANGUAGE
    from ivan_core.experiments.labels.conditions import LabelIs
    from ivan_core.lists.conditions import Filter
    from ivan_core.lists.others import Elsewhere
    from ivan_core.lists.url import query_of

    asked = LabelIs(label="last_response_contains_insult")
    one = Elsewhere(run=run_id, of="labels", asked=asked)
    return urlencode(query_of(Filter(LANGUAGE).add(one)))


def _dense(page: Page, cells: Any) -> Any:
    """The cells of rewards, from those in the middle on, which hold many pairs."""
    page.get_by_role("radio", name="Rewards").check(force=True)
    marks = cells.locator("path[aria-label*='Model agrees in']")
    expect(marks.first).to_be_visible(timeout=WAIT)
    return _From(marks, marks.count() // 2)


class _From:
    """Marks counted from one in the middle, where bins hold many pairs."""

    def __init__(self, marks: Any, start: int) -> None:
        self._marks, self._start = marks, start

    def nth(self, number: int) -> Any:
        return self._marks.nth(self._start + number)
