"""Runs that leave as a zip and come back the same, on this machine and on another."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from given.made_runs import TWO_MODELS, failed, finished, spec_of_file, spec_of_sample

from ivan_core import settings
from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import archive, handling as runs, zips
from ivan_core.engine.imports import read_dataset
from ivan_core.experiments.compare.results import files, open_results


@pytest.fixture
def run_id(data_dir: Path, pairs_file: Path) -> str:
    return finished(data_dir, spec_of_file(pairs_file, seed=3))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Go to another data folder, empty at first."""

    def go() -> Path:
        folder = tmp_path / "elsewhere"
        folder.mkdir(exist_ok=True)
        monkeypatch.setenv("IVAN_DATA_DIR", str(folder))
        assert settings.data_dir() == folder
        return folder

    return go


def test_an_export_holds_no_text_unless_asked(run_id: str, tmp_path: Path) -> None:
    plain, full = zips.export_bytes(run_id), zips.export_bytes(run_id, texts=True)
    with zipfile.ZipFile(io.BytesIO(plain)) as packed:
        names = packed.namelist()
        assert names[:5] == [
            "run.json",
            "spec.json",
            "manifest.json",
            "facts.jsonl",
            "table.parquet",
        ]
        assert sum(name.startswith("compare/") for name in names) == 5
        assert not any(b"Question 3" in packed.read(name) for name in names)
    with zipfile.ZipFile(io.BytesIO(full)) as packed:
        texts = [json.loads(line) for line in packed.read("texts.jsonl").splitlines()]
    assert len(texts) == 40 and texts[3]["chosen"].startswith("\n\nHuman: Question 3?")
    zips.export(run_id, tmp_path / "run.zip")
    assert zipfile.is_zipfile(tmp_path / "run.zip")
    with pytest.raises(BadInput, match="no folder"):
        zips.export(run_id, tmp_path / "nowhere" / "run.zip")
    with pytest.raises(BadInput, match="is a folder"):
        zips.export(run_id, tmp_path)


def test_only_a_finished_run_is_exported(data_dir: Path, pairs_file: Path) -> None:
    with pytest.raises(BadInput, match="is not finished"):
        zips.export_bytes(failed(data_dir, spec_of_file(pairs_file)))


def test_exported_deleted_and_imported_a_run_is_the_same(run_id: str, tmp_path: Path) -> None:
    archive.rename(run_id, "mine")
    before, run = open_results(run_id), runs.get(run_id)
    written = {path.name: path.read_bytes() for path in files(before) if path.suffix == ".csv"}
    zips.export(run_id, tmp_path / "run.zip")
    archive.delete(run_id)
    open_results.cache_clear()
    found = zips.import_zip(tmp_path / "run.zip")
    assert (found.run_id, found.rows, found.models) == (run_id, 40, TWO_MODELS)
    after = open_results(run_id)
    pd.testing.assert_frame_equal(after.table, before.table)
    assert after.summaries == before.summaries and after.cards == before.cards
    assert after.spec == before.spec
    again = runs.get(run_id)
    assert (again.state, again.name, again.created, again.finished, again.computed) == (
        RunState.DONE,
        "mine",
        run.created,
        run.finished,
        run.computed,
    )
    assert {p.name: p.read_bytes() for p in files(after) if p.suffix == ".csv"} == written
    assert before.manifest is not None and after.manifest is not None
    changed = {k for k in after.manifest if after.manifest[k] != before.manifest.get(k)}
    assert changed == {"imported"}
    assert not list(tmp_path.glob("data/runs/.*")), "nothing is left lying about"


def test_a_second_import_gets_an_id_of_its_own(run_id: str, tmp_path: Path) -> None:
    zips.export(run_id, tmp_path / "run.zip")
    found = zips.import_zip(tmp_path / "run.zip")
    assert found.run_id != run_id and run_id in found.sentence
    names = [path.name for path in files(open_results(found.run_id)) if path.suffix == ".csv"]
    assert len(names) == 5 and all(name.startswith(f"{found.run_id}-") for name in names)
    pd.testing.assert_frame_equal(open_results(found.run_id).table, open_results(run_id).table)


def test_on_another_machine_the_dataset_is_named(
    run_id: str, tmp_path: Path, pairs_file: Path, elsewhere: Callable[[], Path]
) -> None:
    table = open_results(run_id).table
    zips.export(run_id, tmp_path / "run.zip")
    moved = tmp_path / "copy.jsonl"
    pairs_file.rename(moved)
    elsewhere()
    with pytest.raises(BadInput, match="is not on this machine"):
        zips.import_zip(tmp_path / "run.zip")
    named = DatasetRequest(source=str(moved))
    with pytest.raises(BadInput, match="has not been read on this machine"):
        zips.import_zip(tmp_path / "run.zip", named)
    found = zips.import_zip(tmp_path / "run.zip", read_dataset(named))
    pd.testing.assert_frame_equal(open_results(found.run_id).table, table)
    assert open_results(found.run_id).spec.dataset.source == str(moved)
    with pytest.raises(BadInput, match="holds other pairs"):
        zips.import_zip(tmp_path / "run.zip", DatasetRequest(source="sample"))


def test_a_run_on_the_sample_needs_nothing_named(
    data_dir: Path, tmp_path: Path, elsewhere: Callable[[], Path]
) -> None:
    zips.export(finished(data_dir, spec_of_sample(limit=20)), tmp_path / "run.zip")
    elsewhere()
    assert zips.import_zip(tmp_path / "run.zip").rows == 20
