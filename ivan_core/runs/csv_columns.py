"""Writing large tables as CSV column by column: the very bytes that `csv.writer` gives."""

from __future__ import annotations

from collections.abc import Mapping
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

    Columns are arrays of numbers, booleans or texts, of NumPy or Arrow; what is missing is empty.
    `alone` is as in `replacing`. The bytes are those of `storage.write_csv`.

    Raises:
        OSError: the folder cannot be written; what was there stays.
    """
    import numpy as np
    import pyarrow as pa

    arrays = [one if isinstance(one, pa.Array) else pa.array(one) for one in columns.values()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, alone) as temporary, temporary.open("wb") as file:
        file.write(f"{','.join(columns)}\r\n".encode())
        for start in range(0, len(arrays[0]), _AT_ONCE):
            cells = [_cells(one.slice(start, _AT_ONCE)) for one in arrays]
            lines = _joined(_joined(*cells, by=","), "\r\n", by="")
            ends = np.frombuffer(lines.buffers()[1], np.int64)[lines.offset :][: len(lines) + 1]
            file.write(lines.buffers()[2][int(ends[0]) : int(ends[-1])])


def _cells(values: pa.Array) -> pa.Array:
    """What stands in the cells of a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

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
