"""From the estimate to the CSV against the demo server: one confirmation, one set of batches."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from given.taxonomy_runs import creations, say_yes, spec_of

from ivan_core.demo.server import DemoServer
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.labels.table import CSV_COLUMNS, read_labels


def test_from_the_estimate_to_the_csv(server: DemoServer, tmp_path: Path, data_dir: Path) -> None:
    run_id, new = taxonomy.start(spec_of(tmp_path))
    assert new
    assert runs.get(run_id).state is RunState.AWAITING_CONFIRMATION
    assert len(server.requests) == 0
    shown = taxonomy.estimate(run_id)
    assert shown is not None
    assert (shown.requests, shown.rows, len(shown.files)) == (12, 6, 1)
    assert shown.files[0].path == f"taxonomy-input/{run_id}-1-input.jsonl"
    assert (shown.output_typical, shown.output_bound) == (12 * 180, 12 * 600)
    assert shown.batch and shown.standard
    assert shown.batch.bound == pytest.approx(shown.standard.bound / 2)

    confirmed = say_yes(run_id)
    assert (confirmed.run_id, confirmed.new) == (run_id, True)
    run = runs.get(run_id)
    assert (run.state, run.problem) == (RunState.DONE, "")
    assert creations(server) == 1
    with (data_dir / "taxonomy-output" / f"{run_id}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert [(row["row_id"], row["preference"]) for row in rows[:2]] == [
        ("0", "chosen"),
        ("0", "rejected"),
    ]
    assert rows[0]["text"] == "\n\nHuman: Question 0?\n\nAssistant: Answer 0."
    assert len(rows) == 12
    assert len((data_dir / "taxonomy-output" / f"{run_id}.jsonl").read_bytes().splitlines()) == 12
    assert not (data_dir / "taxonomy-output" / f"{run_id}-failed.csv").exists()
    assert (
        list(read_labels(data_dir / "runs" / run_id / "labels.parquet")["status"]) == ["valid"] * 12
    )
    manifest = json.loads((data_dir / "runs" / run_id / "manifest.json").read_text())
    assert manifest["reconciliation"].startswith("12 submitted = 12 valid")
    assert manifest["batches"][0]["status"] == "completed"
    assert manifest["attempts"][0]["output_tokens"] > 0
    assert manifest["spend_usd"] == pytest.approx(taxonomy.spent(run_id).usd, abs=1e-6)
