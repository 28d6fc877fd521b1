"""Count presses and seconds from a dropped file to a figure: `python bench_own_study.py FILE`.

FILE has pairs of one's own. The app runs on an empty data folder of its own. Prints a line for each
step: the first pair read, judged, a judged pair read, labelled, a figure taken away.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120_000


def main(pairs: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
        command += ["--server.port", str(port), "--server.headless", "true"]
        env = {**os.environ, "IVAN_DATA_DIR": data, "PYTHONPATH": str(ROOT)}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        app = subprocess.Popen(command, cwd=ROOT, env=env, **quiet)
        try:
            _wait_for(url)
            _press_through(url, pairs)
        finally:
            app.terminate()
            app.wait()


def _wait_for(url: str) -> None:
    for _ in range(240):
        try:
            urlopen(url).close()
            return
        except OSError:
            sleep(0.5)
    raise SystemExit("The app did not answer.")


def _press_through(url: str, pairs: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.get_by_text("Or bring your own pairs").wait_for()
        sleep(3)  # scripts of the page still come in
        presses, began = 0, perf_counter()

        def reached(what: str) -> None:
            print(f"{what}: {presses} presses, {perf_counter() - began:.1f} s")

        page.locator("input[type=file]").first.set_input_files(str(pairs))
        presses += 1
        page.get_by_text("A · chosen").wait_for()
        reached("first pair read")
        page.get_by_role("button", name=re.compile(r"^Judge [\d,]+ pairs")).click()
        presses += 1
        page.get_by_text(re.compile("sides with the recorded choice in")).first.wait_for()
        reached("judged")
        page.get_by_role("link", name="Pairs", exact=True).click()
        presses += 1
        page.get_by_text(re.compile("prefers [AB]")).first.wait_for()
        reached("a judged pair read")
        page.get_by_role("link", name="Taxonomy", exact=True).click()
        page.get_by_role("button", name=re.compile(r"^Label [\d,]+ texts")).click()
        presses += 2
        page.get_by_text(re.compile(r"labelled [\d,]+ of [\d,]+ texts")).first.wait_for()
        reached("labelled")
        page.get_by_role("link", name="Compare", exact=True).click()
        page.get_by_role("button", name="Figure").first.click()
        with page.expect_download() as taken:
            page.get_by_role("button", name=re.compile("SVG")).first.click()
        presses += 3
        size = len(Path(taken.value.path()).read_bytes())
        reached(f"figure of {size:,} bytes")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
