"""Workers that are stopped but not dead: told of, cancelled, deleted and replaced; nobody else is
ended for them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from fakes.reward_models import Fakes
from fakes.warm import ONE, complete, loader, some_texts
from given.support import wait_for

from ivan_core import warm as warm_worker
from ivan_core.cli.main import run as ivan
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import archive, handling as runs, workers
from ivan_core.engine.warm import answers as warm
from ivan_core.runs import database
from ivan_core.runs.locks import FileLock, Holder, end_holder, holder_of, is_held, sign
from ivan_core.runs.questions import Questions

Tell = Callable[[Fakes], None]
HOLDS = """
import sys, time, sqlite3
from pathlib import Path
from ivan_core.runs.locks import sign
from ivan_core.runs.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
assert lock.acquire()
sign(lock, "a-run", Path("/data"))
if sys.argv[2:]:
    db = sqlite3.connect(sys.argv[2], isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
print("ready", flush=True)
time.sleep(3600)
"""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is given time to answer, since those who are stopped cannot."""
    monkeypatch.setattr(workers, "GRACE_SECONDS", 0.2)


@contextmanager
def holding(lock: Path, *more: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a lock, signed, and the writing of a database if one is named."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(lock), *map(str, more)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def spec(pairs: Path, seed: int = 0) -> CompareSpec:
    return CompareSpec(
        dataset=DatasetRequest(source=str(pairs)), models=("fake/one", "fake/two"), seed=seed
    )


def started(pairs: Path, seed: int = 0) -> str:
    """A run whose worker is stopped in the middle of its work."""
    run_id, new = runs.start(spec(pairs, seed))
    assert new
    wait_for(lambda: runs.get(run_id).done == 32)
    holder = holder_of(runs.registry().lock_path(run_id))
    assert holder is not None and holder.what == run_id
    os.kill(holder.pid, signal.SIGSTOP)
    return run_id


def test_a_stopped_worker_is_cancelled_and_its_run_resumed_replaced_and_deleted(
    pairs_file: Path, fake_workers: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_workers(Fakes(hangs_at_call=2))
    run_id = started(pairs_file)
    assert runs.start(spec(pairs_file)) == (run_id, False)
    with pytest.raises(BadInput, match=f"Run {run_id} is running"):
        archive.delete(run_id)
    assert runs.silence(runs.get(run_id)) == ""
    monkeypatch.setattr(workers, "SILENT_SECONDS", 0.0)
    assert "is stopped, or stuck. Cancel ends it" in runs.silence(runs.get(run_id))
    runs.cancel(run_id)
    wait_for(lambda: runs.get(run_id).state is RunState.CANCELLED)
    assert runs.silence(runs.get(run_id)) == ""
    fake_workers(Fakes())
    runs.resume(run_id)
    wait_for(lambda: runs.get(run_id).state is RunState.DONE)
    archive.delete(run_id)
    new_id, new = runs.start(spec(pairs_file))
    assert new
    wait_for(lambda: runs.get(new_id).state is RunState.DONE)


def test_who_waits_for_the_machine_reads_for_whom_and_how_to_end_that(
    pairs_file: Path, fake_workers: Tell, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_workers(Fakes(hangs_at_call=2))
    first = started(pairs_file)
    fake_workers(Fakes())
    second, _ = runs.start(spec(pairs_file, seed=1))
    told = f"Waiting for run {first}, which has models loaded (`ivan runs cancel {first}` ends it)"
    wait_for(lambda: runs.get(second).doing == told)
    assert ivan(["runs", "cancel", first]) == 0
    assert f"Run {first} is cancelled at 32 of 80." in capsys.readouterr().out
    wait_for(lambda: runs.get(second).state is RunState.DONE)


def test_a_worker_stopped_while_it_writes_to_the_registry_is_cancelled(
    data_dir: Path, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.2)
    registry = runs.registry()
    asked = spec(pairs_file)
    run_id, _ = registry.add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    assert registry.begin(run_id)
    registry.folder(run_id).mkdir(parents=True)
    with holding(registry.lock_path(run_id), data_dir / "ivan.sqlite") as worker:
        worker.send_signal(signal.SIGSTOP)
        runs.cancel(run_id)
        assert worker.wait() == -signal.SIGKILL
    assert runs.get(run_id).state is RunState.CANCELLED


def test_a_silent_worker_makes_way_for_one_that_cancels_the_batches(
    data_dir: Path, pairs_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = runs.registry()
    asked = spec(pairs_file)
    run_id, _ = registry.add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    assert registry.begin(run_id)
    registry.folder(run_id).mkdir(parents=True)
    with holding(registry.lock_path(run_id)) as worker:
        assert not workers.end_if_hung(registry, runs.get(run_id))
        monkeypatch.setattr(workers, "SILENT_SECONDS", 0.0)
        assert workers.end_if_hung(registry, runs.get(run_id))
        assert worker.wait() == -signal.SIGKILL
    assert runs.get(run_id).state is RunState.INTERRUPTED


def test_a_stopped_warm_worker_is_replaced(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = str(Path(__file__).parents[1] / "fakes" / "warm.py")
    monkeypatch.setattr(warm, "WARM", (sys.executable, script))
    monkeypatch.setenv("IVAN_WARM_IDLE", "60")
    lock = data_dir / "warm.lock"
    wait_for(lambda: complete(ONE, some_texts(1)))
    serving = holder_of(lock)
    assert serving is not None
    stopped = serving.pid
    os.kill(stopped, signal.SIGSTOP)
    monkeypatch.setattr(warm, "HUNG_SECONDS", -1.0)
    pending = warm.ask(ONE, some_texts(3)).pending
    assert pending and pending.doing in (
        "Replacing the warm worker, which hung",
        "Starting the warm worker",
    )  # it was stopped writing
    monkeypatch.setattr(warm, "HUNG_SECONDS", 60.0)
    found = wait_for(lambda: complete(ONE, some_texts(3)))
    assert len(found.rewards) == 3
    holder = holder_of(lock)
    assert holder is not None and holder.pid != stopped
    assert end_holder(holder, lock)


def test_a_warm_worker_that_takes_over_is_not_taken_for_the_silent_one_before(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heartbeat of the one before is old; the new one's is there before its name is."""
    questions = Questions(data_dir)
    assert questions.heartbeat() == 0
    beats: list[float] = []
    monkeypatch.setattr(warm_worker, "sign", lambda *_: beats.append(questions.heartbeat()))
    warm_worker.serve(questions, loader(Fakes()), idle_seconds=0)
    assert len(beats) == 1 and beats[0] > 0


def test_a_warm_worker_that_beats_again_is_not_ended(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "_spawn", lambda questions: None)
    questions = Questions(data_dir)
    assert warm.ask(ONE, some_texts(1)).pending

    def took_over(lock: Path) -> Holder | None:
        questions.take_over()
        return holder_of(lock)

    with holding(data_dir / "warm.lock") as worker:
        monkeypatch.setattr(warm, "holder_of", took_over)
        assert warm.ask(ONE, some_texts(1)).pending
        assert worker.poll() is None


def test_a_warm_worker_stopped_while_it_writes_makes_way(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.2)
    monkeypatch.setattr(warm, "_spawn", lambda questions: None)
    assert warm.ask(ONE, some_texts(1)).pending
    with holding(data_dir / "warm.lock", data_dir / "warm.sqlite") as worker:
        worker.send_signal(signal.SIGSTOP)
        pending = warm.ask(ONE, some_texts(2)).pending
        assert pending and pending.doing == "Starting the warm worker"
        assert worker.wait() == -signal.SIGKILL


def test_only_who_holds_a_lock_is_known_and_ended(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder_of(path) is None
    with holding(path) as worker:
        known = holder_of(path)
        assert known is not None and (known.pid, known.what) == (worker.pid, "a-run")
        # A number that was given to another process later: it began at another time.
        assert not end_holder(replace(known, started="1"), path)
        # A process that lives, and began when it says, but does not have the lock open.
        with subprocess.Popen(["sleep", "3600"]) as other:
            stat = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()
            claimed = Holder(other.pid, stat[19], "a-run", "/data")
            path.write_text(json.dumps(asdict(claimed)))
            assert holder_of(path) is None and not end_holder(claimed, path)
            assert other.poll() is None
            other.kill()
        assert worker.poll() is None
        path.write_text(json.dumps(asdict(known)))
        assert end_holder(known, path)
        assert worker.wait() == -signal.SIGKILL
    assert not is_held(path) and holder_of(path) is None
    assert not end_holder(known, path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": "x"}', '"text"', "\udcff"])
def test_a_lock_without_a_signature_is_nobodys(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lock"
    with FileLock(path) as lock:
        assert lock.acquire()
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
        assert holder_of(path) is None


def test_a_process_does_not_end_itself(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as lock:
        assert lock.acquire()
        sign(lock, "me", tmp_path)
        me = holder_of(lock.path)
        assert me is not None and me.pid == os.getpid()
        assert not end_holder(me, lock.path)
