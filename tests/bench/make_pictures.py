"""Take the pictures of README and handbook anew: `make pictures`.

The finished study that ships with IVAN is shown in Chromium as a person sees it, light and dark.
The same pixels come from the same code.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import sync_playwright

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
sys.path[:0] = [str(_ROOT), str(_HERE.parent), str(_HERE.parent / "browser")]

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH = 1200
COLOURS = 128
"""The pages have few colours: so a picture is a third as large and looks the same."""
ROW = "306"
"""The pair that the tour reads."""
_CHART = "[data-testid=stVegaLiteChart] .marks"
"""A chart that is drawn."""
_TO_THE_TOP = "element => { element.style.scrollMarginTop = '24px'; element.scrollIntoView(); }"
Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Shot:
    """A page of the newest run of a kind, and how many pixels of it: from the top, or a text on."""

    name: str
    page: str
    kind: str
    height: int
    query: dict[str, str] = field(default_factory=dict)
    begins: str = ""


SHOTS = (
    Shot("compare", "/compare", "compare", 1118),
    Shot("length", "/compare", "compare", 470, {"view": "2"}, begins="Is it just length?"),
    Shot("pair", "/pairs", "compare", 800, {"row": ROW}),
    Shot("labels", "/taxonomy", "labels", 950),
    Shot("rewrite", "/rewrite", "rewrite", 990),
    Shot(
        "analysis",
        "/analysis",
        "analysis",
        820,
        {"effect": "log_length~ivan/minilm-harmless"},
        begins="Beside the labels",
    ),
)
REVIEW = Shot("review", "/review", "", 680)


def take(page: Page, shot: Shot, path: Path) -> None:
    """The page as it stands, in few colours."""
    page.set_viewport_size({"width": WIDTH, "height": shot.height})
    if shot.begins:
        page.get_by_text(shot.begins).first.evaluate(_TO_THE_TOP)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    page.screenshot(path=path, animations="disabled")
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(
            COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
    few.save(path, optimize=True)
    print(f"{path.parent.name}/{path.name}: {path.stat().st_size:,} bytes")


def take_all(browser: Browser, base: str, theme: Theme) -> None:
    """Every picture in one theme."""
    from ivan_core.docs import FOLDER
    from ivan_core.engine.handling import newest_done
    from ivan_core.review.flow import queues

    folder = FOLDER / "pictures" / ("" if theme == "light" else theme)
    folder.mkdir(exist_ok=True)
    page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme=theme)
    page.set_default_timeout(120_000)
    for shot in SHOTS:
        query = urlencode({"run": newest_done(shot.kind)[0].id, **shot.query})
        page.goto(f"{base}{shot.page}?{query}")
        page.locator(_CHART).first.wait_for()
        take(page, shot, folder / f"{shot.name}.png")
    queue = next(one for one in queues().all() if one.task == "better")
    page.goto(f"{base}{REVIEW.page}?{urlencode({'invite': queue.token, 'name': 'Ada'})}")
    page.get_by_role("button", name="Go on as Ada").click()
    page.get_by_text("Skip this one").wait_for()
    take(page, REVIEW, folder / f"{REVIEW.name}.png")
    page.close()


def main(folder: Path) -> None:
    os.environ["IVAN_DATA_DIR"] = str(folder)
    from app_server import AppServer

    from ivan_core.demo.finished_study import put_into

    put_into(folder)
    server = AppServer(folder)
    server.start()
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            take_all(browser, server.base, "light")
            take_all(browser, server.base, "dark")
            browser.close()
    finally:
        server.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(made) / "data")
