"""Preparing a dataset: read a source once, write numbers and texts apart, and say what is odd about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ivan_core.datasets.files import NEEDED, BadLine, Line, wrong_columns
from ivan_core.datasets.prepared import BASE_COLUMNS, GROUP_ROWS, PreparedDataset
from ivan_core.datasets.sanity import Sanity
from ivan_core.datasets.sources import Source, open_source, request_key
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import Pair
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.transcripts import Dialogue
from ivan_core.runs.storage import replacing, storage_errors

if TYPE_CHECKING:
    import pyarrow as pa

LAYOUT = 1
"""Number of the folder's layout; a change of it prepares datasets anew."""
_NAMED_BAD_LINES = 50


def find_prepared(data_dir: Path, request: DatasetRequest) -> PreparedDataset | None:
    """The dataset this request was prepared to earlier, if it was and nothing changed since."""
    pointer = _pointer(data_dir, request)
    with suppress(FileNotFoundError, ValueError, KeyError):
        folder = data_dir / "datasets" / json.loads(pointer.read_text("utf-8"))["fingerprint"]
        if (folder / "dataset.json").exists():
            return PreparedDataset(folder)
    return None


def prepare(
    data_dir: Path, request: DatasetRequest, progress: Callable[[int], None] = lambda _: None
) -> PreparedDataset:
    """Read the source and write `data/datasets/<fingerprint>/`; a dataset that is there already is kept.

    `progress` is called with the number of pairs read so far, every thousand.

    Raises:
        BadInput: the source holds no pairs, or cannot be read.
        BackendUnavailable: the hub cannot be reached.
        StorageProblem: the data folder cannot be written.
    """
    found = find_prepared(data_dir, request)
    if found is not None:
        return found
    source = open_source(request)
    root = data_dir / "datasets"
    with storage_errors(data_dir):
        temporary = root / f".preparing-{uuid4().hex[:8]}"
        temporary.mkdir(parents=True)
        try:
            about = _write(temporary, request, source, progress)
            folder = root / about["fingerprint"]
            with suppress(OSError):  # prepared by another worker meanwhile
                if not (folder / "dataset.json").exists():
                    temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        pointer = _pointer(data_dir, request)
        pointer.parent.mkdir(parents=True, exist_ok=True)
        with replacing(pointer) as path:
            path.write_text(
                json.dumps({"fingerprint": folder.name, **request.model_dump()}), "utf-8"
            )
    return PreparedDataset(folder)


def _pointer(data_dir: Path, request: DatasetRequest) -> Path:
    return data_dir / "datasets" / "requests" / f"{request_key(request)}-{LAYOUT}.json"


def _write(
    folder: Path, request: DatasetRequest, source: Source, progress: Callable[[int], None]
) -> dict[str, Any]:
    """Write both tables and the card; returns the card."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = sha256()
    sanity = Sanity()
    bad: list[BadLine] = []
    numbers: list[dict[str, Any]] = []
    texts = pa.schema([("row_id", pa.int64()), ("chosen", pa.string()), ("rejected", pa.string()),
                       ("subset", pa.string())])  # fmt: skip
    with pq.ParquetWriter(folder / "texts.parquet", texts, compression="zstd") as writer:
        waiting: list[dict[str, Any]] = []
        for pair, extra in _pairs(source.rows, bad):
            row = sanity.add(pair)
            numbers.append({**row, **extra})
            content.update(f"{row['chosen_hash']}{row['rejected_hash']}{pair.subset}\n".encode())
            waiting.append({"row_id": pair.row_id, "chosen": pair.chosen.text,
                            "rejected": pair.rejected.text, "subset": pair.subset})  # fmt: skip
            if len(waiting) == GROUP_ROWS:
                writer.write_table(pa.Table.from_pylist(waiting, texts))
                waiting.clear()
                progress(len(numbers))
        if waiting:
            writer.write_table(pa.Table.from_pylist(waiting, texts))
    if not numbers:
        raise _no_pairs(bad)
    pq.write_table(_numbers_table(numbers), folder / "pairs.parquet", compression="zstd")
    identity = f"{LAYOUT}|{request.model_dump_json()}|{source.revision}|{content.hexdigest()}"
    about = {
        "fingerprint": sha256(identity.encode()).hexdigest()[:16],
        "request": request.model_dump(),
        "label": request.label,
        "rows": len(numbers),
        "revision": source.revision,
        "content": content.hexdigest(),
        "chosen_by": source.chosen_by,
        "licence": source.licence,
        "note": source.note,
        "sanity": sanity.report(),
        "bad_lines": len(bad),
        "bad_lines_named": [[line.line, line.reason] for line in bad[:_NAMED_BAD_LINES]],
    }
    (folder / "dataset.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), "utf-8")
    return about


def _numbers_table(numbers: list[dict[str, Any]]) -> pa.Table:
    """The numbers as columns; a source's own columns only where every value is a plain scalar."""
    import pyarrow as pa

    names = dict.fromkeys(name for row in numbers for name in row)
    columns: dict[str, Any] = {}
    for name in names:
        values = [row.get(name) for row in numbers]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # mixed types in a column of the source
            columns[name] = pa.array([None if value is None else str(value) for value in values])
    return pa.table(columns)


def _pairs(rows: Iterator[Line], bad: list[BadLine]) -> Iterator[tuple[Pair, dict[str, Any]]]:
    """Good rows as pairs with the source's own scalar columns; the others go to `bad`."""
    count = 0
    columns: set[str] = set()
    for line in rows:
        if isinstance(line, BadLine):
            bad.append(line)
            continue
        number, row = line
        columns |= row.keys()
        sides = [_transcript(row, side) for side in NEEDED]
        if sides[0] is None or sides[1] is None:
            missing = [side for side, text in zip(NEEDED, sides, strict=True) if text is None]
            bad.append(BadLine(number, f"no text under {' and '.join(missing)}"))
            continue
        subset = row.get("subset")
        yield (
            Pair(count, Dialogue(sides[0]), Dialogue(sides[1]), str(subset) if subset else ""),
            {name: value for name, value in row.items()
             if name not in (*NEEDED, *BASE_COLUMNS, "prompt") and isinstance(value, str | int | float | bool)},
        )  # fmt: skip
        count += 1
    if not count and columns and not set(NEEDED) <= columns:
        raise wrong_columns(sorted(columns))


def _transcript(row: dict[str, Any], side: str) -> str | None:
    """One side as a transcript: a string as it is, a list of chat messages printed in the same form."""
    value = row.get(side)
    if isinstance(value, str):
        prompt = row.get("prompt")
        if isinstance(prompt, str) and "\n\nAssistant:" not in value:
            return f"\n\nHuman: {prompt}\n\nAssistant: {value}"
        return value
    if isinstance(value, list) and value and all(isinstance(m, dict) for m in value):
        names = {"user": "\n\nHuman: ", "assistant": "\n\nAssistant: ", "system": ""}
        if all(m.get("role") in names and isinstance(m.get("content"), str) for m in value):
            return "".join(names[m["role"]] + m["content"] for m in value)
    return None


def _no_pairs(bad: list[BadLine]) -> BadInput:
    if not bad:
        return BadInput(
            "The data holds no rows.", "It needs rows with the columns chosen and rejected."
        )
    named = "; ".join(f"line {line.line}: {line.reason}" for line in bad[:3])
    return BadInput(
        f"None of the {len(bad)} lines is a pair ({named}).", "Each needs chosen and rejected."
    )
