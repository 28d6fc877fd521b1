"""Labellings that leave as a zip and come back the same; damaged ones register nothing."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from given.made_labellings import FIRST, REFUSAL, TOPICS, Labellings, four_pairs
from given.support import data_files, repacked

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import archive, handling as runs, zips
from ivan_core.engine.imports import read_dataset
from ivan_core.experiments.labels import numbers
from ivan_core.experiments.labels.conditions import LANGUAGE, LabelIs, listing
from ivan_core.experiments.labels.results import open_labels
from ivan_core.lists.conditions import Filter, matching

LEAK = b"leak.invalid"
"""Stands in the one answer of the labeler that is not usable."""


@pytest.fixture
def run_id(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return Labellings(data_dir, four_pairs(tmp_path), monkeypatch).made("first:1b", FIRST)


def changed(run_id: str, path: Path, change: Any) -> Path:
    """A zip whose table of labels was changed."""
    table = pq.read_table(runs.registry().folder(run_id) / "labels.parquet")
    file = io.BytesIO()
    pq.write_table(change(table), file)
    return repacked(zips.export_bytes(run_id), path, {"labels.parquet": file.getvalue()})


def with_column(name: str, values: list[Any]) -> Any:
    def change(table: pa.Table) -> pa.Table:
        place = table.column_names.index(name)
        return table.set_column(place, table.field(name), pa.array(values, table.field(name).type))

    return change


def test_a_zip_of_labels_holds_no_text_unless_asked(run_id: str) -> None:
    with zipfile.ZipFile(io.BytesIO(zips.export_bytes(run_id))) as packed:
        assert packed.namelist() == [
            "run.json",
            "spec.json",
            "manifest.json",
            "facts.jsonl",
            "labels.parquet",
        ]
        assert not any(b"Ask 3" in packed.read(name) for name in packed.namelist())
        table = packed.read("labels.parquet")
        assert LEAK not in table and b"help with" not in table
    with zipfile.ZipFile(io.BytesIO(zips.export_bytes(run_id, texts=True))) as packed:
        assert {name for name in packed.namelist() if "/" in name} == {
            f"taxonomy-control/{run_id}-first-1b-control-failed.csv",
            f"taxonomy-control/{run_id}-first-1b-control.csv",
        }
        texts = [json.loads(line) for line in packed.read("texts.jsonl").splitlines()]
        assert LEAK in packed.read("labels.parquet")
    assert len(texts) == 4 and texts[3]["rejected"].endswith("Sure, 3 it is.")


def test_exported_deleted_and_imported_labels_are_the_same(
    run_id: str, data_dir: Path, tmp_path: Path
) -> None:
    archive.rename(run_id, "mine")
    before, run, written = open_labels(run_id), runs.get(run_id), data_files(data_dir)
    zips.export(run_id, tmp_path / "run.zip", texts=True)
    archive.delete(run_id)
    assert not data_files(data_dir)
    open_labels.cache_clear()
    found = zips.import_zip(tmp_path / "run.zip")
    assert (found.run_id, found.rows, found.models) == (run_id, 4, ("first:1b",))
    assert found.sentence == f"Imported run {run_id}: 4 pairs, first:1b."
    after = open_labels(run_id)
    pd.testing.assert_frame_equal(after.table, before.table)
    assert (
        after.line
        == "8 submitted = 7 valid + 0 repaired + 0 refused + 0 failed + 1 invalid + 0 missing"
    )
    assert {
        name for name in after.manifest if after.manifest[name] != before.manifest.get(name)
    } == {"imported"}
    assert data_files(data_dir) == written
    again = runs.get(run_id)
    assert (again.state, again.name, again.created, again.done, again.total) == (
        RunState.DONE,
        "mine",
        run.created,
        8,
        8,
    )
    assert not list(data_dir.glob("runs/.*")), "nothing is left lying about"
    with pytest.raises(BadInput, match="nothing left to do"):
        runs.resume(run_id)


def test_numbers_and_lists_are_those_of_the_labels_that_came_in_place_of_others(
    run_id: str, tmp_path: Path
) -> None:
    def refusals() -> tuple[list[int], list[int]]:
        shares = numbers.shares(open_labels(run_id))[0]
        texts = listing(open_labels(run_id))
        places = matching(texts, Filter(LANGUAGE, (LabelIs(label=REFUSAL),)))
        return shares.loc[shares["key"] == REFUSAL, "count"].tolist(), places.tolist()

    assert refusals() == ([3, 1], [0, 2, 3, 6])
    path = changed(run_id, tmp_path / "run.zip", with_column(REFUSAL, [False] * 7 + [None]))
    archive.delete(run_id)
    assert zips.import_zip(path).run_id == run_id
    assert refusals() == ([0, 0], [])


def test_without_texts_all_labels_come_back_and_no_word_of_the_labeler(
    run_id: str, tmp_path: Path
) -> None:
    zips.export(run_id, tmp_path / "run.zip")
    found = zips.import_zip(tmp_path / "run.zip")
    assert found.run_id != run_id and f"It was run {run_id} where it was made." in found.sentence
    before, after = open_labels(run_id), open_labels(found.run_id)
    plain = before.table.drop(columns=["raw", "problems"])
    pd.testing.assert_frame_equal(after.table.drop(columns=["raw", "problems"]), plain)
    assert set(after.table["raw"]) == {""} and set(before.table["raw"]) != {""}
    (problem,) = after.table["problems"].iloc[7]
    assert problem.message == before.table["problems"].iloc[7][0].message and not problem.found


def test_on_another_machine_the_dataset_is_named(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zips.export(run_id, tmp_path / "run.zip")
    moved = (tmp_path / "four.jsonl").rename(tmp_path / "copy.jsonl")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("IVAN_DATA_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(BadInput, match="is not on this machine"):
        zips.import_zip(tmp_path / "run.zip")
    found = zips.import_zip(tmp_path / "run.zip", read_dataset(DatasetRequest(source=str(moved))))
    assert open_labels(found.run_id).counts["valid"] == 7
    with pytest.raises(BadInput, match="holds other pairs"):
        zips.import_zip(tmp_path / "run.zip", DatasetRequest(source="sample"))


def test_labels_at_work_or_stopped_are_not_exported(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Labellings(data_dir, four_pairs(tmp_path), monkeypatch)
    with (
        made.at_work("first:1b", FIRST, 4) as busy,
        pytest.raises(BadInput, match="is not finished") as told,
    ):
        zips.export_bytes(busy)
    assert told.value.hint == "Wait for it."


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        (TOPICS, [["Odd"]] * 8, "8 rows of its table contradict themselves"),
        (TOPICS, [["Human activities"] * 2] * 8, "8 rows of its table contradict"),
        (REFUSAL, [None] * 8, "7 rows of its table contradict"),
        ("last_response_is_helpful", [True] * 8, "8 rows of its table contradict"),
        ("attempt", [None] * 8, "8 rows of its table contradict"),
        ("status", ["odd"] * 8, "does not say what became of each text"),
        ("status", ["valid"] * 7 + ["failed"], "other labels than its manifest counts"),
        ("row_id", [0, 0, 1, 1, 2, 2, 3, 4], "is not of its texts"),
        ("row_id", [0] * 8, "or has one twice"),
        ("preference", ["chosen"] * 7 + ["odd"], "is not of its texts"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(
    run_id: str, tmp_path: Path, name: str, values: list[Any], words: str
) -> None:
    path = changed(run_id, tmp_path / "run.zip", with_column(name, values))
    with pytest.raises(BadInput, match=words):
        zips.import_zip(path)
    assert len(runs.every("labels")) == 1


def test_an_absurd_table_is_refused_before_it_is_read(run_id: str, tmp_path: Path) -> None:
    endless = changed(run_id, tmp_path / "a.zip", lambda table: pa.concat_tables([table] * 4_000))
    with pytest.raises(BadInput, match="unpack to more than its dataset holds"):
        zips.import_zip(endless)
    one = "x" * 2**26
    long = changed(run_id, tmp_path / "b.zip", with_column("raw", [one] * 8))
    with pytest.raises(BadInput, match="unpack to more than its dataset holds"):
        zips.import_zip(long)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("labeler", 5, "no whole export"),
        ("labeler", {"id": "", "revision": "", "kind": "", "settings": {}}, "no whole export"),
        ("labeler", {"id": "x" * 300, "revision": "", "kind": "", "settings": {}}, "no whole"),
        ("prompt", {}, "no whole export"),
        ("counts", {"submitted": 8}, "no whole export"),
        ("counts", {}, "no whole export"),
        ("reused", ["x"], "no whole export"),
        ("versions", ["1"], "no whole export"),
        ("seed", "\ud800", "no whole export"),
    ],
)
def test_a_manifest_that_no_page_could_read_is_refused(
    run_id: str, tmp_path: Path, name: str, value: Any, words: str
) -> None:
    manifest = json.dumps({**(runs.manifest(run_id) or {}), name: value}).encode()
    path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", {"manifest.json": manifest})
    with pytest.raises(BadInput, match=words):
        zips.import_zip(path)
    assert len(runs.every("labels")) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels.parquet": None}, "lacks labels.parquet"),
        ({"labels.parquet": b"no table"}, "cannot be read"),
        ({"table.parquet": b""}, "no export of IVAN has"),
        ({"compare/x.csv": b""}, "no export of IVAN has"),
        ({"taxonomy-control/../x.csv": b""}, "no export of IVAN has"),
        ({"spec.json": b'{"kind": "labels", "keys": ["odd"]}'}, "no whole export"),
        ({"spec.json": b'{"kind": "odd"}'}, "no kind of run called 'odd'"),
        ({"spec.json": b'{"kind": "column"}'}, "no kind of run called 'column'"),
        ({"spec.json": b'{"kind": "compare"}'}, "no export of IVAN has"),
        ({"spec.json": b"[]"}, "no whole export"),
        (
            {
                "run.json": b'{"format": 1, "id": "x", "created": 1, "computed": -1, '
                b'"dataset_content": ""}'
            },
            "no whole export",
        ),
        (
            {"run.json": b'{"format": 1, "id": "x", "created": 1e300, "dataset_content": ""}'},
            "no whole export",
        ),
    ],
)
def test_a_damaged_zip_of_labels_is_a_sentence(
    run_id: str, tmp_path: Path, change: dict[str, bytes | None], words: str
) -> None:
    path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", change)
    with pytest.raises(BadInput, match=words):
        zips.import_zip(path)
    assert len(runs.every("labels")) == 1
