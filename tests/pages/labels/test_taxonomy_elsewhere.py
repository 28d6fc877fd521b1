"""Batches and files from elsewhere, and the command and the words of what was done here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from given import taxonomy_runs as made
from taxonomy_presses import do, shown

from ivan_core.demo.server import DemoServer
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.ledger.records import Stage
from pages.components.labels.follow import state_words

TAXONOMY = "pages/taxonomy.py"
Open = Callable[..., Any]


def test_batches_from_elsewhere_are_collected_or_refused(
    server: DemoServer, tmp_path: Path, data_dir: Path
) -> None:
    spec = made.spec_of(tmp_path)
    run_id, _ = taxonomy.start(spec)
    do("upload", run_id, shown(run_id))
    batch = taxonomy.parts(run_id)[0]["batch"]
    assert f"belong to run {run_id}, which is here" in do("collect_batches", batch, spec.dataset)
    assert "batch_none" in do("collect_batches", "batch_none", spec.dataset)
    assert "No batch id was given." in do("collect_batches", " , ", spec.dataset)
    assert len(runs.every("taxonomy")) == 1


def test_what_is_refused_is_told_beside_its_button(server: DemoServer, open_page: Open) -> None:
    page = open_page(TAXONOMY)
    page.app.text_input(key="elsewhere-ids").set_value("batch_none")
    page.run()
    page.press("elsewhere-collect")
    assert "has no batch batch_none" in page.said
    assert page.said.index("has no batch batch_none") > page.said.index("3 · Follow")


def test_a_batch_of_another_machine_becomes_a_labelling_here(
    server: DemoServer, tmp_path: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = made.spec_of(tmp_path)
    run_id, _ = taxonomy.start(spec)
    do("upload", run_id, shown(run_id))
    batch = taxonomy.parts(run_id)[0]["batch"]
    monkeypatch.setenv("IVAN_DATA_DIR", str(tmp_path / "here"))
    assert do("collect_batches", batch, spec.dataset) == ""
    (run,) = runs.every("taxonomy")
    page = open_page(TAXONOMY, run=run.id)
    assert "✓ 2 · Cost and exact text: nothing was sent from here" in page.said
    assert "gpt-6-luna (demo server) labelled 12 of 12 texts" in page.said
    assert "Nothing was paid from here." in page.said
    assert runs.command(run) == (
        f"ivan taxonomy process-batch --batch-ids {batch} --dataset {spec.dataset.source}"
    )
    assert made.creations(server) == 1


def test_result_files_are_imported_or_refused_and_nothing_changes(
    server: DemoServer, tmp_path: Path, data_dir: Path, open_page: Open
) -> None:
    spec = made.spec_of(tmp_path)
    run_id, _ = taxonomy.start(spec)
    do("upload", run_id, shown(run_id))
    content = (data_dir / "taxonomy-output" / f"{run_id}.jsonl").read_bytes()
    foreign = json.dumps({"custom_id": "9999.chosen", "response": None, "error": None}).encode()
    for bad in (b"no json at all\n", content + foreign + b"\n"):
        assert do("import_results", [("a.jsonl", bad)], spec.dataset, False, "") != ""
        assert len(runs.every("taxonomy")) == 1
    told = do("import_results", [("a.jsonl", content)], spec.dataset, False, "")
    assert "12 submitted = 12 valid" in told
    imported = runs.every("taxonomy")[0]
    page = open_page(TAXONOMY, run=imported.id)
    assert "Nothing was paid from here." in page.said
    assert "nothing was sent from here" in page.said
    assert runs.command(imported).startswith("ivan taxonomy import-file a.jsonl --dataset ")


def test_the_command_names_what_was_chosen(server: DemoServer, tmp_path: Path) -> None:
    run_id, _ = taxonomy.start(
        made.spec_of(tmp_path, limit=2, max_usd=3.0, keys=("topics",), seed=4)
    )
    source = tmp_path / "pairs.jsonl"
    assert runs.command(runs.get(run_id)) == (
        f"ivan taxonomy create-batch --model gpt-6-luna --dataset {source} --limit 2 --seed 4 "
        "--max-usd 3.0 --keys topics"
    )
    drawn, _ = taxonomy.start(made.spec_of(tmp_path, sample=6))
    assert "--row-ids 0,1,2,3,4,5" in runs.command(runs.get(drawn))


@pytest.mark.parametrize(
    ("stage", "status", "words"),
    [
        (Stage.PLANNED, "", "to be sent"),
        (Stage.CREATED, "in_progress", "at work"),
        (Stage.CREATED, "", "at the provider"),
        (Stage.IN_DOUBT, "", "in doubt: no answer came"),
        (Stage.TERMINAL, "completed", "finished"),
        (Stage.VALIDATED, "expired", "expired: not all was done within a day, results are here"),
        (Stage.ABANDONED, "", "never sent"),
    ],
)
def test_states_are_words_that_need_no_knowledge(stage: Stage, status: str, words: str) -> None:
    assert state_words({"state": str(stage), "status": status}) == words
