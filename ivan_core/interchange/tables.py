"""Pairs as tables: CSV with transcripts, Parquet with chat messages.

A tie is told by two equal scores, as UltraFeedback's pairs have it; where the data has scores of
its own, they are these.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ivan_core.domain.pairs import SIDES, Pair
from ivan_core.interchange import reasons
from ivan_core.interchange.content import Content, Label, Row
from ivan_core.interchange.format import Format
from ivan_core.interchange.messages import messages
from ivan_core.lists.download import arrow_type

_SCORES = tuple(f"score_{side}" for side in SIDES)
_BATCH = 1_000


def _beside(content: Content) -> dict[str, type]:
    """The columns beside the texts."""
    return {**dict.fromkeys(_SCORES, float), **content.columns}


def _values(content: Content, row: Row) -> dict[str, Label]:
    """The values of those columns."""
    own = dict(zip(_SCORES, (0.0, 0.0) if row.pair.tied else (1.0, 0.0), strict=True))
    return {**own, **content.values(row)}


def _write_csv(path: Path, content: Content, rows: Iterator[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer, names = csv.writer(file), list(_beside(content))
        writer.writerow([*SIDES, *names])
        for row in rows:
            values = _values(content, row)
            texts = row.pair.chosen.text, row.pair.rejected.text
            writer.writerow([*texts, *(values.get(name) for name in names)])


def _write_parquet(path: Path, content: Content, rows: Iterator[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    own = [(name, arrow_type(kind)) for name, kind in _beside(content).items()]
    schema = pa.schema([*((side, pa.list_(message)) for side in SIDES), *own])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := [_objects(content, row) for row in islice(rows, _BATCH)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def _objects(content: Content, row: Row) -> dict[str, Any]:
    sides = {"chosen": messages(row.pair.chosen), "rejected": messages(row.pair.rejected)}
    return {**sides, **_values(content, row)}


def _nul(pair: Pair) -> str:
    texts: Iterable[str] = (pair.chosen.text, pair.rejected.text)
    return "a NUL character, which CSV cannot hold" if any("\0" in text for text in texts) else ""


CSV = Format(
    "csv",
    "CSV",
    "Two transcripts a row. No system texts.",
    ".csv",
    (reasons.no_transcript, _nul),
    _write_csv,
)
PARQUET = Format(
    "parquet",
    "Parquet",
    "Two lists of chat messages a row.",
    ".parquet",
    (reasons.nobodys_text,),
    _write_parquet,
)
