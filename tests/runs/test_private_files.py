"""Who may read what IVAN writes: its user alone, whatever the umask; folders from before, too."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from given.support import NOBODY, write_pairs

from ivan_core.demo.server import DemoServer
from ivan_core.runs.storage import keep_private
from ivan_core.settings import slot_file


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Files made here may be read and written by everybody; the umask of the tests comes back."""
    before = os.umask(0)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[str]:
    """What in a folder, itself included, somebody else than its owner may do anything with."""
    return [
        f"{path.relative_to(folder)} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in (folder, *folder.rglob("*"))
        if path.lstat().st_mode & 0o077
    ]


def every_file(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def do(*words: object, **settings: str) -> None:
    """Start a process of Python with an open umask, and wait until it has ended well."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        env=os.environ | settings,
        umask=0,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not done.returncode, done.stderr


def test_nobody_else_may_read_what_runs_of_any_kind_write(data_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    data_dir.rmdir()
    pairs = write_pairs(tmp_path / "pairs.jsonl", 6)
    with DemoServer() as server:
        every_kind = Path(__file__).parents[1] / "given" / "every_kind.py"
        do(every_kind, pairs, out, OPENAI_BASE_URL=server.openai_url, OPENAI_API_KEY="sk-demo")
    assert every_file(data_dir) >= {
        "ivan.sqlite",
        "ledger.sqlite",
        "reviews.sqlite",
        "cache.db",
        "parts.jsonl",
        "manifest.json",
        "table.parquet",
        "worker.log",
        "compare",
        "rewrite",
        "downloads",
        "taxonomy-input",
        "taxonomy-control",
        "columns",
    }
    assert every_file(out) == {"chart.csv", "run.zip", "sheet.xlsx", "reviews.zip"}
    assert readable_by_others(data_dir) == []
    assert readable_by_others(out) == []
    assert slot_file().stat().st_mode & 0o077 == 0


def test_workers_of_every_kind_write_for_their_user_alone(data_dir: Path) -> None:
    data_dir.rmdir()
    do("-m", "ivan_core.warm", IVAN_WARM_IDLE="0")
    assert every_file(data_dir) >= {"warm.sqlite", "warm.lock", "cache.db"}
    told = subprocess.run([sys.executable, "-m", "ivan_core.worker", "none"], umask=0)
    assert told.returncode == 1 and (data_dir / "ivan.sqlite").exists()
    assert readable_by_others(data_dir) == []


def an_old_folder(folder: Path) -> Path:
    """A data folder as IVAN left it before: open to everybody."""
    (folder / "runs" / "2026-01-01-00-00").mkdir(parents=True)
    (folder / "runs" / "2026-01-01-00-00" / "table.parquet").touch()
    (folder / "answers.sqlite").touch()
    (folder / "reviews.sqlite").touch()
    (folder / "reviews.sqlite-wal").touch()
    return folder


def test_a_folder_from_before_is_closed_once(data_dir: Path, open_umask: None) -> None:
    an_old_folder(data_dir).chmod(0o755)
    keep_private(data_dir)
    assert readable_by_others(data_dir) == []
    for path in (data_dir, *data_dir.rglob("*")):  # on purpose: for a colleague
        path.chmod(0o755 if path.is_dir() else 0o644)
    opened = readable_by_others(data_dir)
    keep_private(data_dir)
    assert readable_by_others(data_dir) == opened


def test_what_is_not_ivans_is_left_as_it_is(
    data_dir: Path, tmp_path: Path, open_umask: None
) -> None:
    an_old_folder(data_dir).chmod(0o755)
    for foreign in (data_dir / "script.sh", tmp_path / "elsewhere"):
        foreign.touch()
        foreign.chmod(0o755)
    (data_dir / "runs" / "link").symlink_to(tmp_path / "elsewhere")
    keep_private(data_dir)
    assert [path for path in readable_by_others(data_dir) if "link" not in path] == [
        ". 755",
        "script.sh 755",
    ]
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_colleagues_folder_is_left_as_it_is(data_dir: Path, open_umask: None) -> None:
    an_old_folder(data_dir)
    for path in (data_dir, *data_dir.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    opened = readable_by_others(data_dir)
    keep_private(data_dir)
    assert readable_by_others(data_dir) == opened
    assert not (data_dir / ".private").exists()
