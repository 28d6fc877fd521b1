"""Rewordings that leave as a zip and come back the same; damaged ones register nothing."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes.rewriting import added, fake_tools, spec_of, work_here
from given.support import data_files, repacked, write_pairs

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.engine import archive, handling as runs, zips
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults, files, open_rewrite

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def run_id(data_dir: Path, tmp_path: Path) -> str:
    run_id = added(data_dir, spec_of(write_pairs(tmp_path / "p.jsonl", 10)))
    work_here(data_dir, run_id, fake_tools())
    return run_id


def same(after: RewriteResults, before: RewriteResults) -> None:
    for name in ("scores", "similarities", "labels"):
        pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))


def changed(run_id: str, path: Path, name: str, change: Change) -> Path:
    """A zip one of whose tables was changed."""
    file = io.BytesIO()
    change(pd.read_parquet(runs.registry().folder(run_id) / name)).to_parquet(file, index=False)
    return repacked(zips.export_bytes(run_id, texts=True), path, {name: file.getvalue()})


def test_exported_deleted_and_imported_rewordings_are_the_same(
    run_id: str, data_dir: Path, tmp_path: Path
) -> None:
    before, run, written = open_rewrite(run_id), runs.get(run_id), data_files(data_dir)
    long, training = files(before)[-1].read_bytes(), before.training
    texts = {row: before.pair(row).sides["reworded"] for row in before.row_ids}
    zips.export(run_id, tmp_path / "run.zip", texts=True)
    archive.delete(run_id)
    assert not data_files(data_dir)
    open_rewrite.cache_clear()
    found = zips.import_zip(tmp_path / "run.zip")
    assert (found.run_id, found.rows, found.notes) == (run_id, 10, ())
    assert found.models == ("fake:7b", "fake/one", "fake/two")
    after = open_rewrite(run_id)
    same(after, before)
    assert data_files(data_dir) == written and files(after)[-1].read_bytes() == long
    assert {row: after.pair(row).sides["reworded"] for row in after.row_ids} == texts
    assert after.pair(2).missing["reworded"][0].raw == "\n\nAssistant: Answer 2."
    assert after.training == training
    assert after.manifest is not None and before.manifest is not None
    assert {
        name for name in after.manifest if after.manifest[name] != before.manifest.get(name)
    } == {"imported"}
    again = runs.get(run_id)
    assert (again.state, again.done, again.total) == (RunState.DONE, run.total, run.total)
    with pytest.raises(BadInput, match="nothing left to do"):
        runs.resume(run_id)


def test_imported_without_texts_then_with_them_a_rewording_is_read_anew(
    run_id: str, tmp_path: Path
) -> None:
    zips.export(run_id, tmp_path / "bare.zip")
    zips.export(run_id, tmp_path / "whole.zip", texts=True)
    texts = open_rewrite(run_id).pair(0).sides["reworded"]
    told = []
    for name in ("bare.zip", "whole.zip"):
        archive.delete(run_id)
        assert zips.import_zip(tmp_path / name).run_id == run_id
        told.append(open_rewrite(run_id).pair(0).sides["reworded"])
    assert told == [(None, None), texts]


def test_a_zip_of_rewordings_holds_no_text_unless_asked(run_id: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(zips.export_bytes(run_id))) as packed:
        assert packed.namelist() == [
            "run.json",
            "spec.json",
            "manifest.json",
            "facts.jsonl",
            "table.parquet",
            "likeness.parquet",
            "labels.parquet",
            "rewordings.jsonl",
        ]
        for name in packed.namelist():
            for word in (b"Enquiry", b"Question", b"Answer 2", b"friend", b"ivan-account"):
                assert word not in packed.read(name), name
        assert not any("account" in line for line in packed.read("facts.jsonl").decode().split())
    with zipfile.ZipFile(io.BytesIO(zips.export_bytes(run_id, texts=True))) as packed:
        assert b"Enquiry 0?" in packed.read("rewordings.jsonl")
        assert f"rewrite/{run_id}-rewrite.csv" in packed.namelist()


def test_without_texts_every_number_comes_back_and_the_texts_say_why_they_are_not_there(
    run_id: str, tmp_path: Path
) -> None:
    zips.export(run_id, tmp_path / "run.zip")
    found = zips.import_zip(tmp_path / "run.zip")
    assert found.run_id != run_id and "no text is" in found.sentence
    before, after = open_rewrite(run_id), open_rewrite(found.run_id)
    same(after, before)
    everything = Gate(0, 0.1, 5)
    assert numbers(after, everything).headline == numbers(before, everything).headline
    assert numbers(after, everything).came.reworded == 7
    pair = after.pair(0)
    assert pair.sides["reworded"] == (None, None) and pair.sides["original"][0] is not None
    assert pair.missing["reworded"][0].sentence == (
        "The text of this rewording was left out of the file that the run came from."
    )
    assert after.pair(3).missing["reworded"][0].sentence == "The answer took too long."
    assert files(after) == []
    # Left out once, a text does not come back by itself.
    again = zips.export_bytes(found.run_id, texts=True)
    with zipfile.ZipFile(io.BytesIO(again)) as packed:
        assert b"Enquiry" not in packed.read("rewordings.jsonl")


def of_every(column: str, value: Any) -> Change:
    return lambda table: table.assign(**{column: value})


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("table.parquet", of_every("row_id", 1), "not of its rows"),
        ("table.parquet", of_every("model", "other"), "not of its rows"),
        ("table.parquet", of_every("variant", "odd"), "not of its rows"),
        ("table.parquet", of_every("chosen_reward", float("inf")), "rewards makes no sense"),
        ("table.parquet", of_every("chosen_reward", "high"), "cannot be read"),
        ("table.parquet", lambda table: table[:-1], "not of its rows"),
        ("table.parquet", lambda table: table.drop(columns="failure"), "cannot be read"),
        ("table.parquet", lambda table: pd.concat([table] * 9_000), "unpack to more than"),
        ("likeness.parquet", of_every("chosen_similarity", 2.0), "similarities makes no sense"),
        ("likeness.parquet", of_every("rejected_tries", -1), "similarities makes no sense"),
        ("likeness.parquet", of_every("chosen_length_ratio", 1.5), "not of its rewordings"),
        ("likeness.parquet", of_every("chosen_reason", None), "not of its rewordings"),
        ("likeness.parquet", of_every("chosen_reason", "x" * 2**26), "unpack to more than"),
        ("labels.parquet", of_every("last_response_sentiment", "odd"), "contradict themselves"),
        ("labels.parquet", of_every("last_response_is_helpful", None), "contradict themselves"),
        ("labels.parquet", of_every("status", "odd"), "not of its texts"),
        ("labels.parquet", of_every("row_id", 10), "not of its texts"),
        ("labels.parquet", of_every("again", True), "not of its texts"),
    ],
)
def test_tables_that_make_no_sense_are_refused(
    run_id: str, data_dir: Path, tmp_path: Path, name: str, change: Change, words: str
) -> None:
    path = changed(run_id, tmp_path / "run.zip", name, change)
    written = data_files(data_dir)
    with pytest.raises(BadInput, match=words):
        zips.import_zip(path)
    assert len(runs.every("rewrite")) == 1 and data_files(data_dir) == written
    assert not list(data_dir.glob("runs/.*"))


def of_rewordings(packed: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The rewordings of a zip, each unit changed."""
    with zipfile.ZipFile(io.BytesIO(packed)) as old:
        units = [json.loads(line) for line in old.read("rewordings.jsonl").splitlines()]
    for unit in units:
        if unit["rows"]:
            change(unit)
    return "".join(f"{json.dumps(unit)}\n" for unit in units).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda unit: unit["rows"][0].__setitem__(0, "99.both.prompt"), "not of its rows"),
        (lambda unit: unit["rows"][0].__setitem__(0, "../odd"), "not of its rows"),
        (lambda unit: unit["rows"][0].__setitem__(1, "odd"), "no whole export"),
        (lambda unit: unit["rows"][0].__setitem__(2, "Other words"), "not of its rewordings"),
        (lambda unit: unit["rows"][0].__setitem__(2, None), "missing without a reason"),
        (lambda unit: unit["rows"][0].pop(), "no whole export"),
        (lambda unit: unit.update(key="rewordings|odd"), "not of its rows"),
        (lambda unit: unit.update(key="scores|0|fake/one"), "not of its rows"),
        (lambda unit: unit.update(key="rewordings|0"), "not of its rows"),
    ],
)
def test_rewordings_that_are_not_of_the_run_are_refused(
    run_id: str, tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    packed = zips.export_bytes(run_id, texts=True)
    path = tmp_path / "run.zip"
    repacked(packed, path, {"rewordings.jsonl": of_rewordings(packed, change)})
    with pytest.raises(BadInput, match=words):
        zips.import_zip(path)
    assert len(runs.every("rewrite")) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rewordings.jsonl": None}, "lacks rewordings.jsonl"),
        ({"rewordings.jsonl": b""}, "not all there"),
        ({"rewordings.jsonl": b"[" * 100_000}, "no whole export"),
        ({"likeness.parquet": None}, "lacks likeness.parquet"),
        ({"labels.parquet": b"no table"}, "cannot be read"),
        ({"facts.jsonl": b""}, "do not agree"),
        ({"spec.json": b'{"kind": "rewrite"}'}, "do not agree"),
        ({"rewrite/../../x.csv": b""}, "no export of IVAN has"),
    ],
)
def test_a_damaged_zip_of_rewordings_is_a_sentence(
    run_id: str, tmp_path: Path, change: dict[str, bytes | None], words: str
) -> None:
    path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", change)
    with pytest.raises(BadInput, match=words):
        zips.import_zip(path)
    assert len(runs.every("rewrite")) == 1


@pytest.mark.parametrize("key", ["rewriter", "similarity", "labeler"])
@pytest.mark.parametrize(
    "row", [None, 5, "x", [], {}, {"id": 5}, {"id": "x", "kind": float("nan")}]
)
def test_who_worked_by_the_facts_is_checked(
    run_id: str, tmp_path: Path, key: str, row: object
) -> None:
    packed = zips.export_bytes(run_id)
    with zipfile.ZipFile(io.BytesIO(packed)) as one:
        units = [json.loads(line) for line in one.read("facts.jsonl").splitlines()]
    facts = [{**unit, "rows": [row]} if unit["key"] == key else unit for unit in units]
    assert facts != units
    change = {"facts.jsonl": "\n".join(map(json.dumps, facts)).encode()}
    path = repacked(packed, tmp_path / "run.zip", change)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no whole export"):
        zips.import_zip(path)
    assert len(runs.every("rewrite")) == 1


def test_a_limit_beyond_all_rows_names_no_more_rows_than_there_are(
    run_id: str, tmp_path: Path
) -> None:
    packed = zips.export_bytes(run_id)
    spec = runs.any_spec_of(runs.get(run_id)).model_dump(mode="json")
    change = {"spec.json": json.dumps({**spec, "limit": 10**30, "sample": None}).encode()}
    repacked(packed, tmp_path / "run.zip", change)  # type: ignore[arg-type]
    found = zips.import_zip(tmp_path / "run.zip")
    assert "--row-ids 0,1,2,3,4,5,6,7,8,9" in runs.command(runs.get(found.run_id))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("models", [{"id": "other"}]),
        ("models", 5),
        ("rewriter", {"revision": "1"}),
        ("similarity", {"id": "x", "settings": 5}),
        ("styles", {"published": 5}),
    ],
)
def test_a_manifest_that_no_page_could_read_is_refused(
    run_id: str, tmp_path: Path, name: str, value: Any
) -> None:
    manifest = json.dumps({**(runs.manifest(run_id) or {}), name: value}).encode()
    path = repacked(zips.export_bytes(run_id), tmp_path / "run.zip", {"manifest.json": manifest})
    with pytest.raises(BadInput, match="no whole export"):
        zips.import_zip(path)
