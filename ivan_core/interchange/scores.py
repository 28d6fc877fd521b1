"""What a run says of pairs, without their texts: a table to join to them by who has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ivan_core.lists.download import arrow_type

if TYPE_CHECKING:
    import pandas as pd

PIECE = 50_000
"""Rows of such a table that are made at a time."""
ROW_ID = (int, "the pair's place in the data, from 0")
SUBSET = (str, "the part of the data that it is from")
HASH = "the first 32 hex digits of SHA-256 of the {} text, by which who has it knows it again"


@dataclass(frozen=True, slots=True)
class Scores:
    """The table and what is told of it.

    `name` is what the table is called, and `each` says what a row is, as in "model and pair".
    `columns` tells the type of each and what it means. `by` says of each model or labeler what
    exactly it was. `pieces` gives the `rows` rows, some at a time, with these columns.
    """

    name: str
    each: str
    columns: Mapping[str, tuple[type, str]]
    rows: int
    by: tuple[str, ...]
    pieces: Callable[[], Iterator[pd.DataFrame]]


def write_scores(path: Path, scores: Scores) -> None:
    """Write the table as Parquet.

    Raises:
        OSError: the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, arrow_type(kind)) for name, (kind, _) in scores.columns.items()])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for piece in scores.pieces():
            writer.write_table(pa.Table.from_pandas(piece, schema=schema, preserve_index=False))
