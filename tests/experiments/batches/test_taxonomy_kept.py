"""What is kept of labels by batches: a paid batch from deletion, and who really answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.taxonomy_runs import account_of, say_yes, spec_of, workers_here

from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import BatchState
from ivan_core.domain.runs import RunState
from ivan_core.engine import archive, handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.labels.results import open_labels
from ivan_core.ledger.ledger import Ledger
from ivan_core.ledger.records import PartKey


def test_a_run_whose_batch_is_at_work_is_not_deleted(data_dir: Path, tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    run_id, _ = runs.registry().add(spec.kind, spec.model_dump_json(), spec.fingerprint)
    runs.registry().finish(run_id, RunState.CANCELLED)
    key, ledger = PartKey(run_id, 1, 1), Ledger(data_dir)
    ledger.adopt(key, "batch_1", "account", "test")
    with pytest.raises(BadInput, match="will be charged"):
        archive.delete(run_id)
    assert runs.get(run_id).state is RunState.CANCELLED
    assert ledger.record_terminal(key, BatchState("batch_1", "completed"))
    archive.delete(run_id)
    assert runs.registry().all() == []


def test_labels_of_the_demo_server_say_so_and_go_with_their_run(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer() as server, workers_here(monkeypatch):
        account_of(monkeypatch, server)
        run_id, _ = taxonomy.start(spec_of(tmp_path))
        say_yes(run_id)
    assert open_labels(run_id).labeler == "gpt-6-luna (demo server)"
    written = [path for name in ("input", "output") for path in data_dir.glob(f"taxonomy-{name}/*")]
    assert len(written) == 3
    archive.delete(run_id)
    assert not any(path.exists() for path in written)
