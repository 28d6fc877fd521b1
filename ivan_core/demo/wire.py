"""Requests off the socket, forms with files too, and answers onto it, good ones and broken ones."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

MAX_BODY = 256 * 1024 * 1024
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_QUOTED = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, object]:
        """The body as a JSON object; empty where it is none."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `pieces` are streamed after the headers instead of `body`.

    `ending` says how it ends: whole; cut (fewer bytes than promised); dropped (the connection is
    reset, without a byte for a plain answer, after the pieces for a stream); held (nothing comes
    until the client gives up or the server stops).
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None
    ending: Literal["whole", "cut", "dropped", "held"] = "whole"


def json_answer(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """A value as JSON, with the characters of other languages left readable."""
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Answer(status=status, body=body, headers=headers or {})


class Wire(BaseHTTPRequestHandler):
    """Reads a request whole, has it answered, and writes the answer down to its planned breakage.

    `respond` answers a request; `answered` is told the status sent (0 where none was);
    `hold` waits until a held answer may be let go.
    """

    respond: ClassVar[Callable[[Request], Answer]]
    answered: ClassVar[Callable[[Request, int], None]]
    hold: ClassVar[Callable[[], None]]
    protocol_version = "HTTP/1.1"
    server_version = "ivan-demo"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    """Buffered, so that headers and body leave in one piece."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the request log remembers."""

    def version_string(self) -> str:
        return self.server_version

    def _serve(self) -> None:
        request = self._read()
        kind = type(self)
        try:
            answer = kind.respond(request)
        except Exception as error:
            # A test's own answer may raise: say so instead of closing without a word.
            said = f"{type(error).__name__}: {error}"
            told = said if request.path.startswith("/api/") else {"message": said}
            answer = json_answer({"error": told}, 500)
        silent = answer.ending in ("dropped", "held") and answer.pieces is None
        kind.answered(request, 0 if silent else answer.status)
        try:
            self._write(answer, silent)
        except OSError:
            # The client went away, as clients with a time-out do.
            self.close_connection = True

    do_GET = do_POST = do_DELETE = do_HEAD = _serve

    def _read(self) -> Request:
        where = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(where.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        size = int(length) if length.isdigit() else 0
        if size > MAX_BODY or "transfer-encoding" in headers:
            # What is left unread would look like the next request.
            self.close_connection, size = True, 0
        return Request(self.command, where.path, query, headers, self.rfile.read(size))

    def _write(self, answer: Answer, silent: bool) -> None:
        if answer.ending == "held":
            type(self).hold()
        if silent:
            self._reset()
            return
        self.send_response(answer.status)
        self.send_header("x-ivan-demo", "1")
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.pieces is not None:
            self._stream(answer)
            return
        whole = answer.ending == "whole"
        missing = 0 if whole else 1 + len(answer.body)
        self.send_header("Content-Length", str(len(answer.body) + missing))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        if not whole:
            self.close_connection = True

    def _stream(self, answer: Answer) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in answer.pieces or ():
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        if answer.ending == "dropped":
            self._reset()
        elif answer.ending == "whole":
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def _reset(self) -> None:
        """Close at once and let the client see a reset instead of an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Reader and writer keep the socket open otherwise, and its end would be an orderly one.
        socket.close(self.connection.detach())


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; `filename` is empty for a plain value."""

    filename: str
    content: bytes


def read_multipart(content_type: str, body: bytes) -> dict[str, Part]:
    """The fields of a multipart/form-data body by name; none if it is not one."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return {}
    fields: dict[str, Part] = {}
    # The body's first delimiter has no line end before it; give it one, so that all look alike.
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:]:
        head, gap, content = piece.partition(b"\r\n\r\n")
        if not gap:
            continue
        said = dict(_QUOTED.findall(head.decode("utf-8", "replace")))
        if "name" in said:
            fields[said["name"]] = Part(said.get("filename", ""), content)
    return fields
