"""Rows of a Parquet file, unpacked piece by piece: one value may stand for millions of rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.datasets.limits import (
    LONGEST_LINE,
    MOST_ROWS,
    TOO_LONG,
    Unpacked,
    check_parquet,
    unpacks_to,
)
from ivan_core.domain.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_AT_ONCE = 1_000
_EASY = LONGEST_LINE
"""Bytes of texts that are made at once; batches that come to more are made row by row."""
MOST_TABLE = 2**28
"""Bytes of a table that is read as a whole."""
_OF_AN_ENTRY = 64
"""Bytes that an entry of a list takes at the least, whatever it holds."""
NOT_UTF8 = "not UTF-8 text"


def columns_of(path: Path) -> list[str]:
    """The names of the columns, in order.

    Raises:
        BadInput: it is no whole Parquet file.
    """
    with _opened(path) as file:
        return list(file.schema_arrow.names)


def rows_of(path: Path) -> Iterator[dict[str, Any] | str]:
    """The rows as mappings; where one cannot be read, why.

    Raises:
        BadInput: it is no whole Parquet file, or one that unpacks without end.
    """
    import pyarrow as pa

    unpacked = Unpacked(path)
    with _opened(path) as file:
        check_parquet(path.name, file, path.stat().st_size, MOST_ROWS)
        texts = _texts(file)
    try:
        with _opened(path, texts) as file:
            for batch in file.iter_batches(_AT_ONCE):
                size = _size(batch)
                unpacked.add(size)
                yield from _easy(batch) if size <= _EASY else _one_by_one(batch)
    except (pa.ArrowException, OSError) as error:
        raise _not_whole(path) from error


def small_table(name: str, data: bytes, columns: list[str], most_rows: int) -> pa.Table:
    """Some columns of a Parquet file in memory, if it says of itself that it is no larger.

    Raises:
        BadInput: it has more rows, or its texts would unpack to too much.
        OSError, ValueError, KeyError: it is no whole Parquet file, or a column is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(pa.BufferReader(data)) as file:
        check_parquet(name, file, len(data), most_rows)
        texts = _texts(file)
    with pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts) as file:
        table = file.read(columns)
    if sum(_size(batch) for batch in table.to_batches()) > MOST_TABLE:
        raise unpacks_to(name, len(data))
    return table


def _texts(file: pq.ParquetFile) -> list[str]:
    """The columns of texts, by their paths: read as they are packed, each value once."""
    columns = map(file.schema.column, range(len(file.schema)))
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def _easy(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | str]:
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        yield from _one_by_one(batch)


def _one_by_one(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | str]:
    for at in range(batch.num_rows):
        row = batch.slice(at, 1)
        if _size(row) > LONGEST_LINE:
            yield TOO_LONG
            continue
        try:
            yield row.to_pylist()[0]
        except UnicodeDecodeError:
            yield NOT_UTF8


def _size(batch: pa.RecordBatch) -> int:
    """The bytes that the texts of some rows come to, at the most."""
    return sum(_size_of(column) for column in batch.columns)


def _size_of(array: pa.Array) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(array, pa.DictionaryArray):
        widths = pc.binary_length(array.dictionary)
        used = pc.sum(pc.take(widths, array.indices)).as_py()
        return int(used or 0)
    if isinstance(array, pa.StructArray):
        return sum(_size_of(field) for field in array.flatten())
    if isinstance(array, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        flat = array.flatten()
        return _size_of(flat) + _OF_AN_ENTRY * len(flat)
    return int(array.nbytes)


def _opened(path: Path, as_dictionary: list[str] | None = None) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, read_dictionary=as_dictionary)
    except (pa.ArrowException, OSError) as error:
        raise _not_whole(path) from error


def _not_whole(path: Path) -> BadInput:
    return BadInput(f"{path.name} is not a whole Parquet file.", "Write it again.")
