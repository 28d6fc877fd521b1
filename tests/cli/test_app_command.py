"""`ivan app`: what it starts, with which settings, and what it refuses before."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ivan_core.cli import app
from ivan_core.cli.main import run
from ivan_core.demo import finished_study
from ivan_core.settings import NOT_FOR_STRANGERS, setting

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """The settings that a server would have been started with, in place of the servers."""
    started: list[dict[str, str]] = []

    def serve(script: Path, arguments: list[str]) -> None:
        assert script == ROOT / "streamlit_app.py"
        names, texts = arguments[::2], arguments[1::2]
        started.append(dict(zip(names, texts, strict=True)))

    monkeypatch.setattr(app, "import_module", lambda _: SimpleNamespace(serve=serve))
    monkeypatch.setattr(app.sys, "path", list(app.sys.path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "STREAMLIT_SERVER_ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    before = dict(os.environ)
    yield started
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders into which a finished study would have been put."""
    folders: list[Path] = []
    monkeypatch.setattr(finished_study, "put_into", folders.append)
    return folders


def test_a_browser_is_opened_where_there_is_a_screen(served, monkeypatch):
    assert run(["app"]) == 0
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    run(["app"])
    assert served == [{"--server.headless": "true"}, {"--server.headless": "false"}]


def test_port_and_folder_are_taken(served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(["app", "--data", "new/folder"])
    assert setting("IVAN_DATA_DIR") == str(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    run(["app", "--port", str(port)])
    assert served[1]["--server.port"] == str(port)


def test_what_cannot_be_is_said_before_anything_starts(served, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert run(["app", "--port", "0"]) == 1
    assert run(["app", "--data", str(tmp_path / "file")]) == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["app", "--port", str(taken.getsockname()[1])]) == 1
    told = capsys.readouterr().err
    assert "--port is between 1 and 65535." in told
    assert "cannot be the data folder: File exists." in told
    assert "cannot be listened on: Address already in use." in told
    assert served == []


def test_a_demo_has_something_to_show_and_knows_no_secret(served, filled, monkeypatch):
    for name in NOT_FOR_STRANGERS:
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("IVAN_DATA_DIR", "/nobody/looks/here")
    thrown_away: list[str] = []
    monkeypatch.setattr(app.atexit, "register", lambda _, folder, **__: thrown_away.append(folder))
    monkeypatch.setenv("DISPLAY", ":0")
    assert run(["app", "--public"]) == 0
    assert "secret" not in os.environ.values()
    assert setting("IVAN_PUBLIC") == "1" and os.environ["HF_HUB_OFFLINE"] == "1"
    assert [str(folder) for folder in filled] == thrown_away == [setting("IVAN_DATA_DIR")]
    assert served == [
        {
            "--server.headless": "true",
            "--server.maxUploadSize": "0",
            "--server.maxMessageSize": "16",
            "--server.allowedHosts": "*",
        }
    ]
    Path(thrown_away[0]).rmdir()


def test_a_demo_of_ones_own_study_stays_where_it_is(served, filled, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_ALLOWED_HOSTS", "demo.example.org")
    run(["app", "--public", "--data", str(tmp_path)])
    assert filled == [tmp_path] and setting("IVAN_DATA_DIR") == str(tmp_path)
    assert "--server.allowedHosts" not in served[0]
