"""Files that would fill the memory or never end are refused in a sentence; broken ones too."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from given.made_runs import finished, spec_of_file

from ivan_core.annotations.backup import restore_backup
from ivan_core.datasets import files, limits, parquet_rows
from ivan_core.datasets.files import read_file
from ivan_core.datasets.lines import BadLine, Line
from ivan_core.datasets.parquet_rows import small_table
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import zips
from ivan_core.review.sheets import sheets as review_sheets

GOOD = {"chosen": "\n\nHuman: q\n\nAssistant: yes", "rejected": "\n\nHuman: q\n\nAssistant: no"}
MIB = 2**20


@pytest.fixture
def little_memory() -> Iterator[Callable[[], float]]:
    """The most memory that Python held at once, in MiB."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1] / MIB
    tracemalloc.stop()


def found(path: Path) -> list[Line]:
    return list(read_file(path))


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_endless_line_is_a_bad_line_and_the_rest_is_read(
    tmp_path: Path, packed: bool, little_memory: Callable[[], float]
) -> None:
    content = lines(GOOD) + b'{"chosen": "' + b"x" * (40 * MIB) + b'"}\n' + lines(GOOD)
    path = tmp_path / ("long.jsonl.gz" if packed else "long.jsonl")
    # Random digits beside the long line: a file that is packed as tightly as no text is refused.
    filler = lines({"noise": os.urandom(MIB).hex()}) if packed else b""
    path.write_bytes(gzip.compress(content + filler, 1) if packed else content)
    del content, filler
    tracemalloc.reset_peak()
    read = found(path)[:3]
    assert read == [(1, GOOD), BadLine(2, "longer than 16 MiB"), (3, GOOD)]
    assert little_memory() < 80


def test_a_gzip_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_SMALL", MIB)
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(20):
            file.write(lines(GOOD) * 10_000)
    read = 0
    with pytest.raises(BadInput, match="unpacks to more than 200 times its"):
        for _ in read_file(path):
            read += 1
    assert read < 200_000


def test_text_that_is_packed_well_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fine.jsonl.gz"
    path.write_bytes(gzip.compress(lines(GOOD) * 2_000))
    assert len(found(path)) == 2_000


def test_more_rows_than_are_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 3)
    for name, content in {
        "many.jsonl": lines(*[GOOD] * 4),
        "many.csv": b"chosen,rejected\n" + b"a,b\n" * 4,
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BadInput, match=f"{name} has more than"):
            found(path)


def test_a_csv_line_or_field_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1_000)
    path = tmp_path / "long.csv"
    path.write_bytes(b"chosen,rejected\na,b\n" + b"x" * 1_001 + b",b\n")
    with pytest.raises(BadInput, match=r"has a line longer than 16 MiB \(line 3\)"):
        found(path)
    path.write_bytes(b'chosen,rejected\na,"' + b"x\n" * 501 + b'"\nc,d\n')
    read = found(path)
    assert read == [
        BadLine(2, "a field longer than 16 MiB begins here"),
        (504, {"chosen": "c", "rejected": "d"}),
    ]


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.csv", "pairs.parquet"])
def test_a_pipe_is_no_dataset(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(BadInput, match="is a pipe, not a file"):
        found(tmp_path / name)
    (tmp_path / f"device-{name}").symlink_to("/dev/zero")
    with pytest.raises(BadInput, match="is a device or a socket, not a file"):
        found(tmp_path / f"device-{name}")


def parquet(path: Path, table: pa.Table, **more: Any) -> Path:
    pq.write_table(table, path, compression="zstd", **more)
    return path


def test_one_long_value_that_stands_for_many_rows_is_refused_before_it_is_unpacked(
    tmp_path: Path, little_memory: Callable[[], float]
) -> None:
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), ["x" * (8 * MIB)])
    nested = pa.ListArray.from_arrays(
        pa.array(range(5_001), pa.int32()), pa.StructArray.from_arrays([long], ["content"])
    )
    for name, column in {"flat": long, "nested": nested}.items():
        path = parquet(
            tmp_path / f"{name}.parquet", pa.table({"chosen": column, "rejected": column})
        )
        before = pa.total_allocated_bytes()
        assert path.stat().st_size < 100_000
        with pytest.raises(BadInput, match="unpacks to more than 200 times"):
            found(path)
        assert pa.total_allocated_bytes() - before < 200 * MIB
    assert little_memory() < 200


def test_rows_without_end_are_refused_by_what_the_file_says(tmp_path: Path) -> None:
    nothing = pa.nulls(limits.MOST_ROWS + 1, pa.string())
    path = parquet(tmp_path / "rows.parquet", pa.table({"chosen": nothing, "rejected": nothing}))
    with pytest.raises(BadInput, match=r"rows.parquet has more than 2,000,000 rows"):
        found(path)


def test_a_text_that_is_too_long_costs_its_row_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_rows, "LONGEST_LINE", 1_000)
    monkeypatch.setattr(parquet_rows, "_EASY", 1_000)
    texts = ["a", os.urandom(600).hex(), os.urandom(600).hex(), "b" * 70]
    path = parquet(tmp_path / "long.parquet", pa.table({"chosen": texts, "rejected": ["x"] * 4}))
    read = found(path)
    assert [one.reason if isinstance(one, BadLine) else len(one[1]["chosen"]) for one in read] == [
        1,
        "longer than 16 MiB",
        "longer than 16 MiB",
        70,
    ]


def test_parquet_texts_that_are_not_utf_8_cost_their_row_alone(tmp_path: Path) -> None:
    raw = pa.array([b"fine", b"\xff\xfe", b"too"], pa.binary())
    texts = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    path = parquet(tmp_path / "bad.parquet", pa.table({"chosen": texts, "rejected": ["x"] * 3}))
    assert found(path)[1] == BadLine(2, "not UTF-8 text")
    assert found(path)[2] == (3, {"chosen": "too", "rejected": "x"})


def test_a_column_that_comes_twice_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_bytes(b"chosen,rejected,chosen\na,b,c\n")
    with pytest.raises(BadInput, match="The column chosen comes twice"):
        found(path)
    one = pa.array(["a"])
    table = pa.Table.from_arrays([one, one, one], ["chosen", "rejected", "rejected"])
    with pytest.raises(BadInput, match="The column rejected comes twice"):
        found(parquet(tmp_path / "twice.parquet", table))


def test_a_key_that_comes_twice_is_a_bad_line_by_name(tmp_path: Path) -> None:
    path = tmp_path / "twice.jsonl"
    inner = b'{"chosen": [{"role": "user", "role": "assistant", "content": "x"}]}\n'
    path.write_bytes(lines(GOOD) + b'{"chosen": "a", "rejected": "b", "chosen": "c"}\n' + inner)
    assert found(path)[1:] == [
        BadLine(2, "the key 'chosen' comes twice"),
        BadLine(3, "the key 'role' comes twice"),
    ]


@pytest.mark.parametrize("name", ["pairs.parquet", "texts.arrow"])
def test_a_cut_file_of_a_prepared_dataset_is_a_sentence(tmp_path: Path, name: str) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(lines(GOOD, GOOD))
    # Open files are known by their paths, and pytest may give the first case's path to the second.
    dataset = prepare(tmp_path / name, DatasetRequest(source=str(source)))
    path = dataset.folder / name
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StorageProblem, match=f"{name} of the prepared dataset") as caught:
        dataset.pair(0)
    assert "Remove the folder" in caught.value.hint


def test_a_small_zip_with_an_absurd_table_is_refused_before_it_is_read(
    data_dir: Path, pairs_file: Path, tmp_path: Path, little_memory: Callable[[], float]
) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file, seed=3))
    packed = zips.export_bytes(run_id)
    with zipfile.ZipFile(io.BytesIO(packed)) as old:
        table = pq.read_table(io.BytesIO(old.read("table.parquet")))
        others = {name: old.read(name) for name in old.namelist() if name != "table.parquet"}
    long = pa.DictionaryArray.from_arrays(
        pa.array([0] * len(table), pa.int32()), ["x" * (40 * MIB)]
    )
    at = table.column_names.index("failure")
    endless = pa.concat_tables([table] * 4_000)
    for name, made in {"rows": endless, "texts": table.set_column(at, "failure", long)}.items():
        inside = io.BytesIO()
        pq.write_table(made, inside, compression="zstd")
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for member, content in {**others, "table.parquet": inside.getvalue()}.items():
                new.writestr(member, content)
        with pytest.raises(BadInput, match="its table would unpack to more than its dataset"):
            zips.import_zip(path)
    assert little_memory() < 400


def test_a_pipe_is_no_sheet_of_answers(data_dir: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "answers.xlsx")
    with pytest.raises(BadInput, match="is a pipe, not a file"):
        review_sheets.import_file(tmp_path / "answers.xlsx")


def test_a_backup_with_an_endless_manifest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("manifest.json", b" " * (2 * MIB))
    with pytest.raises(BadInput, match="its manifest is too large"):
        restore_backup(tmp_path / "data", path)


def test_a_table_is_read_if_it_is_no_larger_than_it_may_be() -> None:
    made = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), made)
    assert small_table("t", made.getvalue(), ["b"], 2).column("b").to_pylist() == ["x", "y"]
    with pytest.raises(BadInput, match="unpacks to more"):
        small_table("t", made.getvalue(), ["b"], 1)


def test_a_list_of_millions_of_messages_is_refused_before_they_are_made(tmp_path: Path) -> None:
    """Packed they are nothing, and their texts are short: each is an object all the same."""
    messages = pa.array(
        [[{"role": "user", "content": "x"}] * 600_000, [{"role": "user", "content": "x"}]]
    )
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table({"chosen": messages, "rejected": ["b", "b"]}), path)
    with pytest.raises(BadInput, match="unpacks to more than 200 times"):
        list(parquet_rows.rows_of(path))
