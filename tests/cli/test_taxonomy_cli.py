"""`ivan taxonomy`: the estimate is printed, a yes is asked for, and without one nothing is sent."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from threading import Timer

import pytest
from given.support import write_pairs
from given.taxonomy_runs import QUICK, account_of, creations, workers_here

from ivan_core.cli import taxonomy as command
from ivan_core.cli.follow import follow
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import confirm, handling as taxonomy
from ivan_core.ledger.records import PartKey
from ivan_core.ledger.sending import send_part
from ivan_core.runs.locks import FileLock


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    return str(write_pairs(tmp_path / "pairs.jsonl", 6))


def ivan(*words: str) -> int:
    """Run a command of `ivan taxonomy`; problems are raised."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    options = parser.parse_args(["taxonomy", *words])
    return int(options.run(options))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_and_without_yes_nothing_is_sent(
    server: DemoServer, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadInput, match="nobody is there to confirm") as refused:
        ivan("create-batch", "--dataset", pairs, "--limit", "4")
    assert "--yes" in refused.value.hint
    said = capsys.readouterr().out
    assert "8 for 4 pairs, in 1 file" in said
    assert "The first 4 of 6 pairs: not a random sample." in said
    assert "price as a batch" in said and "genai-prices" in said
    assert len(server.requests) == 0


@pytest.mark.parametrize(("typed", "sent"), [("yes", 1), ("y", 0), ("", 0)])
def test_on_a_terminal_only_a_whole_yes_sends(
    server: DemoServer, pairs: str, monkeypatch: pytest.MonkeyPatch, typed: str, sent: int
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(f"{typed}\n"))
    assert ivan("create-batch", "--dataset", pairs) == (0 if sent else 1)
    assert creations(server) == sent


def test_with_yes_it_sends_once_and_names_the_batches(
    server: DemoServer, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ivan("create-batch", "--dataset", pairs, "--yes", "--examples") == 0
    first = capsys.readouterr().out
    batch = next(iter(server.state.batches))
    assert f'ivan taxonomy process-batch --batch-ids "{batch}"' in first
    assert "0.chosen" in first and "Question 2?" in first
    assert ivan("create-batch", "--dataset", pairs, "--yes") == 0
    assert "nothing is sent again" in capsys.readouterr().out
    assert creations(server) == 1


def test_a_worker_that_is_gone_before_it_sent_is_told_and_followed_again(
    server: DemoServer,
    pairs: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = runs.registry()
    spawn = runs.spawn

    def dies_once(run_id: str) -> None:
        if not taxonomy.is_sent(run_id):
            spawn(run_id)
            return
        assert registry.begin(run_id)  # and no more: nobody holds the lock
        monkeypatch.setattr(runs, "spawn", spawn)

    monkeypatch.setattr(runs, "spawn", dies_once)
    assert ivan("create-batch", "--dataset", pairs, "--yes") == 1
    told = capsys.readouterr().err
    assert "is gone; files not sent: 1." in told and "sends nothing twice" in told
    run_id = runs.every("taxonomy")[0].id
    assert follow(run_id, sys.stdout) == 0
    assert "12 submitted = 12 valid" in capsys.readouterr().out
    assert creations(server) == 1


def test_above_the_cap_nothing_is_sent(
    server: DemoServer, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ivan("create-batch", "--dataset", pairs, "--yes", "--max-usd", "0.0001") == 1
    assert "the cap is" in capsys.readouterr().err
    assert len(server.requests) == 0


def test_an_answer_that_was_lost_is_not_paid_for_again_by_yes_alone(
    server: DemoServer, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults.set(names.RESET, method="POST", path="/v1/batches", times=1)
    assert ivan("create-batch", "--dataset", pairs, "--yes") == 1
    assert "may be charged twice" in capsys.readouterr().err
    with pytest.raises(BadInput, match="at the provider already"):
        ivan("create-batch", "--dataset", pairs, "--yes")
    assert len(server.state.batches) == 0
    assert ivan("create-batch", "--dataset", pairs, "--yes", "--again") == 0
    assert len(server.state.batches) == 1


def test_collecting_and_repairing(
    server: DemoServer, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults.set(names.FORMAT_IGNORED, times=1, ids=["1.chosen"])
    ivan("create-batch", "--dataset", pairs, "--yes")
    batch = next(iter(server.state.batches))
    capsys.readouterr()
    assert ivan("process-batch", "--batch-ids", batch) == 0
    said = capsys.readouterr().out
    assert "12 submitted = 11 valid" in said
    assert "Texts without usable labels: 1. --repair asks for them." in said
    assert "Cost: $0.00" in said and "confirmed were $0.00" in said
    with pytest.raises(BadInput, match="nobody is there to confirm"):
        ivan("process-batch", "--batch-ids", batch, "--repair")
    assert server.requests.count("POST", "/v1/chat/completions") == 0
    assert ivan("process-batch", "--batch-ids", batch, "--repair", "--yes") == 0
    assert "12 submitted = 12 valid" in capsys.readouterr().out
    assert creations(server) == 1


def test_a_batch_at_work_is_named_and_nothing_is_wrong(
    data_dir: Path, pairs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with DemoServer(batch_seconds=3600) as demo, workers_here(monkeypatch):
        account_of(monkeypatch, demo)
        with monkeypatch.context() as patch, pytest.raises(BadInput):
            patch.setattr(sys, "stdin", io.StringIO())
            ivan("create-batch", "--dataset", pairs)
        run_id = runs.every("taxonomy")[0].id
        shown = taxonomy.estimate(run_id)
        assert shown
        monkeypatch.setattr(runs, "spawn", lambda _: None)
        confirm.confirm(run_id, shown.plan_hash, "test")
        job = taxonomy.job(run_id)
        sent = send_part(
            job.ledger, QUICK.batches(job.spec), PartKey(run_id, 1, 1), shown.plan_hash
        )
        assert ivan("process-batch", "--batch-ids", sent.batch_id) == 0
        said = capsys.readouterr().out
        assert f"{sent.batch_id} has not ended: the same command collects it later." in said


def test_a_worker_that_is_writing_the_results_is_waited_for(
    server: DemoServer, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ivan("create-batch", "--dataset", pairs, "--yes") == 0
    job = taxonomy.job(runs.every("taxonomy")[0].id)
    batch, registry = job.parts()[0].batch_id, job.registry
    summary = job.folder / "summary.json"
    written = summary.read_bytes()
    summary.unlink()
    capsys.readouterr()
    with FileLock(registry.lock_path(job.run_id)) as lock:
        assert lock.acquire()
        registry.finish(job.run_id, RunState.RUNNING)

        def end() -> None:
            summary.write_bytes(written)
            registry.finish(job.run_id, RunState.DONE)

        worker = Timer(0.5, end)
        worker.start()
        assert ivan("process-batch", "--batch-ids", batch) == 0
        worker.join()
    assert "12 submitted = 12 valid" in capsys.readouterr().out


def test_a_request_file_is_answered_and_imported(
    server: DemoServer, pairs: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadInput):
        ivan("create-batch", "--dataset", pairs)
    path = next((data_dir / "taxonomy-input").glob("*-1-input.jsonl"))
    with pytest.raises(BadInput, match="nobody is there to confirm"):
        ivan("run-file", str(path))
    assert ivan("run-file", str(path), "--yes") == 0
    said = capsys.readouterr().out
    assert "12 of 12 answered." in said
    out = said.partition("Answers: ")[2].splitlines()[0]
    assert ivan("import-file", out, "--dataset", pairs) == 0
    assert "12 submitted = 12 valid" in capsys.readouterr().out
