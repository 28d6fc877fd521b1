"""Watching that hostile texts ask for nothing, and reading a page as it shows."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from given.support import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Listener:
    """An address that the hostile texts name; it notes whoever asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def bare(text: str) -> str:
    """A text without white space, which pages may fold, and without what browsers cannot show."""
    return re.sub(r"[\s\u0000\ufffd\u2060]", "", text)


def shown(page: Page) -> str:
    """What stands on the page now; it may still be being drawn."""
    return bare(page.evaluate("document.querySelector('[data-testid=stMain]').innerText"))


def shows(page: Page, text: str, times: int = 1) -> None:
    """Wait until the page shows a text so many times."""
    wait_for(lambda: shown(page).count(bare(text)) >= times)
