"""Preparing a dataset: read a source once, keep numbers and texts apart, say what is odd."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from ivan_core.datasets.columns import can_be_asked
from ivan_core.datasets.layouts.chosen_rejected import PAIRS
from ivan_core.datasets.numbers import Numbers
from ivan_core.datasets.prepared import BATCH_ROWS, HASHES, NUMBERS, TEXTS, PreparedDataset
from ivan_core.datasets.reading import PairReader
from ivan_core.datasets.sources import Source, check_source, open_here, open_hub, request_key
from ivan_core.domain.errors import ODD_DATA
from ivan_core.domain.specs import DatasetRequest
from ivan_core.runs.storage import replacing, storage_errors

LAYOUT = 2
"""Number of the folder's layout; a change of it gives every dataset another fingerprint."""
READING = 6
"""Number of the way rows are read; a change of it reads sources anew. What comes out as before
keeps its fingerprint, and with it its runs, reviews and scores."""
_SAME_AS_BEFORE = ("sample", "anthropic/hh-rlhf")
"""Sources of plain transcripts: the earlier ways of reading gave the same."""
_EARLIER = (5, 4, 3, 2)
_NAMED_BAD_LINES = 50
_ROWS_A_GROUP = 16_384
"""Rows of the numbers table that are read together where one is asked for."""
_UNFINISHED = ".preparing-"
_ABANDONED_AFTER = 3600.0
"""Seconds without a write after which an unfinished folder was left by a killed worker."""


def find_prepared(data_dir: Path, request: DatasetRequest) -> PreparedDataset | None:
    """The dataset this request was prepared to earlier, if it was and nothing changed since."""
    same = request.source.lower() in _SAME_AS_BEFORE
    readings = (READING, *_EARLIER) if same else (READING,)
    for reading in readings:
        with suppress(OSError, *ODD_DATA):
            pointer = _pointer(data_dir, request, reading)
            folder = data_dir / "datasets" / json.loads(pointer.read_text("utf-8"))["fingerprint"]
            if (folder / "dataset.json").exists():
                return PreparedDataset(folder)
    return None


def prepare(
    data_dir: Path, request: DatasetRequest, progress: Callable[[int], None] = lambda _: None
) -> PreparedDataset:
    """Read the source and write `data/datasets/<fingerprint>/`; one that is there already is kept.

    `progress` is called with the number of pairs read so far, every thousand.

    Raises:
        BadInput: the source holds no pairs, or cannot be read.
        BackendUnavailable: the hub cannot be reached.
        StorageProblem: the data folder cannot be written.
    """
    check_source(request)
    found = find_prepared(data_dir, request)
    if found is not None:
        return found
    source = open_here(request) or open_hub(request)
    # Taken before reading: if the file changes meanwhile, the next request prepares it again.
    pointer = _pointer(data_dir, request)
    root = data_dir / "datasets"
    with storage_errors(data_dir):
        root.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(root)
        temporary = root / f"{_UNFINISHED}{uuid4().hex[:8]}"
        temporary.mkdir()
        try:
            about = _write(temporary, request, source, progress)
            folder = root / str(about["fingerprint"])
            _put_in_place(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        pointer.parent.mkdir(parents=True, exist_ok=True)
        with replacing(pointer) as path:
            path.write_text(
                json.dumps({"fingerprint": folder.name, **request.model_dump()}), "utf-8"
            )
    return PreparedDataset(folder)


def _pointer(data_dir: Path, request: DatasetRequest, reading: int = READING) -> Path:
    return data_dir / "datasets" / "requests" / f"{request_key(request)}-{reading}.json"


def _remove_abandoned(root: Path) -> None:
    """Remove what workers that were killed half way have left."""
    for folder in root.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):  # its worker finished, or removed it, meanwhile
            touched = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            if time.time() - touched > _ABANDONED_AFTER:
                shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Give a finished folder its name, unless there is one: then its card alone is written anew."""
    if (folder / "dataset.json").exists():
        (temporary / "dataset.json").replace(folder / "dataset.json")
        return
    for path in temporary.iterdir():  # a power cut must not leave a named folder with torn files
        with path.open("rb") as file:
            os.fsync(file.fileno())
    try:
        temporary.rename(folder)
    except OSError:
        if (folder / "dataset.json").exists():
            return
        shutil.rmtree(folder)  # somebody removed the card by hand
        temporary.rename(folder)


def _write(
    folder: Path, request: DatasetRequest, source: Source, progress: Callable[[int], None]
) -> dict[str, Any]:
    """Write both tables and the card; returns the card."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content, numbers = sha256(), Numbers()
    reader = PairReader(request.columns, request.layout)
    schema = pa.schema([("chosen", pa.string()), ("rejected", pa.string())])
    with pa.OSFile(str(folder / TEXTS), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        texts: tuple[list[str], list[str]] = ([], [])

        def end_batch() -> None:
            content.update(numbers.end_batch())
            writer.write_batch(pa.record_batch([pa.array(side) for side in texts], schema))
            for side in texts:
                side.clear()

        for pair, labels in reader.read(source.rows):
            numbers.add(pair, labels)
            texts[0].append(pair.chosen.text)
            texts[1].append(pair.rejected.text)
            if len(texts[0]) == BATCH_ROWS:
                end_batch()
                progress(numbers.rows)
        if texts[0]:
            end_batch()
    table = numbers.table(reader.left_out)
    pq.write_table(
        table,
        folder / NUMBERS,
        row_group_size=_ROWS_A_GROUP,
        compression="zstd",
        # Hashes hardly come twice: to list them first would take as long as all else.
        use_dictionary=[name for name in table.column_names if name not in HASHES],
    )
    bad, replies = (
        [[line.line, line.reason] for line in lines]
        for lines in (reader.bad, reader.replies_left_out)
    )
    content.update(json.dumps(bad).encode())
    if replies:
        content.update(json.dumps(replies).encode())
    identity = f"{LAYOUT}|{request.model_dump_json()}|{source.revision}|{content.hexdigest()}"
    about = {
        "fingerprint": sha256(identity.encode()).hexdigest()[:16],
        "request": request.model_dump(),
        "label": request.label,
        "rows": numbers.rows,
        "revision": source.revision,
        "content": content.hexdigest(),
        "chosen_by": source.chosen_by,
        "licence": source.licence,
        "note": source.note,
        "sanity": numbers.report(table),
        "bad_lines": len(bad),
        "bad_lines_named": bad[:_NAMED_BAD_LINES],
        "rows_read": reader.rows,
        "rows_tied": reader.tied_rows,
        "replies_left_out": len(replies),
        "replies_left_out_named": replies[:_NAMED_BAD_LINES],
        "reading": READING,
        "layout": reader.layout.name if reader.layout else PAIRS.name,
        "columns_found": can_be_asked(reader.columns, request.columns),
        "columns_left_out": can_be_asked(sorted(reader.left_out)),
    }
    (folder / "dataset.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), "utf-8")
    return about
