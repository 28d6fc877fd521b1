"""The app as a person starts it, with workers that judge for real or with fakes."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from multiprocessing.connection import Client, Connection
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

from fakes.reward_models import Fakes
from given.support import free_port, wait_for

from ivan_core.domain.runs import Run, RunState
from ivan_core.runs.locks import is_held
from ivan_core.runs.questions import Questions
from ivan_core.runs.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
FAKE_WORKER = (sys.executable, str(HERE.parent / "fakes" / "reward_models.py"))
_MOST_STARTS = 3
"""Another process may take a free port before the server does."""


class AppServer:
    """One server, started anew; its workers outlive it until `close`."""

    def __init__(self, data_dir: Path, fakes: Fakes | None = None) -> None:
        self.data_dir = data_dir
        self.port = 0
        self._fakes = fakes
        self._log = data_dir.parent / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers. No page has been asked for then.

        Once it has been started it has its port, and is started there again.
        """
        ports = [self.port] if self.port else [free_port() for _ in range(_MOST_STARTS)]
        for self.port in ports:
            self._launch()
            if wait_for(lambda: self._answers() or self._ended()) != "ended":
                return
        raise RuntimeError(f"The server did not start:\n{self.log}")

    def _launch(self) -> None:
        launcher = [str(HERE / "streamlit_with_fakes.py")] if self._fakes else ["-m", "streamlit"]
        self._run_app(launcher, os.environ | (self._fakes.environment() if self._fakes else {}))

    def _run_app(self, launcher: list[str], environment: dict[str, str]) -> None:
        app = ["run", "streamlit_app.py", "--server.port", str(self.port)]
        self._open([sys.executable, *launcher, *app], environment, ROOT)

    def _open(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> str:
        try:
            with urllib.request.urlopen(f"{self.base}/_stcore/health", timeout=60) as answer:
                return "answers" if answer.status == 200 else ""
        except (URLError, ConnectionError, TimeoutError):
            return ""

    def _ended(self) -> str:
        return "ended" if self._process is None or self._process.poll() is not None else ""

    def kill(self) -> None:
        """End the server as a power cut would; its workers are not its business."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process of the server, while it runs."""
        if self._process is None:
            raise RuntimeError("The server does not run.")
        return self._process.pid

    def work_seconds(self) -> float:
        """Seconds of processor that its workers took which have ended."""
        stat = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        of_children = sum(map(int, stat[13:15]))
        return of_children / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the server and what is still at work for it."""
        self.kill()
        end_work(self.data_dir)

    def url(self, path: str = "/", **query: object) -> str:
        return f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")


class SharedServer(AppServer):
    """One server for many journeys, each with a data folder and workers of its own."""

    def __init__(self, folder: Path) -> None:
        """The folder's path must be short: it will hold a socket."""
        super().__init__(folder / "data")
        self._socket = folder / "socket"
        self._connection: Connection | None = None
        self._told = 0

    def _launch(self) -> None:
        self._socket.unlink(missing_ok=True)
        self._run_app([str(HERE / "shared_app.py"), str(self._socket)], dict(os.environ))

    def begin(self, data_dir: Path, fakes: Fakes | None = None) -> None:
        """Be new for a journey: with the environment of now, and its data folder."""
        if self._ended():
            self.start()
            self._connection = Client(str(self._socket), "AF_UNIX")
        self.data_dir = data_dir
        self._told = self._log.stat().st_size
        environment = os.environ | (fakes.environment() if fakes else {})
        self._tell((environment, FAKE_WORKER if fakes else None))

    def close(self) -> None:
        """End what a journey left; the server goes on."""
        if not self._ended():
            self._tell(None)
        end_work(self.data_dir)

    def _tell(self, what: object) -> None:
        if self._connection is None:
            raise RuntimeError("The shared server does not run.")
        self._connection.send(what)
        if problem := self._connection.recv():
            raise RuntimeError(f"The shared server could not be made new:\n{problem}")

    @property
    def log(self) -> str:
        """What it said since the journey began."""
        return self._log.read_bytes()[self._told :].decode("utf-8", "replace")


def end_work(data_dir: Path) -> None:
    """End the runs of a data folder that are still at work, and its warm worker."""
    if (data_dir / "ivan.sqlite").exists():
        registry = Registry(data_dir)
        for run in registry.all():
            if run.state.live:
                registry.cancel(run.id)
        locks = [registry.lock_path(run.id) for run in registry.all()]
        wait_for(lambda: not any(map(is_held, locks)))
    lock = Questions(data_dir).lock_path
    if is_held(lock):
        lock.unlink()  # a worker whose folder is taken away ends itself


def wait_for_run(data_dir: Path, state: RunState) -> Run:
    """The newest run, as soon as it is in this state."""

    def newest() -> Run | None:
        run = Registry(data_dir).all()[0]
        return run if run.state is state else None

    found: Run = wait_for(newest)
    return found
