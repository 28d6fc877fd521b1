"""Answers that were paid for survive a stop at any step, and no damaged file stops other runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.kills import Killed, confirmed, work_until_killed
from given.taxonomy_runs import asked_lines, be_worker, labelled, spec_of

from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import (
    handling as taxonomy,
    kept_answers as batch_answers,
    results as batch_results,
    work as taxonomy_work,
)
from ivan_core.ledger.answers import Answers
from ivan_core.ledger.ledger import Ledger

STEPS = {
    "the answers are kept": (Answers, "keep"),
    "they are marked": (Answers, "mark_read"),
    "the estimate is kept": (taxonomy_work, "keep_estimate"),
    "nobody is asked": (Ledger, "confirm"),
    "the results are written": (taxonomy_work, "write_reconciled"),
    "the summary is written": (batch_results, "write_summary"),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_stop_at_any_step_loses_no_answer_and_sends_nothing_twice(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    where, name = STEPS[step]
    real = getattr(where, name)

    def killed(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        raise Killed

    if where is Answers:  # killed while the run that paid writes its results
        first = confirmed(tmp_path, monkeypatch)
        with monkeypatch.context() as patch:
            patch.setattr(where, name, killed)
            work_until_killed(first)
        assert taxonomy.follow(first)
        assert runs.get(first).state is RunState.DONE
        run_id, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
    else:  # killed while another run takes its answers over
        labelled(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "spawn", lambda _: None)
            run_id, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
        with monkeypatch.context() as patch:
            patch.setattr(where, name, killed)
            work_until_killed(run_id)
        runs.registry().requeue(run_id)
        be_worker(run_id)
    assert runs.get(run_id).state is RunState.DONE
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 4
    assert asked_lines(server) == [12]


def test_a_damaged_run_beside_it_is_no_obstacle(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    first = labelled(tmp_path, row_ids=(1,))
    bad = labelled(tmp_path, row_ids=(3,))
    for path in data_dir.glob("answers.sqlite*"):
        path.unlink()
    (data_dir / "runs" / bad / "estimate-1.json").write_text("{")
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    shown = taxonomy.estimate(run_id)
    assert shown and shown.reused and shown.reused.runs == (first,)


def indented(content: bytes) -> bytes:
    """Each request as a tool that makes JSON readable leaves it."""
    lines = (json.dumps(json.loads(line), indent=2) for line in content.splitlines())
    return "\n".join(lines).encode()


CHANGES = {
    "other words": lambda content: content.replace(b"Answer 1", b"Answer 9"),
    "made readable": indented,
    "no requests": lambda _: b'{"body":1}\n',
}


@pytest.mark.parametrize("error", [IndexError, KeyError, AttributeError])
def test_whatever_is_wrong_with_the_files_of_a_run_stops_no_other(
    server: DemoServer,
    tmp_path: Path,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    labelled(tmp_path, row_ids=(1,))
    for path in data_dir.glob("answers.sqlite*"):
        path.unlink()

    def damaged(_: object) -> None:
        raise error("what nobody expected in a file")

    monkeypatch.setattr(batch_answers, "read_bodies", damaged)
    run_id, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
    shown = taxonomy.estimate(run_id)
    assert shown and shown.requests == 4


@pytest.mark.parametrize("change", CHANGES)
def test_a_request_file_that_was_changed_gives_no_answers(
    server: DemoServer, tmp_path: Path, data_dir: Path, change: str
) -> None:
    first = labelled(tmp_path, row_ids=(1,))
    for path in data_dir.glob("answers.sqlite*"):
        path.unlink()
    path = data_dir / taxonomy.job(first).estimates()[0].files[0].path
    path.write_bytes(CHANGES[change](path.read_bytes()))
    batch_answers.keep_answers(taxonomy.job(first))  # as when its results are written once more
    run_id, _ = taxonomy.start(spec_of(tmp_path, row_ids=(1, 2)))
    shown = taxonomy.estimate(run_id)
    assert shown and shown.requests == 4
