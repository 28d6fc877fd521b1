"""The wheel, installed where there is no checkout, from a folder in which there is nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from app_server import ROOT, AppServer
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
_SOURCE = ("streamlit_app.py", "pages", "ivan_core", ".streamlit", "pyproject.toml", "setup.py")
_TEXTS = ("README.md", "LICENSE", "NOTICE")
_BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


class InstalledApp(AppServer):
    """`ivan app` of a virtual environment, started in an empty folder."""

    def __init__(self, data_dir: Path, command: Path, folder: Path) -> None:
        super().__init__(data_dir)
        self._command = command
        self._folder = folder

    def _launch(self) -> None:
        options = ["--port", str(self.port), "--data", str(self.data_dir)]
        self._open([str(self._command), "app", *options], _without_checkout(), self._folder)


def _without_checkout() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of a virtual environment with the wheel; what that needs lies in the tests' own."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "source").mkdir()
    for name in (*_SOURCE, *_TEXTS):
        whole = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        whole(ROOT / name, folder / "source" / name)
    (folder / "source" / "scratch.py").touch()  # lies at the top, and is none of the app's
    build = [sys.executable, "-c", _BUILD, str(folder)]
    subprocess.run(build, cwd=folder / "source", env=_without_checkout(), check=True)
    shutil.rmtree(folder / "source")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    told = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    packages = Path(told.stdout.strip())
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


def test_the_dashboard_is_in_the_wheel(installed: Path, data_dir: Path, page: Page, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    app = InstalledApp(data_dir, installed / "ivan", tmp_path / "empty")
    app.start()
    try:
        page.goto(app.url())
        page.get_by_role("button", name="Judge the sample").click()
        expect(page.get_by_text("sides with").first).to_be_visible()
        page.goto(app.url("/compare"))
        expect(page.get_by_role("heading", name="Compare").first).to_be_visible()
        page.goto(app.url("/review"))
        expect(page.get_by_role("heading", name="Review").first).to_be_visible()
    finally:
        app.close()
    assert list((tmp_path / "empty").iterdir()) == []


def test_the_wheel_takes_no_general_name(installed: Path):
    packages = next((installed.parent / "lib").glob("python3*")) / "site-packages"
    names = {path.name for path in packages.iterdir()}
    assert {"ivan_core", "ivan_dashboard"} <= names
    assert not names & {"pages", "tests", "streamlit_app.py"}
    top = {path.name for path in (packages / "ivan_dashboard").iterdir()} - {"__pycache__"}
    assert top == {"streamlit_app.py", "pages", ".streamlit"}
    assert {path.name for path in (packages / "ivan_dashboard" / ".streamlit").iterdir()} == {
        "config.toml"
    }
