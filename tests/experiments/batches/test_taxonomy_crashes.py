"""A worker that is killed between any two steps: another goes on, and nothing is paid twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.kills import Killed, confirmed, fragile, work_until_killed
from given.taxonomy_runs import creations

from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import PartKey, Stage

STEPS = ("upload", "create", "poll", "collect")
STAGES = (
    Stage.UPLOADING,
    Stage.UPLOADED,
    Stage.CREATING,
    Stage.CREATED,
    Stage.TERMINAL,
    Stage.DOWNLOADED,
    Stage.VALIDATED,
)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_call_is_followed_by_one_that_goes_on(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    work_until_killed(run_id, fragile(step, after))
    assert runs.get(run_id).state is RunState.INTERRUPTED
    assert taxonomy.follow(run_id)
    run = runs.get(run_id)
    if step == "create" and not after:  # nobody can know that the call was never made
        assert run.state is RunState.AWAITING_CONFIRMATION
        assert "may be charged twice" in run.problem
        assert creations(server) == 0
        return
    assert run.state is RunState.DONE
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12
    assert creations(server) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_killed_at_any_line_of_the_ledger_is_followed_by_one_that_goes_on(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage, after: bool
) -> None:
    run_id = confirmed(tmp_path, monkeypatch)
    write = Ledger.move

    def killed(ledger: Ledger, key: PartKey, to: Stage, **facts: Any) -> bool:
        if to is not stage:
            return write(ledger, key, to, **facts)
        if after:
            write(ledger, key, to, **facts)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "move", killed)
        work_until_killed(run_id)
    assert taxonomy.follow(run_id)
    run = runs.get(run_id)
    if stage is Stage.CREATING and after:  # the call was about to be made: nobody can know
        assert run.state is RunState.AWAITING_CONFIRMATION
        assert creations(server) == 0
        return
    assert run.state is RunState.DONE
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["valid"] == 12
    assert creations(server) == 1
