"""What `make install` asks of which installer, told by programs that only write down their call."""

from __future__ import annotations

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TORCH = "--no-deps --index-url {index} torch==2.99.1"
ALL = "-c {root}/constraints.txt -e {root}[figures]"


class Machine:
    """A folder to install into, with the programs of a machine, each of which notes its calls."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.index = "http://127.0.0.1:9/cpu"
        self._patch = monkeypatch
        (folder / "bin").mkdir()
        (folder / ".venv" / "bin").mkdir(parents=True)
        (folder / "constraints.txt").write_text("# pinned\ntorch==2.99.1\ntorchao==1\n")
        self._program(
            folder / ".venv" / "bin" / "python", 'case "$1" in -c) cat torch; exit;; esac'
        )
        monkeypatch.chdir(folder)
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
        for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
            monkeypatch.delenv(name, raising=False)
        spec = spec_from_file_location("ivan_install", ROOT / ".ci" / "install.py")
        assert spec is not None and spec.loader is not None
        self._script = module_from_spec(spec)
        spec.loader.exec_module(self._script)
        self._script.ROOT = folder
        self._script.PYTHON = folder / ".venv" / "bin" / "python"
        self._script.CONSTRAINTS = folder / "constraints.txt"
        monkeypatch.setattr("platform.system", lambda: "Linux")

    def _program(self, path: Path, first: str = "", fails: str = "") -> None:
        refusing = f'case "$*" in *{fails}*) exit 1;; esac' if fails else ""
        path.write_text(f'#!/bin/sh\n{first}\necho "{path.name} $*" >> calls\n{refusing}\nexit 0\n')
        path.chmod(0o755)

    def has_torch(self, version: str) -> None:
        (self.folder / "torch").write_text(version)

    def has_uv(self, fails: str = "") -> None:
        self._program(self.folder / "bin" / "uv", fails=fails)

    def pip_fails(self, at: str) -> None:
        python = self.folder / ".venv" / "bin" / "python"
        self._program(python, 'case "$1" in -c) cat torch; exit;; esac', at)

    def install(self, *arguments: str, driver: bool = False, patience: float = 60.0) -> list[str]:
        """The calls, each with the installer's name and only what is asked of it."""
        self._patch.setenv("IVAN_TORCH_INDEX", self.index)
        self._patch.setattr("sys.argv", ["install.py", "figures", *arguments])
        self._script.has_driver = lambda: driver
        self._script.PATIENCE = patience
        self._script.main()
        calls = (self.folder / "calls").read_text().splitlines()
        return [self._short(call) for call in calls]

    def _short(self, call: str) -> str:
        python = self.folder / ".venv" / "bin" / "python"
        call = call.replace(f"uv pip install --quiet --python {python}", "uv:")
        call = call.replace("python -m pip install --quiet --disable-pip-version-check", "pip:")
        call = call.replace(" --timeout 15 --retries 1", "")
        return call.replace(self.index, "{index}").replace(str(self.folder), "{root}")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@contextmanager
def index_of_torch() -> Iterator[str]:
    """A package index that has a page of torch."""

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/cpu/torch/" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/cpu"
        server.shutdown()


def test_without_a_driver_torch_comes_without_cuda(machine: Machine):
    with index_of_torch() as machine.index:
        assert machine.install() == [f"pip: {TORCH}", f"pip: {ALL}"]


def test_with_a_driver_torch_comes_as_it_is(machine: Machine):
    with index_of_torch() as machine.index:
        assert machine.install(driver=True) == [f"pip: {ALL}"]


def test_gpu_1_forces_cuda(machine: Machine):
    with index_of_torch() as machine.index:
        assert machine.install("--cuda") == [f"pip: {ALL}"]


def test_gpu_1_replaces_what_was_installed_without_it(machine: Machine):
    machine.has_torch("2.99.1+cpu")
    again = "pip: --force-reinstall --no-deps torch==2.99.1"
    assert machine.install("--cuda") == [again, f"pip: {ALL}"]


def test_torch_that_is_there_stays(machine: Machine):
    machine.has_torch("2.99.1")
    with index_of_torch() as machine.index:
        assert machine.install() == [f"pip: {ALL}"]


def test_an_index_that_is_not_there_stops_nothing(machine: Machine, capsys):
    assert machine.install() == [f"pip: {ALL}"]
    assert "does not answer" in capsys.readouterr().out


def test_an_index_that_never_answers_is_not_waited_for(machine: Machine, capsys):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        machine.index = f"http://127.0.0.1:{silent.getsockname()[1]}/cpu"
        assert machine.install(patience=0.1) == [f"pip: {ALL}"]
    assert "does not answer" in capsys.readouterr().out


def test_an_index_that_breaks_off_stops_nothing(machine: Machine, capsys):
    machine.pip_fails("--index-url")
    with index_of_torch() as machine.index:
        assert machine.install() == [f"pip: {TORCH}", f"pip: {ALL}"]
    assert "That did not work" in capsys.readouterr().out


def test_uv_installs_where_it_is_there(machine: Machine):
    machine.has_uv()
    with index_of_torch() as machine.index:
        assert machine.install() == [f"uv: {TORCH}", f"uv: {ALL}"]


def test_pip_tries_what_uv_could_not(machine: Machine, capsys):
    machine.has_uv(fails="constraints")
    assert machine.install() == [f"uv: {ALL}", f"pip: {ALL}"]
    assert "uv could not install it; pip tries." in capsys.readouterr().out


def test_nothing_is_said_to_be_installed_that_is_not(machine: Machine):
    machine.pip_fails("constraints")
    with pytest.raises(SystemExit, match="Nothing was installed"):
        machine.install()


def test_an_environment_is_made_first(machine: Machine, monkeypatch):
    made: list[str] = []
    (machine.folder / ".venv" / "bin" / "python").rename(machine.folder / "python")

    def make() -> None:
        made.append("made")
        (machine.folder / "python").rename(machine.folder / ".venv" / "bin" / "python")

    monkeypatch.setattr(machine._script, "make_environment", make)
    assert machine.install() == [f"pip: {ALL}"] and made == ["made"]
    assert os.access(machine.folder / ".venv" / "bin" / "python", os.X_OK)
