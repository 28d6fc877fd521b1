"""Take the pictures of README and handbook anew: `python tests/bench/make_pictures.py`.

The bundled pairs are judged, labelled, analysed and reworded into a folder of their own, and the
app is shown in Chromium as a person sees it. The same pixels come from the same code, the runs'
times aside.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
sys.path[:0] = [str(_ROOT), str(_HERE.parent), str(_HERE.parent / "browser")]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_server import AppServer
    from playwright.sync_api import Page

WIDTH = 1200
COLOURS = 128
"""The pages have few colours: so a picture is a third as large and looks the same."""
ROW = "26"
_CHART = "[data-testid=stVegaLiteChart] .marks"
"""A chart that is drawn."""
_COMMANDS = (
    ("compare",),
    ("taxonomy", "run-control-batch", "--model", "ivan/authored"),
    ("taxonomy", "run-control-batch"),
    ("analyse",),
    ("rewrite", "--limit", "200", "--labeler", ""),
)


def prepare() -> None:
    """The runs that are shown, and a queue for the picture of Review."""
    for words in _COMMANDS:
        subprocess.run([sys.executable, "-m", "ivan_core", *words], cwd=_ROOT, check=True)


def ask_people(compared: str) -> str:
    """The invitation of a queue of twenty pairs of a comparison."""
    from ivan_core.experiments.compare.results import open_results
    from ivan_core.review.queues import make_queue, queue_request

    dataset = open_results(compared).dataset.fingerprint
    return make_queue(queue_request({"dataset": dataset, "task": "better", "count": 20})).token


@contextmanager
def app(folder: Path) -> Iterator[AppServer]:
    """The app on a data folder, as a person starts it."""
    from app_server import AppServer

    server = AppServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.close()


def take(page: Page, name: str, height: int) -> None:
    """The page as it stands, in few colours."""
    from ivan_core.docs import FOLDER

    page.set_viewport_size({"width": WIDTH, "height": height})
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    path = FOLDER / "pictures" / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
    few.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def main(folder: Path) -> None:
    os.environ["IVAN_DATA_DIR"] = str(folder)
    from ivan_core.engine.handling import newest_done
    from ivan_core.experiments.analysis.results import open_analysis

    prepare()
    judged, labelled, reworded, analysed = (
        {"run": newest_done(kind)[0].id} for kind in ("compare", "labels", "rewrite", "analysis")
    )
    token = ask_people(judged["run"])
    labelers = open_analysis(analysed["run"]).labelers
    authored = {"labeler": next(one.run_id for one in labelers if one.authored)}
    pictures: tuple[tuple[str, str, dict[str, str], str, int], ...] = (
        ("compare", "/compare", judged, _CHART, 1118),
        ("pair", "/pairs", judged | {"row": ROW}, _CHART, 945),
        ("labels", "/taxonomy", labelled, _CHART, 950),
        ("rewrite", "/rewrite", reworded, _CHART, 990),
        ("analysis", "/analysis", analysed | authored, _CHART, 880),
        ("review", "/review", {"invite": token, "name": "Ada"}, "text=Go on as Ada", 680),
    )
    with app(folder) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        for name, path, query, shown, height in pictures:
            page.goto(server.url(path, **query))
            page.locator(shown).first.wait_for(timeout=120_000)
            if path == "/review":
                page.get_by_role("button", name="Go on as Ada").click()
                page.get_by_text("Skip this one").wait_for(timeout=120_000)
            take(page, name, height)
        browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(made) / "data")
