"""A full disk or a folder that cannot be written: a sentence, and what was there is as it was.

What IVAN writes its user alone may read, whatever the umask; folders from before, too.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from fakes.reward_models import Fakes, provider, run_worker
from given.support import NOBODY, write_pairs

from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import StorageProblem
from ivan_core.domain.models import Reward
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.registry import Registry
from ivan_core.runs.storage import Reserve, keep_private, replacing, storage_errors
from ivan_core.settings import slot_file
from ivan_core.worker import work


def spec(pairs: Path, seed: int = 0) -> CompareSpec:
    return CompareSpec(
        dataset=DatasetRequest(source=str(pairs)), models=("fake/one", "fake/two"), seed=seed
    )


def added(registry: Registry, asked: CompareSpec) -> str:
    return registry.add(asked.kind, asked.model_dump_json(), asked.fingerprint)[0]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def try_to_run(data_dir: Path, pairs: Path, answers: Any) -> None:
    """As a user without rights: start a run, name one, write scores; say what came of each."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    os.environ["IVAN_DATA_DIR"] = str(data_dir)
    from ivan_core.engine import handling as runs

    def outcome(action: Any) -> str:
        try:
            action()
        except StorageProblem as problem:
            return f"{problem.message} {problem.hint}"
        return "went through"

    there = next((path.name for path in data_dir.glob("runs/*")), "2026-01-01-00-00")
    known = {"0" * 32: Reward(1.0)}
    answers.put(
        [
            outcome(lambda: runs.start(spec(pairs, seed=9))),
            outcome(lambda: runs.registry().rename(there, "mine")),
            outcome(lambda: ScoreCache(data_dir / "cache" / "scores").put_many("m", known)),
        ]
    )


@pytest.mark.parametrize("before", ["a finished run", "nothing"])
def test_a_read_only_data_folder_is_named_and_left_as_it_was(
    open_folder: Path, processes: ForkServerContext, data_dir: Path, before: str
) -> None:
    pairs = write_pairs(open_folder / "pairs.jsonl", 40)
    data = open_folder / "data"
    data.mkdir()
    if before == "a finished run":
        registry = Registry(data)
        run_id = added(registry, spec(pairs))
        work(registry, run_id, provider(Fakes()))
        assert registry.get(run_id).state is RunState.DONE
    was = snapshot(data)
    for path in (data, *data.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    answers = processes.Queue()
    visitor: Any = processes.Process(target=try_to_run, args=(data, pairs, answers))
    visitor.start()
    said = answers.get(timeout=300)
    visitor.join(300)
    assert all(f"The folder {data}" in words and "cannot be written" in words for words in said), (
        said
    )
    assert all("IVAN_DATA_DIR" in words for words in said)
    data.chmod(0o755)
    assert snapshot(data) == was


class SmallDisk:
    """A disk of a few MiB in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, free: int) -> None:
        """Fill the disk up to so many free bytes."""
        stat = os.statvfs(self.folder)
        filler = max(stat.f_bavail * stat.f_frsize - free, 0)
        (self.folder / "filler").write_bytes(b"x" * filler)

    def clear(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here, which takes root: {error}")
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("free", [300_000, 340_000, 380_000, 420_000, 460_000, 520_000])
def test_a_disk_that_fills_up_stops_the_run_with_a_sentence_and_it_can_go_on(
    small_disk: SmallDisk, tmp_path: Path, processes: ForkServerContext, free: int
) -> None:
    pairs = write_pairs(tmp_path / "pairs.jsonl", 400)
    data = small_disk.folder / "data"
    data.mkdir()
    registry = Registry(data)
    finished = added(registry, spec(pairs))
    run_in(processes, data, finished)
    done = registry.get(finished)
    assert done.state is RunState.DONE
    table = registry.folder(finished) / "table.parquet"
    results = {name: content for name, content in snapshot(data).items() if finished in name}

    run_id = added(registry, spec(pairs, seed=1))
    registry.folder(run_id).mkdir()
    shutil.rmtree(data / "cache")
    small_disk.leave(free)
    run_in(processes, data, run_id)
    small_disk.clear()
    stopped = registry.get(run_id)
    assert {name: Path(name).read_bytes() for name in results} == results
    if stopped.state is not RunState.DONE:  # with the most free space it may just fit
        assert stopped.state is RunState.FAILED
        assert "is full" in stopped.problem
        assert "resume" in stopped.hint
        assert registry.requeue(run_id)
        run_in(processes, data, run_id)
        assert registry.get(run_id).state is RunState.DONE
    elif free < 400_000:
        pytest.fail("the disk did not fill up, so nothing was tested")
    assert table.exists()
    assert (registry.folder(run_id) / "manifest.json").exists()
    assert not (registry.folder(run_id) / "reserve").exists()


def run_in(processes: ForkServerContext, data: Path, run_id: str) -> None:
    worker: Any = processes.Process(target=run_worker, args=(data, run_id, Fakes()))
    worker.start()
    worker.join(300)


def test_a_registry_on_a_full_disk_says_so(small_disk: SmallDisk) -> None:
    small_disk.leave(0)
    with pytest.raises(StorageProblem, match="is full"):
        Registry(small_disk.folder / "data").add("compare", "{}", "a")


def test_a_cache_on_a_full_disk_says_so_and_keeps_its_scores(small_disk: SmallDisk) -> None:
    from ivan_core.domain.models import Reward

    cache = ScoreCache(small_disk.folder / "scores")
    cache.put_many("model", {"a": Reward(1.0)})
    small_disk.leave(0)
    with pytest.raises(StorageProblem, match="is full"):
        for chunk in range(100):
            cache.put_many("model", {f"{chunk}-{n}": Reward(n / 7) for n in range(500)})
    small_disk.clear()
    assert cache.get_many("model", ["a"]) == {"a": Reward(1.0)}
    kept = [
        len(cache.get_many("model", [f"{chunk}-{n}" for n in range(500)])) for chunk in range(100)
    ]
    assert set(kept) <= {0, 500}
    cache.put_many("model", {"b": Reward(2.0)})


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "is full"),
        (OSError(errno.EROFS, "Read-only file system", "/data/x"), "cannot be written"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/runs/x"), "cannot be written"),
        (sqlite3.OperationalError("database or disk is full"), "is full"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "cannot be written"),
        (sqlite3.DatabaseError("database disk image is malformed"), "damaged"),
    ],
    ids=lambda value: getattr(value, "strerror", None) or str(value),
)
def test_complaints_about_the_folder_become_sentences(error: Exception, words: str) -> None:
    with pytest.raises(StorageProblem, match=words), storage_errors(Path("/data")):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied", "/home/someone/.cache/model"),
        FileNotFoundError(errno.ENOENT, "No such file", "/data/x"),
        sqlite3.OperationalError("no such table: runs"),
    ],
    ids=str,
)
def test_other_complaints_are_not_laid_at_the_folders_door(error: Exception) -> None:
    with pytest.raises(type(error)), storage_errors(Path("/data")):
        raise error


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as temporary:
        temporary.write_text("half of the ne")
        raise KeyError
    assert path.read_text() == "old"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [found.name for found in tmp_path.iterdir()] == ["manifest.json"]


def test_what_a_killed_writer_left_is_used_again(tmp_path: Path) -> None:
    (tmp_path / ".table.parquet.new").write_text("left behind by a killed worker")
    with replacing(tmp_path / "table.parquet", alone=True) as temporary:
        temporary.write_text("new")
    assert [found.name for found in tmp_path.iterdir()] == ["table.parquet"]


def test_the_reserve_is_given_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    reserve.take()
    assert (tmp_path / "reserve").stat().st_size > 100_000
    reserve.release()
    reserve.release()
    assert list(tmp_path.iterdir()) == []


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
        "scores.sqlite",
        "cache.db",
        "parts.jsonl",
        "manifest.json",
        "table.parquet",
        "worker.log",
        "analysis",
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
    assert every_file(data_dir) >= {"warm.sqlite", "warm.lock", "scores.sqlite"}
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
