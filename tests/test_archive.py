"""Runs that are named, deleted, exported, imported; scores that the original wrote."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fakes import Fakes
from made_runs import TWO_MODELS, at_work, failed, finished, queued, spec_of_file, spec_of_sample

from ivan_core import settings
from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.runs import RunState
from ivan_core.domain.specs import DatasetRequest
from ivan_core.runs.database import RUNS_LAYOUT
from ivan_core.runs.registry import Registry
from ivan_core.workspace import archive, datasets, import_zip, runs, score_cache
from ivan_core.workspace import results as results_module
from ivan_core.workspace.import_csv import import_csvs
from ivan_core.workspace.imported import read_dataset
from ivan_core.workspace.results import files, open_results

OLD_LAYOUT = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, spec TEXT NOT NULL, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL, heartbeat REAL,
    cancel INTEGER NOT NULL DEFAULT 0, doing TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
    computed INTEGER NOT NULL DEFAULT 0, rate REAL, problem TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '', notes TEXT NOT NULL DEFAULT '[]');
CREATE UNIQUE INDEX one_active ON runs (fingerprint) WHERE state IN ('queued', 'running');
CREATE TABLE live (
    run TEXT NOT NULL, model TEXT NOT NULL, step INTEGER NOT NULL, agree INTEGER NOT NULL,
    tie INTEGER NOT NULL, disagree INTEGER NOT NULL, unrated INTEGER NOT NULL,
    margin_sum REAL NOT NULL, margin_squares REAL NOT NULL, PRIMARY KEY (run, model, step)
    ) WITHOUT ROWID;
INSERT INTO runs (id, kind, spec, fingerprint, state, created, notes)
    VALUES ('2026-01-02-03-04', 'compare', '{}', 'abc', 'done', 1767323040.0, '["kept"]');
INSERT INTO live VALUES ('2026-01-02-03-04', 'm', 0, 1, 0, 2, 0, 0.5, 0.25);
PRAGMA user_version=1;
"""


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


def repacked(packed: bytes, path: Path, change: dict[str, bytes | None]) -> Path:
    """A copy of a zip with some of its files replaced, added or (None) left out."""
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name not in change:
                new.writestr(name, old.read(name))
        for name, content in change.items():
            if content is not None:
                new.writestr(name, content)
    return path


def test_a_registry_of_the_first_layout_keeps_its_runs_and_gets_names(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "ivan.sqlite")) as db:
        db.executescript(OLD_LAYOUT)
    registry = Registry(data_dir)
    (run,) = registry.all()
    assert (run.id, run.state, run.notes, run.name) == (
        "2026-01-02-03-04", RunState.DONE, ("kept",), "",
    )  # fmt: skip
    assert len(registry.live_points(run.id)) == 1
    registry.rename(run.id, "first")
    assert Registry(data_dir).get(run.id).name == "first"
    with closing(sqlite3.connect(data_dir / "ivan.sqlite")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (RUNS_LAYOUT,)


def test_a_new_registry_equals_an_upgraded_one(tmp_path: Path) -> None:
    columns = []
    for name, script in (("old", OLD_LAYOUT), ("new", "")):
        (tmp_path / name).mkdir()
        with closing(sqlite3.connect(tmp_path / name / "ivan.sqlite")) as db:
            db.executescript(script)
        Registry(tmp_path / name).all()
        with closing(sqlite3.connect(tmp_path / name / "ivan.sqlite")) as db:
            columns.append(db.execute("PRAGMA table_info(runs)").fetchall())
    assert columns[0] == columns[1]


def test_a_name_survives_and_the_id_stays(run_id: str) -> None:
    assert archive.rename(run_id, "  before \n the   fix ").name == "before the fix"
    assert runs.get(run_id).label == "before the fix" and runs.get(run_id).id == run_id
    assert archive.rename(run_id, "").label == run_id
    for bad in ("x" * 81, "a\x00b"):
        with pytest.raises(BadInput, match="one line of at most 80"):
            archive.rename(run_id, bad)
    with pytest.raises(BadInput, match="no run"):
        archive.rename("2000-01-01-00-00", "x")


def test_deleting_takes_what_the_run_wrote_and_nothing_else(
    data_dir: Path, pairs_file: Path, run_id: str
) -> None:
    other = finished(data_dir, spec_of_file(pairs_file, limit=9))
    assert other.startswith(run_id) or other != run_id
    theirs = set(files(open_results(other)))
    gone = archive.delete(run_id)
    assert gone.files >= 6 and gone.bytes > 1000 and run_id in gone.sentence
    assert [run.id for run in runs.every()] == [other]
    assert not runs.live_points(run_id) and runs.live_points(other)
    assert theirs == set(files(open_results(other)))
    assert {path.name for path in (data_dir / "runs").iterdir()} == {other}
    assert all(path.name.startswith(f"{other}-") for path in (data_dir / "compare").iterdir())
    assert score_cache.cache_size().entries
    with pytest.raises(BadInput, match="no run"):
        archive.delete(run_id)


def test_a_run_at_work_or_waiting_is_not_deleted(data_dir: Path, pairs_file: Path) -> None:
    with at_work(data_dir, spec_of_file(pairs_file)) as busy:
        with pytest.raises(BadInput, match="is running"):
            archive.delete(busy)
        assert runs.registry().folder(busy).exists()
    waiting = queued(data_dir, spec_of_file(pairs_file, limit=5))
    with pytest.raises(BadInput, match="is queued"):
        archive.delete(waiting)
    runs.cancel(waiting)
    assert archive.delete(waiting).files == 0
    assert archive.delete(busy).run_id == busy, "interrupted by now"


def test_a_run_that_failed_before_its_manifest_leaves_no_csv(
    data_dir: Path, pairs_file: Path
) -> None:
    run_id = failed(data_dir, spec_of_file(pairs_file))
    longer = data_dir / "compare" / f"{run_id}-05-model.csv"
    longer.parent.mkdir(exist_ok=True)
    own = longer.with_name(f"{run_id}-model.csv")
    for path in (longer, own):
        path.write_text("row_id\n")
    registry = Registry(data_dir)
    with registry._file.writing() as db:
        db.execute(
            "INSERT INTO runs (id, kind, spec, fingerprint, state, created) "
            "SELECT id || '-05', kind, spec, 'other', 'failed', created FROM runs"
        )
    archive.delete(run_id)
    assert longer.exists() and not own.exists()


def test_a_hostile_manifest_deletes_no_other_file(data_dir: Path, run_id: str) -> None:
    bystander = data_dir / "precious.csv"
    bystander.write_text("kept")
    path = data_dir / "runs" / run_id / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "files": ["../precious.csv", "/etc/hostname"]}))
    archive.delete(run_id)
    assert bystander.read_text() == "kept" and Path("/etc/hostname").exists()


def test_an_export_holds_no_text_unless_asked(run_id: str, tmp_path: Path) -> None:
    plain, full = archive.export_bytes(run_id), archive.export_bytes(run_id, texts=True)
    with zipfile.ZipFile(io.BytesIO(plain)) as packed:
        names = packed.namelist()
        assert names[:5] == ["run.json", "spec.json", "manifest.json", "facts.jsonl",
                             "table.parquet"]  # fmt: skip
        assert sum(name.startswith("compare/") for name in names) == 5
        assert not any(b"Question 3" in packed.read(name) for name in names)
    with zipfile.ZipFile(io.BytesIO(full)) as packed:
        texts = [json.loads(line) for line in packed.read("texts.jsonl").splitlines()]
    assert len(texts) == 40 and texts[3]["chosen"].startswith("\n\nHuman: Question 3?")
    archive.export(run_id, tmp_path / "run.zip")
    assert zipfile.is_zipfile(tmp_path / "run.zip")
    with pytest.raises(BadInput, match="no folder"):
        archive.export(run_id, tmp_path / "nowhere" / "run.zip")


def test_only_a_finished_run_is_exported(data_dir: Path, pairs_file: Path) -> None:
    with pytest.raises(BadInput, match="is not finished"):
        archive.export_bytes(failed(data_dir, spec_of_file(pairs_file)))


def test_exported_deleted_and_imported_a_run_is_the_same(run_id: str, tmp_path: Path) -> None:
    archive.rename(run_id, "mine")
    before, run = open_results(run_id), runs.get(run_id)
    written = {path.name: path.read_bytes() for path in files(before) if path.suffix == ".csv"}
    archive.export(run_id, tmp_path / "run.zip")
    archive.delete(run_id)
    results_module._open.cache_clear()
    found = import_zip.import_zip(tmp_path / "run.zip")
    assert (found.run_id, found.rows, found.models) == (run_id, 40, TWO_MODELS)
    after = open_results(run_id)
    pd.testing.assert_frame_equal(after.table, before.table)
    assert after.summaries == before.summaries and after.cards == before.cards
    assert after.spec == before.spec
    again = runs.get(run_id)
    assert (again.state, again.name, again.created, again.finished, again.computed) == (
        RunState.DONE, "mine", run.created, run.finished, run.computed,
    )  # fmt: skip
    assert {p.name: p.read_bytes() for p in files(after) if p.suffix == ".csv"} == written
    assert before.manifest is not None and after.manifest is not None
    changed = {k for k in after.manifest if after.manifest[k] != before.manifest.get(k)}
    assert changed == {"imported"}
    assert not list(tmp_path.glob("data/runs/.*")), "nothing is left lying about"


def test_a_second_import_gets_an_id_of_its_own(run_id: str, tmp_path: Path) -> None:
    archive.export(run_id, tmp_path / "run.zip")
    found = import_zip.import_zip(tmp_path / "run.zip")
    assert found.run_id != run_id and run_id in found.sentence
    names = [path.name for path in files(open_results(found.run_id)) if path.suffix == ".csv"]
    assert len(names) == 5 and all(name.startswith(f"{found.run_id}-") for name in names)
    pd.testing.assert_frame_equal(open_results(found.run_id).table, open_results(run_id).table)


def test_on_another_machine_the_dataset_is_named(
    run_id: str, tmp_path: Path, pairs_file: Path, elsewhere: Callable[[], Path]
) -> None:
    table = open_results(run_id).table
    archive.export(run_id, tmp_path / "run.zip")
    moved = tmp_path / "copy.jsonl"
    pairs_file.rename(moved)
    elsewhere()
    with pytest.raises(BadInput, match="is not on this machine"):
        import_zip.import_zip(tmp_path / "run.zip")
    named = DatasetRequest(source=str(moved))
    with pytest.raises(BadInput, match="has not been read on this machine"):
        import_zip.import_zip(tmp_path / "run.zip", named)
    found = import_zip.import_zip(tmp_path / "run.zip", read_dataset(named))
    pd.testing.assert_frame_equal(open_results(found.run_id).table, table)
    assert open_results(found.run_id).spec.dataset.source == str(moved)
    with pytest.raises(BadInput, match="holds other pairs"):
        import_zip.import_zip(tmp_path / "run.zip", DatasetRequest(source="sample"))


def test_a_run_on_the_sample_needs_nothing_named(
    data_dir: Path, tmp_path: Path, elsewhere: Callable[[], Path]
) -> None:
    archive.export(finished(data_dir, spec_of_sample(limit=20)), tmp_path / "run.zip")
    elsewhere()
    assert import_zip.import_zip(tmp_path / "run.zip").rows == 20


@pytest.mark.parametrize(
    "name",
    ["../escaped.csv", "compare/../../escaped.csv", "/tmp/escaped.csv", "compare\\..\\escaped.csv",
     "compare/a/b.csv", "runs/x", "compare/"],
)  # fmt: skip
def test_a_path_that_leads_out_is_refused(run_id: str, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    path = tmp_path / "data" / "evil.zip"
    repacked(archive.export_bytes(run_id), path, {name: b"x"})
    with pytest.raises(BadInput, match="no export of IVAN has"):
        import_zip.import_zip(path)
    path.unlink()
    assert [p for p in sorted(tmp_path.rglob("*")) if p.suffix != ".sqlite-shm"] == before
    assert len(runs.every()) == 1


def test_a_zip_that_unpacks_to_too_much_is_refused(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = {"manifest.json": b" " * (import_zip._MOST_JSON + 1)}
    path = repacked(archive.export_bytes(run_id), tmp_path / "bomb.zip", bomb)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="would unpack to"):
        import_zip.import_zip(path)
    monkeypatch.setattr(import_zip, "MOST_BYTES", 1000)
    archive.export(run_id, tmp_path / "run.zip")
    with pytest.raises(BadInput, match="would unpack to"):
        import_zip.import_zip(tmp_path / "run.zip")


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
    path = repacked(archive.export_bytes(run_id), tmp_path / "run.zip", change)
    with pytest.raises(BadInput, match=words):
        import_zip.import_zip(path)
    assert len(runs.every()) == 1


def test_a_table_that_contradicts_itself_is_refused(run_id: str, tmp_path: Path) -> None:
    table = open_results(run_id).table
    for column, value in (("verdict", "agree"), ("margin", 9.0), ("chosen_length", 1)):
        buffer = io.BytesIO()
        table.assign(**{column: value}).to_parquet(buffer)
        change: dict[str, bytes | None] = {"table.parquet": buffer.getvalue()}
        path = repacked(archive.export_bytes(run_id), tmp_path / "run.zip", change)
        with pytest.raises(BadInput, match="contradict themselves"):
            import_zip.import_zip(path)


def test_no_zip_at_all_is_a_sentence(data_dir: Path, tmp_path: Path, pairs_file: Path) -> None:
    for path in (pairs_file, tmp_path / "nothing.zip"):
        with pytest.raises(BadInput):
            import_zip.import_zip(path)


def test_a_full_disk_registers_nothing(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.export(run_id, tmp_path / "run.zip")

    def full(*_: Any) -> None:
        raise StorageProblem("The disk is full.")

    monkeypatch.setattr("ivan_core.workspace.imported.write_manifest", full)
    before = sorted((tmp_path / "data" / "compare").iterdir())
    with pytest.raises(StorageProblem):
        import_zip.import_zip(tmp_path / "run.zip")
    assert [run.id for run in runs.every()] == [run_id]
    assert sorted((tmp_path / "data" / "compare").iterdir()) == before
    assert [path.name for path in (tmp_path / "data" / "runs").iterdir()] == [run_id]


HEADER = "row_id,chosen_score,rejected_score,agreement\n"


@pytest.fixture
def request_of(data_dir: Path, pairs_file: Path) -> DatasetRequest:
    return read_dataset(DatasetRequest(source=str(pairs_file)))


def test_scores_of_the_original_become_a_finished_run(
    tmp_path: Path, request_of: DatasetRequest
) -> None:
    one = tmp_path / "2024-08-19-10-30-reward-model-deberta-v3-large-v2.csv"
    # 0 agrees; 1 ties, which the original calls False; 2 disagrees but says True; 7 is identical.
    one.write_text(HEADER + "0,1.5,0.5,True\n1,0.5,0.5,False\n2,0.1,0.2,True\n7,1.0,1.0,False\n"
                   "8,,0.5,False\n9,nan,1,False\n")  # fmt: skip
    other = tmp_path / "2024-08-19-10-30-mine.csv"
    other.write_text(HEADER + "0,0.0,1.0,False\n")
    stats = tmp_path / "2024-08-19-10-30-stats.csv"
    stats.write_text("model_name,model_trained_on_dataset\nme/mine,True\n")
    found = import_csvs([one, other, stats], request_of)
    assert found.run_id == "2024-08-19-10-30"
    assert found.models == ("OpenAssistant/reward-model-deberta-v3-large-v2", "me/mine")
    assert "gives 1 of 6 verdicts otherwise" in found.sentence
    assert "1 rows with identical sides" in found.sentence
    assert "6 of 40 rows" in found.sentence
    results = open_results(found.run_id)
    first, second = results.summaries
    assert (first.counts.agree, first.counts.tie, first.counts.disagree) == (1, 1, 1)
    assert (first.counts.identical, first.counts.failed) == (1, 2)
    assert (second.counts.disagree, second.counts.rated) == (1, 1)
    assert results.cards["me/mine"].trained_on_hh is True
    assert results.run.state is RunState.DONE and results.run.notes == found.notes
    assert results.dataset.fingerprint == datasets.find(request_of).fingerprint  # type: ignore[union-attr]
    names = [path.name for path in files(results)]
    assert "2024-08-19-10-30-stats.csv" in names and "table.parquet" in names
    assert not list((tmp_path / "data" / "runs").glob(".*"))


def test_our_own_csvs_come_back_with_equal_numbers(
    data_dir: Path, pairs_file: Path, tmp_path: Path
) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file), Fakes(failing="0"))
    before = open_results(run_id)
    written = [path for path in files(before) if path.suffix == ".csv"]
    found = import_csvs(written, before.spec.dataset)
    assert found.run_id != run_id, "its id is taken"
    assert found.models == TWO_MODELS
    after = open_results(found.run_id).table
    same = ["row_id", "model", "margin", "verdict", "identical", "subset"]
    pd.testing.assert_frame_equal(after[same], before.table[same])
    assert (after["failure"].isna() == before.table["failure"].isna()).all()
    again = tmp_path / "again.csv"
    again.write_bytes(written[0].read_bytes())
    named = import_csvs([again], before.spec.dataset, ["org/model"])
    assert named.models == ("org/model",)
    with again.open() as file:
        assert next(csv.reader(file)) == HEADER.strip().split(",")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "no scores of a comparison"),
        (HEADER + "40,1,2,False\n", "No such row in this dataset: 40"),
        (HEADER + "-1,1,2,False\n", "line 2: no row id"),
        (HEADER + "0,1,2,False\n0,1,2,False\n", "line 3: row 0 comes twice"),
        (HEADER + "0,one,2,False\n", "'one' is no score"),
        (HEADER + "0,1,2,maybe\n", "agreement is True or False"),
        (HEADER + "0,1\n", "columns are missing"),
        ("\udcff", "no CSV file in UTF-8"),
        ("", "no scores of a comparison"),
    ],
)
def test_files_that_are_not_scores_are_named_by_line(
    tmp_path: Path, request_of: DatasetRequest, content: str, words: str
) -> None:
    path = tmp_path / "2024-08-19-10-30-m.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadInput, match=words):
        import_csvs([path], request_of)
    assert not runs.every()


def test_names_and_files_go_together(tmp_path: Path, request_of: DatasetRequest) -> None:
    paths = [tmp_path / f"{name}.csv" for name in ("a", "b")]
    for path in paths:
        path.write_text(HEADER + "0,1,2,False\n")
    with pytest.raises(BadInput, match="2 files of scores and 1 names"):
        import_csvs(paths, request_of, ["m"])
    with pytest.raises(BadInput, match="the same model"):
        import_csvs(paths, request_of, ["m", "m"])
    assert import_csvs(paths, request_of).models == ("a", "b")


def test_the_cache_tells_its_size_and_is_emptied(run_id: str, data_dir: Path) -> None:
    before = score_cache.cache_size()
    assert before.entries >= 2 * 79 and before.bytes > 10_000
    assert score_cache.clear_cache() == before
    assert score_cache.cache_size().entries == 0
    assert open_results(run_id).summaries


def test_asking_for_the_size_of_no_cache_makes_none(data_dir: Path) -> None:
    assert score_cache.clear_cache() == score_cache.CacheSize(0, 0)
    assert not (data_dir / "cache").exists()


def test_sizes_are_words() -> None:
    told = [archive.size(count) for count in (0, 999, 1000, 1_440_000, 3_200_000_000_000)]
    assert told == ["0 bytes", "999 bytes", "1.0 kB", "1.4 MB", "3200.0 GB"]
