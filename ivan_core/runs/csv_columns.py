"""Writing large tables as CSV column by column: the very bytes that `csv.writer` gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.runs.storage import replacing

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 65_536
"""Rows whose lines are in memory together."""
_QUOTED = '[",\r\n]'
_LEAST, _MOST = 1e-4, 1e9
"""Between these Arrow writes a number with decimals as Python does: in the fewest digits."""


def write_csv_columns(path: Path, columns: Mapping[str, Any], alone: bool = False) -> None:
    """Write columns of equal length as CSV in UTF-8, at once or not at all, and make its folder.

    Columns are of NumPy, Arrow or plain sequences, of numbers, booleans or texts; what is missing
    is empty. `alone` is as in `replacing`. The bytes are those of `storage.write_csv`.

    Raises:
        OSError: the folder cannot be written; what was there stays.
    """
    write_csv_batches(path, list(columns), [list(columns.values())], alone)


def write_csv_batches(
    path: Path, heads: Sequence[str], batches: Iterable[Sequence[Any]], alone: bool = False
) -> None:
    """The same of columns of which some rows come after the other.

    Raises:
        OSError: the folder cannot be written; what was there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, alone) as temporary, temporary.open("wb") as file:
        file.write(f"{','.join(heads)}\r\n".encode())
        for columns in batches:
            arrays = [_array(one) for one in columns]
            for start in range(0, len(arrays[0]), _AT_ONCE):
                file.write(_lines([one.slice(start, _AT_ONCE) for one in arrays]))


def _array(values: Any) -> pa.Array:
    """A column as Arrow has it; half a character, which no file can hold, becomes "?"."""
    import pyarrow as pa

    if isinstance(values, pa.Array):
        return values
    try:
        return pa.array(values)
    except UnicodeEncodeError:
        whole = [one and one.encode("utf-8", "replace").decode() for one in values]
        return pa.array(whole, pa.large_string())


def _lines(columns: Sequence[pa.Array]) -> pa.Buffer:
    """The lines of some rows."""
    import numpy as np

    lines = _joined(_joined(*map(_cells, columns), by=","), "\r\n", by="")
    ends = np.frombuffer(lines.buffers()[1], np.int64)[lines.offset :][: len(lines) + 1]
    return lines.buffers()[2][int(ends[0]) : int(ends[-1])]


def _cells(values: pa.Array) -> pa.Array:
    """What stands in the cells of a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        return _cells(values.dictionary).take(values.indices).fill_null("")
    if pa.types.is_boolean(values.type):
        cells = pc.if_else(values, "True", "False")
    elif pa.types.is_floating(values.type):
        cells = _decimals(values)
    elif pa.types.is_integer(values.type):
        cells = values.cast(pa.string())
    else:
        values = values.cast(pa.large_string())
        inside = _joined('"', pc.replace_substring(values, '"', '""'), '"', by="")
        cells = pc.if_else(pc.match_substring_regex(values, _QUOTED), inside, values)
    return cells.cast(pa.large_string()).fill_null("")


def _joined(*texts: pa.Array | str, by: str) -> pa.Array:
    """Texts beside each other as one, row by row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = (one if isinstance(one, pa.Array) else pa.scalar(one) for one in (*texts, by))
    return pc.binary_join_element_wise(*(one.cast(pa.large_string()) for one in whole))


def _decimals(values: pa.Array) -> pa.Array:
    """Numbers as Python writes them."""
    import numpy as np
    import pyarrow as pa

    numbers = values.to_numpy(zero_copy_only=False)
    size = np.abs(numbers)
    alike = (size >= _LEAST) & (size < _MOST) & (numbers != np.trunc(numbers))
    cells = values.cast(pa.string())
    if alike.all():
        return cells
    others = pa.array([repr(one) for one in numbers[~alike].tolist()], pa.string())
    at = np.where(alike, np.arange(len(alike)), len(alike) + np.cumsum(~alike) - 1)
    return pa.chunked_array([cells, others]).take(pa.array(at)).combine_chunks()
