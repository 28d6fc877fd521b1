"""Lines of a source: rows, and what is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not a pair, by its number in the file (the first is 1), and why.

    In a list and in a table of Parquet a row is numbered by its place.
    """

    line: int
    reason: str


class Cells(dict[str, Any]):
    """A row of a table that holds texts alone: a list or an object stands in a cell as JSON."""


Line = tuple[int, dict[str, Any]] | BadLine
"""A row with its line number in the file, or a line that is no row."""
