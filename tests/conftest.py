"""What tests share: a data folder of their own, no settings from outside, fake workers."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import hypothesis
import pytest
from fakes.reward_models import Fakes, provider
from given.made_analyses import analysing
from given.made_labellings import first, labellings, second
from given.review_databases import count_skipped, postgres, postgres_server, review_database
from given.support import no_settings_from_files, settings_of, write_pairs

from ivan_core.domain.runs import Run
from ivan_core.runs.registry import Registry
from ivan_core.worker import work

# How long an example takes is the machine's affair. `make test` tries the same ones each time, so
# that it never fails by chance; `make stress` draws new ones.
_NO_TIMES = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("new", deadline=None, suppress_health_check=_NO_TIMES)
hypothesis.settings.register_profile(
    "same", deadline=None, suppress_health_check=_NO_TIMES, derandomize=True
)
hypothesis.settings.load_profile("same")

__all__ = [
    "analysing",
    "first",
    "labellings",
    "postgres",
    "postgres_server",
    "review_database",
    "second",
]
_KEPT = ("IVAN_REQUIRE", "IVAN_TEST_HH_RLHF")
for _name in list(os.environ):
    if _name.startswith(("IVAN_", "HF_", "OPENAI_", "OLLAMA_")) and _name not in _KEPT:
        del os.environ[_name]


_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30
"""Bytes that are free in memory before the files of all tests go there; they need far fewer."""


def pytest_configure() -> None:
    """Let the files of tests lie in memory where there is room: a disk would be waited for
    thousands of times, and a killed process loses nothing that it wrote to either."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    count_skipped(terminalreporter)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that is in force, and a slot that no other test knows."""
    folder = settings_of(monkeypatch, tmp_path)
    folder.mkdir()
    return folder


@pytest.fixture
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the test alone."""
    no_settings_from_files(monkeypatch)


@pytest.fixture
def pairs_file(tmp_path: Path) -> Path:
    """Forty pairs in a file; the sides of row 7 are the same."""
    return write_pairs(tmp_path / "pairs.jsonl", 40)


@pytest.fixture
def fake_workers(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fakes], None]:
    """From the call on, workers that are started run with fakes that behave as told."""
    from ivan_core.engine import handling as runs

    def tell(fakes: Fakes) -> None:
        monkeypatch.setattr(
            runs,
            "WORKER",
            (sys.executable, str(Path(__file__).parent / "fakes" / "reward_models.py")),
        )
        for name, value in fakes.environment().items():
            monkeypatch.setenv(name, value)

    return tell


@pytest.fixture(scope="session")
def processes() -> Iterator[ForkServerContext]:
    """Quick processes: forked from a server that has loaded what workers load, and no threads."""
    context = multiprocessing.get_context("forkserver")
    loaded = ["worker", *(f"experiments.{kind}.work" for kind in ("compare", "rewrite", "batches"))]
    context.set_forkserver_preload(
        ["pyarrow.parquet", "pandas", *(f"ivan_core.{name}" for name in loaded)]
    )
    yield context


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit's test runner leaves its script as `__main__`, which new processes would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def run_here(data_dir: Path) -> Callable[[str, Fakes], Run]:
    """Be the worker of a run in this process, with fakes; returns the run as it ended."""

    def run(run_id: str, fakes: Fakes) -> Run:
        registry = Registry(data_dir)
        work(registry, run_id, provider(fakes))
        return registry.get(run_id)

    return run


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can enter (those of the test runner are its own)."""
    folder = Path(tempfile.mkdtemp(prefix="ivan-"))
    folder.chmod(0o755)
    yield folder
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)
