"""Deciding on a cost is for the local user and listed owners, whatever the page shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from given.taxonomy_runs import creations, say_yes, spec_of

from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access, handling as runs
from ivan_core.experiments.batches import confirm, handling as taxonomy
from ivan_core.experiments.batches.adopt import adopt
from ivan_core.experiments.batches.answers import plan_file, run_file
from ivan_core.experiments.batches.import_files import import_files


@pytest.fixture
def run_id(server: DemoServer, tmp_path: Path) -> Iterator[str]:
    """A run that a local user prepared, and a visitor from elsewhere."""
    prepared, _ = taxonomy.start(spec_of(tmp_path))
    access.set_provider(lambda: access.Visitor(local=False))
    yield prepared
    access.set_provider(lambda: access.LOCAL)


def _confirm(run_id: str, tmp_path: Path) -> None:
    shown = taxonomy.estimate(run_id)
    assert shown
    confirm.confirm(run_id, shown.plan_hash, "visitor")


def _run_file(run_id: str, tmp_path: Path) -> None:
    job = taxonomy.job(run_id)
    run_file(plan_file(job.data_dir / job.estimates()[0].files[0].path))


ACTIONS: dict[str, Callable[[str, Path], object]] = {
    "start": lambda _, folder: taxonomy.start(spec_of(folder, limit=2)),
    "confirm": _confirm,
    "give_prices": lambda run_id, _: confirm.give_prices(run_id, 0.0, 0.0),
    "renew": lambda run_id, _: confirm.renew(run_id),
    "decline": lambda run_id, _: confirm.decline(run_id),
    "estimate_again": lambda run_id, _: taxonomy.estimate_again(run_id),
    "cancel_batches": lambda run_id, _: taxonomy.cancel_batches(run_id),
    "adopt": lambda *_: adopt(["batch_x"], DatasetRequest(), "visitor"),
    "import_files": lambda _, folder: import_files([folder / "pairs.jsonl"], DatasetRequest()),
    "run_file": _run_file,
}


def test_a_visitor_does_not_go_on_with_what_an_owner_cancelled(
    server: DemoServer, run_id: str, tmp_path: Path
) -> None:
    access.set_provider(lambda: access.LOCAL)
    server.faults.set(names.INSUFFICIENT_QUOTA, method="POST", path="/v1/batches", times=1)
    assert say_yes(run_id).new
    assert runs.get(run_id).state is RunState.FAILED
    access.set_provider(lambda: access.Visitor(local=False))
    with pytest.raises(access.NotAllowed, match="Resuming a run"):
        taxonomy.follow(run_id)
    assert creations(server) == 1 and not server.state.batches


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_a_visitor_from_elsewhere_neither_spends_nor_stops(
    server: DemoServer, run_id: str, tmp_path: Path, action: Callable[[str, Path], object]
) -> None:
    before = taxonomy.estimate(run_id)
    with pytest.raises(access.NotAllowed):
        action(run_id, tmp_path)
    assert taxonomy.estimate(run_id) == before
    assert not taxonomy.is_sent(run_id)
    assert server.requests.count("POST", "/v1/files") == 0
