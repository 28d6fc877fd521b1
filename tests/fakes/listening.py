"""A server on a port of its own that answers as a test tells it, and keeps what came to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Came:
    """One request as it came. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """One answer. `pieces` are written one after the other, flushed, with no length beforehand;
    with `raw` nothing is written before them, no status and no header."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None
    raw: bool = False


def as_json(value: object, status: int = 200) -> Told:
    return Told(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def redirect(status: int, to: str) -> Told:
    return Told(status, b"moved", {"Location": to})


class Listening:
    """The server, as a context manager: `came` holds every request, whatever was answered."""

    def __init__(self, answer: Callable[[Came], Told], port: int = 0) -> None:
        self.answer = answer
        self.came: list[Came] = []
        listening = self

        class Handler(_Handler):
            here = listening

        self._server = _Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Listening:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def everything(self) -> str:
        """All that ever came, headers and bodies, as one text."""
        return "\n".join(
            f"{one.method} {one.path} {dict(one.headers)} {one.body!r}" for one in self.came
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two packets: else the second waits for 40 ms.
    disable_nagle_algorithm = True
    here: Listening

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        came = Came(self.command, self.path, headers, body)
        self.here.came.append(came)
        told = self.here.answer(came)
        self.close_connection = told.pieces is not None
        if not told.raw:
            self._head(told)
        try:
            if self.command != "HEAD":
                for piece in (told.body,) if told.pieces is None else told.pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
        except OSError:  # the client has gone away
            self.close_connection = True

    def _head(self, told: Told) -> None:
        self.send_response(told.status)
        for name, value in told.headers.items():
            self.send_header(name, value)
        if told.pieces is None:
            self.send_header("Content-Length", str(len(told.body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()

    do_POST = do_HEAD = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass
