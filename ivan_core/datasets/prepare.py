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
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ivan_core.datasets.columns import can_be_asked
from ivan_core.datasets.prepared import BATCH_ROWS, NUMBERS, TEXTS, PreparedDataset
from ivan_core.datasets.reading import PairReader
from ivan_core.datasets.sources import Source, check_source, open_here, open_hub, request_key
from ivan_core.domain.errors import ODD_DATA
from ivan_core.domain.pairs import Pair
from ivan_core.domain.specs import DatasetRequest
from ivan_core.domain.transcripts import text_hash
from ivan_core.runs.storage import replacing, storage_errors

if TYPE_CHECKING:
    import pyarrow as pa


LAYOUT = 2
"""Number of the folder's layout; a change of it gives every dataset another fingerprint."""
READING = 4
"""Number of the way rows are read; a change of it reads sources anew. What comes out as before
keeps its fingerprint, and with it its runs, reviews and scores."""
_SAME_AS_BEFORE = ("sample", "anthropic/hh-rlhf")
"""Sources of plain transcripts: the earlier ways of reading gave the same."""
_EARLIER = (3, 2)
_NAMED_BAD_LINES = 50
_ROWS_A_GROUP = 16_384
"""Rows of the numbers table that are read together where one is asked for."""
_SORTED = json.JSONEncoder(sort_keys=True)
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

    content = sha256()
    sanity = Sanity()
    reader = PairReader(request.columns)
    numbers: list[dict[str, Any]] = []
    schema = pa.schema([("chosen", pa.string()), ("rejected", pa.string())])
    with pa.OSFile(str(folder / TEXTS), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        chosen: list[str] = []
        rejected: list[str] = []
        for pair, labels in reader.read(source.rows):
            row = sanity.add(pair)
            numbers.append({**row, **labels})
            _hash_row(content, row, labels)
            chosen.append(pair.chosen.text)
            rejected.append(pair.rejected.text)
            if len(chosen) == BATCH_ROWS:
                writer.write_batch(_batch(chosen, rejected, schema))
                progress(len(numbers))
        if chosen:
            writer.write_batch(_batch(chosen, rejected, schema))
    pq.write_table(
        _numbers_table(numbers, reader.left_out),
        folder / NUMBERS,
        row_group_size=_ROWS_A_GROUP,
        compression="zstd",
    )
    bad = [[line.line, line.reason] for line in reader.bad]
    content.update(json.dumps(bad).encode())
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
        "bad_lines_named": bad[:_NAMED_BAD_LINES],
        "reading": READING,
        "columns_found": can_be_asked(reader.columns, request.columns),
        "columns_left_out": can_be_asked(sorted(reader.left_out)),
    }
    (folder / "dataset.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), "utf-8")
    return about


def _hash_row(content: Any, row: dict[str, Any], labels: dict[str, Any]) -> None:
    """Add all that is kept of a row to the hash of the contents."""
    identity = f"{row['chosen_hash']}{row['rejected_hash']}{row['subset']}"
    if row["equal_scores"]:
        identity += "|tied"
    if labels:
        identity += _SORTED.encode(labels)
    content.update(f"{identity}\n".encode())


def _batch(chosen: list[str], rejected: list[str], schema: pa.Schema) -> pa.RecordBatch:
    """The texts collected so far as one record batch; empties the lists."""
    import pyarrow as pa

    batch = pa.record_batch([pa.array(chosen), pa.array(rejected)], schema=schema)
    chosen.clear()
    rejected.clear()
    return batch


def _numbers_table(numbers: list[dict[str, Any]], left_out: set[str]) -> pa.Table:
    """The numbers as columns, the source's own after ours."""
    import pyarrow as pa

    kinds = dict.fromkeys(map(tuple, numbers))
    names = dict.fromkeys(name for kind in kinds for name in kind)
    columns: dict[str, Any] = {}
    for name in names:
        if name in left_out:
            continue
        values = [row.get(name) for row in numbers]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            # The source mixes types in this column, or its whole numbers pass 64 bits.
            columns[name] = pa.array([None if value is None else str(value) for value in values])
    return pa.table(columns)


_COUNTED = (
    "pairs",
    "identical",
    "empty_reply",
    "ends_in_human",
    "no_assistant_turn",
    "prompts_differ",
    "duplicates",
    "lengths_differ",
    "longer_chosen",
    "tied",
    "without_prompt",
)


class Sanity:
    """Counts over the pairs added so far, and the row of numbers for each."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_COUNTED, 0)
        self._first_row: dict[tuple[str, str], int] = {}
        self._characters = {"chosen": 0, "rejected": 0}

    def add(self, pair: Pair) -> dict[str, Any]:
        """Count one pair; returns its row of numbers (lengths in characters of the reply)."""
        chosen, rejected = pair.chosen, pair.rejected
        key = (chosen.hash, rejected.hash)
        duplicate_of = self._first_row.setdefault(key, pair.row_id)
        chosen_reply, rejected_reply = chosen.reply, rejected.reply
        chosen_length, rejected_length = len(chosen_reply or ""), len(rejected_reply or "")
        row: dict[str, Any] = {
            "row_id": pair.row_id,
            "subset": pair.subset,
            "chosen_hash": key[0],
            "rejected_hash": key[1],
            "chosen_length": chosen_length,
            "rejected_length": rejected_length,
            "identical": pair.identical,
            "empty_reply": not (chosen_reply and rejected_reply),
            "ends_in_human": chosen.ends_in_human_turn or rejected.ends_in_human_turn,
            "prompts_differ": pair.prompts_differ,
            "equal_scores": pair.tied,
            "duplicate_of": -1 if duplicate_of == pair.row_id else duplicate_of,
            "first_turn": text_hash(chosen.first_human_turn)[:16],
        }
        counts = self._counts
        for name in ("identical", "empty_reply", "ends_in_human", "prompts_differ"):
            if row[name]:
                counts[name] += 1
        counts["pairs"] += 1
        counts["tied"] += pair.tied
        if not (chosen.has_prompt and rejected.has_prompt):
            counts["without_prompt"] += 1
        if duplicate_of != pair.row_id:
            counts["duplicates"] += 1
        if chosen_reply is None or rejected_reply is None:
            counts["no_assistant_turn"] += 1
        self._characters["chosen"] += chosen_length
        self._characters["rejected"] += rejected_length
        if chosen_length != rejected_length:
            counts["lengths_differ"] += 1
            if chosen_length > rejected_length:
                counts["longer_chosen"] += 1
        return row

    def report(self) -> dict[str, Any]:
        """Counts, mean reply length by side in characters, and how often the longer was chosen."""
        pairs = self._counts["pairs"]
        differing = self._counts["lengths_differ"]
        return {
            **self._counts,
            "mean_length": {
                side: round(total / pairs, 1) if pairs else None
                for side, total in self._characters.items()
            },
            "longer_chosen_rate": (
                round(self._counts["longer_chosen"] / differing, 4) if differing else None
            ),
        }
