"""Paid labels that leave as a zip: what they cost goes with them, and nothing that could send."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from given.support import data_files, repacked
from given.taxonomy_runs import creations, say_yes, spec_of

from ivan_core.backends.openai.client import account_for
from ivan_core.demo import fault_names as names
from ivan_core.demo.server import DemoServer
from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import usd
from ivan_core.domain.runs import RunState
from ivan_core.engine import archive, handling as runs, zips
from ivan_core.engine.imports import read_dataset
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.labels.results import open_labels


@pytest.fixture
def run_id(server: DemoServer, tmp_path: Path) -> str:
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    assert runs.get(run_id).state is RunState.DONE
    return run_id


def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.setenv("IVAN_DATA_DIR", str(folder))
    return folder


def test_a_zip_of_paid_labels_holds_no_key_no_account_and_no_text(
    run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_for()
    secrets = [account.key.encode(), account.fingerprint.encode(), b"Question 3", b"chatcmpl"]
    with zipfile.ZipFile(io.BytesIO(zips.export_bytes(run_id))) as packed:
        assert packed.namelist() == [
            "run.json",
            "spec.json",
            "manifest.json",
            "facts.jsonl",
            "labels.parquet",
        ]
        for name in packed.namelist():
            assert not any(secret in packed.read(name) for secret in secrets), name
        manifest = json.loads(packed.read("manifest.json"))
    assert manifest["spend_usd"] == (runs.manifest(run_id) or {})["spend_usd"] > 0
    with zipfile.ZipFile(io.BytesIO(zips.export_bytes(run_id, texts=True))) as packed:
        assert [name for name in packed.namelist() if "/" in name] == [
            f"taxonomy-output/{run_id}.csv"
        ]
        for name in packed.namelist():
            assert not any(secret in packed.read(name) for secret in secrets[:2]), name


def test_imported_elsewhere_it_is_finished_and_sends_nothing(
    run_id: str, server: DemoServer, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, written, sent = open_labels(run_id), data_files(data_dir), creations(server)
    csv = written[f"taxonomy-output/{run_id}.csv"]
    paid = usd(before.manifest["spend_usd"])
    zips.export(run_id, tmp_path / "run.zip")
    folder = elsewhere(tmp_path, monkeypatch)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr(runs, "spawn", lambda run_id: pytest.fail("nothing is at work"))
    read_dataset(before.spec.dataset)
    found = zips.import_zip(tmp_path / "run.zip")
    assert (found.run_id, found.rows) == (run_id, 6)
    assert found.notes == (
        f"It cost {paid} where it was made. Nothing was sent or paid from here.",
    )
    after = open_labels(run_id)
    pd.testing.assert_frame_equal(after.table, before.table)
    assert after.line == before.line and after.labeler == before.labeler
    assert data_files(folder) == {f"taxonomy-output/{run_id}.csv": csv}
    run = runs.get(run_id)
    assert (run.state, run.done, run.total) == (RunState.DONE, 12, 12)
    assert (taxonomy.counts(run_id) or {})["sentence"] == after.line + "."
    assert taxonomy.job(run_id).parts() == [] and taxonomy.spent(run_id).usd == 0
    with pytest.raises(BadInput, match="nothing left to do"):
        runs.resume(run_id)
    with pytest.raises(BadInput, match="nothing of it was asked for from here"):
        taxonomy.estimate_again(run_id)
    assert runs.command(run).startswith("ivan runs import run.zip --dataset ")
    assert creations(server) == sent
    assert "paid for" in archive.delete(run_id).sentence
    assert not data_files(folder)


def test_texts_without_labels_stay_so_and_are_not_asked_for_again(
    server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults.set(names.FORMAT_IGNORED, ids=["1.chosen"])
    run_id, _ = taxonomy.start(spec_of(tmp_path))
    say_yes(run_id)
    zips.export(run_id, tmp_path / "run.zip")
    found = zips.import_zip(tmp_path / "run.zip")
    assert found.run_id != run_id, "what was paid for under an id keeps it"
    assert open_labels(found.run_id).counts == open_labels(run_id).counts
    assert (taxonomy.counts(found.run_id) or {})["unfinished"] == 1
    with pytest.raises(BadInput, match="nothing of it was asked for from here"):
        taxonomy.estimate_again(found.run_id)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spend_usd", "much"),
        ("spend_usd", float("nan")),
        ("attempts", 5),
        ("attempts", ["x"]),
        ("attempts", [{"estimate": 5}]),
        ("attempts", [{"estimate": {"reused": "x"}}]),
        (
            "counts",
            {
                "submitted": 12,
                "valid": 11,
                "repaired": 0,
                "refused": 0,
                "failed": 0,
                "invalid": 0,
                "missing": 0,
            },
        ),
    ],
)
def test_a_manifest_that_no_page_could_read_is_refused(
    run_id: str, tmp_path: Path, name: str, value: Any
) -> None:
    manifest = json.dumps({**(runs.manifest(run_id) or {}), name: value}).encode()
    path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", {"manifest.json": manifest})
    with pytest.raises(BadInput, match="no whole export"):
        zips.import_zip(path)
    assert len(runs.every("taxonomy")) == 1
