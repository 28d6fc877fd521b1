"""The app as a person starts it, on a free port, with workers that judge for real or with fakes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

from fakes import Fakes

from ivan_core.domain.runs import Run, RunState
from ivan_core.runs.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
_STARTED_WITHIN = 40.0


class AppServer:
    """One server; its workers outlive it until `close`."""

    def __init__(self, data_dir: Path, fakes: Fakes | None = None) -> None:
        self.data_dir = data_dir
        self.base = f"http://127.0.0.1:{_free_port()}"
        self._fakes = fakes
        self._log = data_dir.parent / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers. No page has been asked for then."""
        port = self.base.rpartition(":")[2]
        environment = os.environ | (self._fakes.environment() if self._fakes else {})
        launcher = ["-m", "streamlit"]
        if self._fakes:
            launcher = [str(Path(__file__).parent / "streamlit_with_fakes.py")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *launcher, "run", "streamlit_app.py", "--server.port", port],
                cwd=ROOT, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + _STARTED_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{self.log}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/_stcore/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False

    def kill(self) -> None:
        """End the server as a power cut would; its workers are not its business."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """The process of the server, while it runs."""
        if self._process is None:
            raise RuntimeError("The server does not run.")
        return self._process.pid

    def close(self) -> None:
        """End the server and the runs that are still at work."""
        self.kill()
        registry = Registry(self.data_dir)
        if not (self.data_dir / "ivan.sqlite").exists():
            return
        for run in registry.all():
            if run.state.live:
                registry.cancel(run.id)
        deadline = time.monotonic() + 10
        while any(run.state.live for run in registry.all()) and time.monotonic() < deadline:
            time.sleep(0.05)

    def url(self, path: str = "/", **query: object) -> str:
        return f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def is_busy() -> bool:
    """Whether this machine has so much other work that no time can be promised on it."""
    return os.getloadavg()[0] > (os.cpu_count() or 1) + 1


def wait_for_run(data_dir: Path, state: RunState, seconds: float = 60.0) -> Run:
    """The newest run, as soon as it is in this state."""
    deadline = time.monotonic() + seconds
    while True:
        newest = Registry(data_dir).all()[0]
        if newest.state is state:
            return newest
        if time.monotonic() > deadline:
            raise AssertionError(f"Run {newest.id} is {newest.state}, not {state}.")
        time.sleep(0.02)
