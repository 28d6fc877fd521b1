"""Asking again for what has no usable labels: only that, after a yes, two rounds at most."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from given.taxonomy_runs import creations, say_yes, spec_of

from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import Mode
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import confirm, handling as taxonomy
from ivan_core.labels.table import read_labels


def first_attempt(server: DemoServer, tmp_path: Path) -> str:
    """A run of 12 texts of which 1.chosen is invalid and 2.rejected failed."""
    server.faults.set(names.FORMAT_IGNORED, times=1, ids=["1.chosen"])
    server.faults.set(names.ERROR_NULL, times=1, ids=["2.rejected"])
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    return run_id


def statuses(data_dir: Path, run_id: str) -> dict[str, tuple[str, int]]:
    table = read_labels(data_dir / "runs" / run_id / "labels.parquet")
    return {
        f"{row.row_id}.{row.preference}": (row.status, row.attempt) for row in table.itertuples()
    }


def test_what_failed_is_listed_with_its_raw_reply(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    run_id = first_attempt(server, tmp_path)
    with (data_dir / "taxonomy-output" / f"{run_id}-failed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row_id"], row["preference"], row["state"]) for row in rows] == [
        ("1", "chosen", "invalid"),
        ("2", "rejected", "failed"),
    ]
    assert rows[0]["raw"] == "The assistant is mostly helpful here, and rather polite."
    assert "The line was not run." in rows[1]["reason"]


@pytest.mark.parametrize("mode", ["batch", "now"])
def test_only_what_has_no_labels_is_asked_for_again(
    server: DemoServer, tmp_path: Path, data_dir: Path, mode: Mode
) -> None:
    run_id = first_attempt(server, tmp_path)
    before = taxonomy.spent(run_id)
    assert taxonomy.estimate_again(run_id, mode) == 2
    run, shown = runs.get(run_id), taxonomy.estimate(run_id)
    assert run.state is RunState.AWAITING_CONFIRMATION
    assert shown and shown.requests == 2 and shown.standard and shown.batch
    assert shown.dollars == (shown.batch if mode == "batch" else shown.standard)
    assert creations(server) == 1

    say_yes(run_id)
    assert runs.get(run_id).state is RunState.DONE
    found = statuses(data_dir, run_id)
    assert found["1.chosen"] == ("valid", 2)
    assert found["2.rejected"] == ("valid", 2)
    assert found["0.chosen"] == ("valid", 1)
    assert not (data_dir / "taxonomy-output" / f"{run_id}-failed.csv").exists()
    assert creations(server) == (2 if mode == "batch" else 1)
    assert server.requests.count("POST", "/v1/chat/completions") == (0 if mode == "batch" else 2)
    assert taxonomy.spent(run_id).usd > before.usd
    manifest = json.loads((data_dir / "runs" / run_id / "manifest.json").read_text())
    assert [one["attempt"] for one in manifest["attempts"]] == [1, 2]
    assert manifest["attempts"][1]["output_tokens"] > 0
    with pytest.raises(BadInput, match="has its labels already"):
        taxonomy.estimate_again(run_id, mode)


def test_a_reply_paid_for_is_kept_when_the_server_goes_away(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    run_id = first_attempt(server, tmp_path)
    taxonomy.estimate_again(run_id, "now")
    server.faults.set(names.INSUFFICIENT_QUOTA, times=1, path="/v1/chat", skip=1)
    say_yes(run_id)
    run = runs.get(run_id)
    assert (run.state, run.hint) == (
        RunState.FAILED,
        "Add credit or raise the limit on the provider's billing page, then resume.",
    )
    assert statuses(data_dir, run_id)["1.chosen"] == ("valid", 2)
    runs.resume(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert server.requests.count("POST", "/v1/chat/completions", 200) == 2
    assert statuses(data_dir, run_id)["2.rejected"] == ("valid", 2)


def test_a_repair_that_is_declined_leaves_everything_as_it_was(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    run_id = first_attempt(server, tmp_path)
    taxonomy.estimate_again(run_id, "batch")
    confirm.decline(run_id)
    assert runs.get(run_id).state is RunState.DONE
    assert statuses(data_dir, run_id)["1.chosen"] == ("invalid", 1)
    assert taxonomy.estimate_again(run_id, "now") == 2
    say_yes(run_id)
    assert statuses(data_dir, run_id)["1.chosen"] == ("valid", 2)


def test_after_two_rounds_what_is_left_stays_listed(server: DemoServer, tmp_path: Path) -> None:
    server.faults.set(names.FORMAT_IGNORED, ids=["1.chosen"])
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    for attempt in (2, 3):
        assert taxonomy.estimate_again(run_id, "batch") == attempt
        say_yes(run_id)
    with pytest.raises(BadInput, match="asked for again 2 times"):
        taxonomy.estimate_again(run_id, "batch")
    summary = taxonomy.counts(run_id)
    assert summary and summary["counts"]["invalid"] == 1
    assert creations(server) == 3
