"""What no honest file has: limits that are checked before memory goes."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ivan_core.domain.errors import BadInput

if TYPE_CHECKING:
    import pyarrow.parquet as pq

LONGEST_LINE = 2**24
"""Characters in a line, and in a text of a row."""
MOST_ROWS = 2_000_000
"""Rows of a dataset: the numbers of all of them are held in memory while it is prepared."""
_SMALL = 2**25
"""Bytes that any file may unpack to."""
_MOST_RATIO = 200
"""Beyond that, how many times its size a file may unpack to; text comes to 3 to 10 times."""
TOO_LONG = f"longer than {LONGEST_LINE // 2**20} MiB"


def check_regular(path: Path) -> None:
    """Refuse what can be opened but is no file: reading a pipe or a device need never end.

    Raises:
        BadInput: it is one of them.
        OSError: it is not there, or may not be looked at.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
        raise BadInput(f"{path} is {kind}, not a file.", "Write its content to a file first.")


class Unpacked:
    """Counts what comes out of a packed file, and stops what unpacks without end."""

    def __init__(self, path: Path) -> None:
        self._name, self._packed, self._bytes = path.name, path.stat().st_size, 0

    def add(self, count: int) -> None:
        """Note that so many more bytes or characters came out.

        Raises:
            BadInput: it is absurdly much for the size of the file.
        """
        self._bytes += count
        if self._bytes > _SMALL and self._bytes > _MOST_RATIO * self._packed:
            raise unpacks_to(self._name, self._packed)


def unpacks_to(name: str, packed: int) -> BadInput:
    """The error for a file that would fill the memory or the disk."""
    return BadInput(
        f"{name} unpacks to more than {_MOST_RATIO} times its {packed:,} bytes.",
        "No texts are packed as tightly, so it was not read on. If they are yours, unpack the file "
        "and give that.",
    )


def too_many_rows(name: str) -> BadInput:
    """The error for more rows than are read."""
    return BadInput(
        f"{name} has more than {MOST_ROWS:,} rows.", "Cut it: a sample of the rows tells as much."
    )


def check_parquet(name: str, file: pq.ParquetFile, packed: int, most_rows: int) -> None:
    """Refuse by what a Parquet file says of itself, before a page of it is unpacked.

    Raises:
        BadInput: its rows or its size are absurd.
    """
    about = file.metadata
    if about.num_rows > most_rows:
        raise too_many_rows(name) if most_rows == MOST_ROWS else unpacks_to(name, packed)
    groups = [about.row_group(i) for i in range(about.num_row_groups)]
    columns = [group.column(i) for group in groups for i in range(group.num_columns)]
    unpacked = sum(column.total_uncompressed_size for column in columns)
    if unpacked > _SMALL and unpacked > _MOST_RATIO * packed:
        raise unpacks_to(name, packed)
