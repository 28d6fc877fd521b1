"""Analyses that leave as a zip and come back the same; what contradicts itself is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from given.made_analyses import OTHER, PLAIN, SORRY, Analysing
from given.made_labellings import REFUSAL
from given.support import data_files, repacked

from ivan_core.domain.errors import BadInput
from ivan_core.engine import archive, handling as runs, zips
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.analysis.tables import JOINED, TABLES, file_of

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def run_id(analysing: Analysing) -> str:
    return analysing.analysed(analysing.compared(), analysing.labelled())


def changed(run_id: str, path: Path, name: str, change: Change) -> Path:
    """A zip one of whose tables was changed."""
    table = pd.read_parquet(runs.registry().folder(run_id) / name)
    file = io.BytesIO()
    change(table).to_parquet(file, index=False)
    return repacked(zips.export_bytes(run_id), path, {name: file.getvalue()})


def test_a_zip_holds_tables_and_numbers_and_no_text(run_id: str) -> None:
    with zipfile.ZipFile(io.BytesIO(zips.export_bytes(run_id))) as packed:
        names = packed.namelist()
        assert {JOINED, *map(file_of, TABLES)} < set(names)
        assert f"analysis/{run_id}-imprint.csv" in names
        assert not any(SORRY.encode() in packed.read(name) for name in names)


def test_exported_deleted_and_imported_an_analysis_is_the_same(
    run_id: str, data_dir: Path, tmp_path: Path
) -> None:
    before, written = open_analysis(run_id), data_files(data_dir)
    zips.export(run_id, tmp_path / "run.zip")
    archive.delete(run_id)
    open_analysis.cache_clear()
    found = zips.import_zip(tmp_path / "run.zip")
    assert (found.run_id, found.rows) == (run_id, len(before.row_ids))
    after = open_analysis(run_id)
    assert list(after.tables) == list(before.tables)
    for name in before.tables:
        pd.testing.assert_frame_equal(after.tables[name], before.tables[name])
    kept = {name: value for name, value in after.manifest.items() if name != "imported"}
    assert kept == before.manifest and after.manifest["imported"]["run"] == run_id
    assert after.spec == before.spec and after.row_ids == before.row_ids
    assert data_files(data_dir) == written


def test_tables_whose_input_is_there_come_along_and_others_do_not(
    analysing: Analysing, tmp_path: Path
) -> None:
    compared, labelled = analysing.compared(), analysing.labelled()
    found = [analysing.analysed(compared, labelled)]
    found.append(analysing.analysed(compared, labelled, before=PLAIN, after=OTHER))
    for one in found:
        zips.export(one, tmp_path / "run.zip")
        entered = zips.import_zip(tmp_path / "run.zip").run_id
        assert list(open_analysis(entered).tables) == list(open_analysis(one).tables)
    path = changed(found[1], tmp_path / "run.zip", "regimes.parquet", lambda table: table[::-1])
    with pytest.raises(BadInput, match="regimes does not count its joined rows"):
        zips.import_zip(path)
    assert "regimes" not in open_analysis(found[0]).tables
    assert "regimes" in open_analysis(found[1]).tables


@pytest.mark.parametrize(
    ("name", "column", "value", "told"),
    [
        ("imprint.parquet", "model", "org/nobody", "a model that is none of its own"),
        ("imprint.parquet", "feature", "<b>", "a feature that is none of its own"),
        ("imprint.parquet", "p", 2.0, "hold no such numbers"),
        ("imprint.parquet", "low", 9.0, "hold no such numbers"),
        ("imprint.parquet", "n", -1, "hold no such numbers"),
        ("imprint.parquet", "view", "aside", "a view that is none of its own"),
        ("misaligned.parquet", "misaligned", 7, "misaligned does not count its joined rows"),
        ("explained.parquet", "r2", float("inf"), "hold no such numbers"),
        ("importance.parquet", "labeler", "none", "a labeler that is none of its own"),
        (JOINED, "row_id", 7, "of other rows"),
        (JOINED, "log_length", 3.0, "contradict themselves or their dataset"),
        (JOINED, f"typical|{PLAIN}", 3.0, "contradict themselves or their dataset"),
        (JOINED, f"margin|{PLAIN}", float("inf"), "a margin that is no number"),
        (JOINED, REFUSAL, 0.5, "a label that nobody can give"),
    ],
)
def test_a_table_that_cannot_be_is_refused(
    run_id: str, tmp_path: Path, name: str, column: str, value: object, told: str
) -> None:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        named = next(one for one in table.columns if one == column or one.endswith(f"|{column}"))
        return table.assign(**{named: value})

    with pytest.raises(BadInput, match=told):
        zips.import_zip(changed(run_id, tmp_path / "run.zip", name, change))
    assert len(runs.every("analysis")) == 1, "nothing was entered"


def test_a_manifest_of_other_runs_is_refused(run_id: str, tmp_path: Path) -> None:
    manifest = runs.manifest(run_id)
    assert manifest is not None
    for change, told in (
        ({"comparison": "another"}, "other runs"),
        ({"models": {"org/nobody": {"typical_margin": 1.0}}}, "do not agree"),
        ({"pairs": []}, "does not count the pairs"),
        ({"models": {}}, "no whole export"),
    ):
        content = json.dumps({**manifest, **change}).encode()
        path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", {"manifest.json": content})
        with pytest.raises(BadInput, match=told):
            zips.import_zip(path)
