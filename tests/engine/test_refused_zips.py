"""Zips that lead out, are too large, damaged or contradict themselves register nothing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from given.made_runs import finished, spec_of_file
from given.support import repacked

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.engine import handling as runs, zips
from ivan_core.experiments.compare.results import open_results


@pytest.fixture
def run_id(data_dir: Path, pairs_file: Path) -> str:
    return finished(data_dir, spec_of_file(pairs_file, seed=3))


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.csv",
        "compare/../../escaped.csv",
        "/tmp/escaped.csv",
        "compare\\..\\escaped.csv",
        "compare/a/b.csv",
        "runs/x",
        "compare/",
    ],
)
def test_a_path_that_leads_out_is_refused(run_id: str, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    path = tmp_path / "data" / "evil.zip"
    repacked(zips.export_bytes(run_id), path, {name: b"x"})
    with pytest.raises(BadInput, match="no export of IVAN has"):
        zips.import_zip(path)
    path.unlink()
    assert [p for p in sorted(tmp_path.rglob("*")) if p.suffix != ".sqlite-shm"] == before
    assert len(runs.every()) == 1


def test_a_zip_that_unpacks_to_too_much_is_refused(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = {"manifest.json": b" " * (zips._MOST_JSON + 1)}
    path = repacked(zips.export_bytes(run_id), tmp_path / "bomb.zip", bomb)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="would unpack to"):
        zips.import_zip(path)
    monkeypatch.setattr(zips, "MOST_BYTES", 1000)
    zips.export(run_id, tmp_path / "run.zip")
    with pytest.raises(BadInput, match="would unpack to"):
        zips.import_zip(tmp_path / "run.zip")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table.parquet": None}, "lacks table.parquet"),
        ({"table.parquet": b"no table"}, "cannot be read"),
        ({"spec.json": b"{"}, "no whole export"),
        ({"spec.json": b'{"models": ["other"]}'}, "do not agree"),
        ({"facts.jsonl": b""}, "do not agree"),
        ({"facts.jsonl": b"[1]\n"}, "no whole export"),
        ({"manifest.json": b"[]"}, "no whole export"),
        ({"run.json": b"{}"}, "no whole export"),
        ({"run.json": b'{"format": 9, "id": "", "created": 0, "dataset_content": ""}'}, "newer"),
    ],
)
def test_a_damaged_export_is_a_sentence(
    run_id: str, tmp_path: Path, change: dict[str, bytes | None], words: str
) -> None:
    path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", change)
    with pytest.raises(BadInput, match=words):
        zips.import_zip(path)
    assert len(runs.every()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"trust": 5},
        {"trust": [{"model": "m"}]},
        {"trust": [{"model": "m", "checks": [{"name": "n", "level": "purple", "reason": "r"}]}]},
        {"versions": ["1"]},
    ],
)
def test_a_manifest_that_no_page_could_read_is_refused(
    run_id: str, tmp_path: Path, change: dict[str, Any]
) -> None:
    manifest = json.dumps(runs.manifest(run_id) | change).encode()
    path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", {"manifest.json": manifest})
    with pytest.raises(BadInput, match="no whole export"):
        zips.import_zip(path)
    assert len(runs.every()) == 1


def test_a_table_that_contradicts_itself_is_refused(run_id: str, tmp_path: Path) -> None:
    table = open_results(run_id).table
    for column, value in (("verdict", "agree"), ("margin", 9.0), ("chosen_length", 1)):
        buffer = io.BytesIO()
        table.assign(**{column: value}).to_parquet(buffer)
        change: dict[str, bytes | None] = {"table.parquet": buffer.getvalue()}
        path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", change)
        with pytest.raises(BadInput, match="contradict themselves"):
            zips.import_zip(path)


@pytest.mark.parametrize(("rows", "words"), [([], "No pair numbers"), ([0, 1], "of other rows")])
def test_a_spec_that_chooses_other_rows_than_the_table_has_is_refused(
    run_id: str, tmp_path: Path, rows: list[int], words: str
) -> None:
    spec = runs.any_spec_of(runs.get(run_id)).model_dump(mode="json")
    changed = json.dumps({**spec, "limit": None, "sample": None, "row_ids": rows}).encode()
    path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", {"spec.json": changed})
    with pytest.raises(BadInput, match=words):
        zips.import_zip(path)
    assert len(runs.every()) == 1


NEEDED = ("run.json", "spec.json", "manifest.json", "facts.jsonl", "table.parquet")
"""The members that are read when a comparison is imported."""


def reads_as(path: Path, members: Mapping[str, bytes]) -> bool:
    """Whether the members of a zip are there and read as they were."""
    try:
        with zipfile.ZipFile(path) as packed:
            return all(packed.read(name) == content for name, content in members.items())
    except Exception:  # whatever a library says of a damaged file: it does not read so
        return False


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_zip_with_a_wrong_byte_anywhere_is_a_sentence_or_the_run(
    run_id: str, tmp_path: Path, packing: int
) -> None:
    file, path = io.BytesIO(), tmp_path / "run.zip"
    with (
        zipfile.ZipFile(io.BytesIO(zips.export_bytes(run_id))) as made,
        zipfile.ZipFile(file, "w", packing) as packed,
    ):
        for name in made.namelist():
            packed.writestr(name, made.read(name))
        needed = {name: made.read(name) for name in NEEDED}
    whole = file.getvalue()
    broken = 0
    for place in range(0, len(whole), len(whole) // 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        refused = False
        try:
            zips.import_zip(path)
        except BadInput:
            refused = True
        # A byte of a date, or of a file for people, may be another without harm.
        if not reads_as(path, needed):
            assert refused, place
            broken += 1
    assert broken


def test_no_zip_at_all_is_a_sentence(data_dir: Path, tmp_path: Path, pairs_file: Path) -> None:
    for path in (pairs_file, tmp_path / "nothing.zip"):
        with pytest.raises(BadInput):
            zips.import_zip(path)


def test_a_full_disk_registers_nothing(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zips.export(run_id, tmp_path / "run.zip")

    def full(*_: Any) -> None:
        raise StorageProblem("The disk is full.")

    monkeypatch.setattr("ivan_core.engine.imports.write_manifest", full)
    before = sorted((tmp_path / "data" / "compare").iterdir())
    with pytest.raises(StorageProblem):
        zips.import_zip(tmp_path / "run.zip")
    assert [run.id for run in runs.every()] == [run_id]
    assert sorted((tmp_path / "data" / "compare").iterdir()) == before
    assert [path.name for path in (tmp_path / "data" / "runs").iterdir()] == [run_id]
