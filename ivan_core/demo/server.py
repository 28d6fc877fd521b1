"""The demo server itself: one port, both APIs, the fault switchboard and the request log."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

from ivan_core.demo.answers import AnswerText, answer as default_answer
from ivan_core.demo.batch_life import BatchLife
from ivan_core.demo.faults import AFTER, BEFORE, Faults, broken, refusal
from ivan_core.demo.ollama_api import OllamaApi
from ivan_core.demo.openai_api import OpenAIApi
from ivan_core.demo.state import DemoState, RequestLog
from ivan_core.demo.wire import Answer, Request, Wire, json_answer
from ivan_core.domain.errors import BackendUnavailable, BadInput

HOST = "127.0.0.1"
SERVICE = "ivan demo server"
_LONGEST_HOLD = 3600.0


class DemoServer:
    """A fake of OpenAI's and of Ollama's API on this machine; a context manager.

    Args:
        port: where to listen; 0 takes a free port.
        faults: what goes wrong; may be changed while the server runs.
        answer: what the model says; by default the rule-based labels or a slight rewording.
        batch_seconds: how long a batch takes; with 0 it is finished at its first retrieve.
        data_file: where files and batches are kept for the next start.
    """

    def __init__(
        self,
        port: int = 0,
        faults: Faults | None = None,
        answer: AnswerText | None = None,
        batch_seconds: float = 0.0,
        data_file: Path | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.requests = RequestLog()
        self.state = DemoState(data_file)
        said = answer or default_answer
        self._life = BatchLife(self.state, self.faults, said, batch_seconds)
        self._openai = OpenAIApi(self.state, self._life, self.faults, said)
        self._stopping = threading.Event()
        self.ollama = OllamaApi(self.faults, said, batch_seconds, self._stopping.wait)
        self._thread: threading.Thread | None = None
        try:
            self._server = _Server((HOST, port), self._wire())
        except (OSError, OverflowError) as error:
            raise BackendUnavailable(
                f"Port {port} cannot be listened on.", hint="Choose another with --port."
            ) from error

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def ollama_url(self) -> str:
        return self.url

    def start(self) -> None:
        """Serve from a thread, until stop()."""
        self._life.go_on()
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Let go of held answers, leave batches where they are, close the port."""
        self._stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()
        self._life.stop()

    def __enter__(self) -> DemoServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _wire(self) -> type[Wire]:
        def hold() -> None:
            self._stopping.wait(_LONGEST_HOLD)

        members = {
            "respond": staticmethod(self._respond),
            "answered": staticmethod(self.requests.add),
            "hold": staticmethod(hold),
        }
        return type("DemoWire", (Wire,), members)

    def _respond(self, request: Request) -> Answer:
        if not request.path.startswith(("/v1/", "/api/")):
            return self._own(request)
        before = self.faults.take_first(BEFORE, request.method, request.path)
        if before is not None:
            return refusal(before, request.path)
        api = self._openai if request.path.startswith("/v1/") else self.ollama
        answer = api.respond(request)
        after = self.faults.take_first(AFTER, request.method, request.path)
        return answer if after is None else broken(after, answer)

    def _own(self, request: Request) -> Answer:
        """The routes that no provider has: what this is, the switchboard, the log."""
        match (request.method, request.path):
            case ("GET" | "HEAD", "/"):
                return json_answer({"service": SERVICE})
            case ("GET", "/requests"):
                return json_answer({"requests": self.requests.as_json()})
            case ("POST", "/faults"):
                try:
                    self.faults.from_json(request.json())
                except BadInput as error:
                    return json_answer({"error": error.message}, 400)
                return self._switchboard()
            case ("GET", "/faults"):
                return self._switchboard()
        return json_answer({"error": "The demo server has no such page."}, 404)

    def _switchboard(self) -> Answer:
        return json_answer({"faults": [asdict(setting) for setting in self.faults.settings()]})


class _Server(ThreadingHTTPServer):
    """Remembers its connections, so that none outlives it."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], wire: type[Wire]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, wire)

    def server_bind(self) -> None:
        # The usual way asks the name service for this machine's name, which can take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: object) -> None:
        if isinstance(request, socket.socket):
            self._open.discard(request)
            super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that clients or faults broke."""
