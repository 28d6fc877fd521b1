"""The numbers behind a chart as a table of a page: what holds nothing is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ivan_core.figures.files import named
from ivan_core.figures.html.frame import paragraph, table
from ivan_core.metrics.intervals import number_text

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 1_000
_SMALLEST = 0.001
"""Of the p-values that are printed."""


def numbers_table(data: pd.DataFrame, names: Mapping[str, str]) -> str:
    """The columns that hold anything, by their names; `names` are those of files by their paths."""
    shown = [one for one in data.columns if holds(data[one])]
    columns = {str(one).replace("_", " "): data[one].dtype.kind in "if" for one in shown}
    rows = data[shown].head(_MOST_ROWS).to_dict("records")
    found = table(columns, ([cell(row[one], str(one), names) for one in shown] for row in rows))
    if len(data) <= _MOST_ROWS:
        return found
    return f"{paragraph(f'The first {_MOST_ROWS:,} of {len(data):,} rows.', 'small')}{found}"


def holds(column: pd.Series) -> bool:
    """Whether anything but empty cells stands in a column."""
    return bool((column.notna() & column.ne("")).any())


def cell(value: Any, column: str, names: Mapping[str, str]) -> str:
    """One value as it is printed; a number that is none is empty."""
    if isinstance(value, float):
        if value != value:
            return ""
        if (column == "p" or column.startswith("p_")) and value < _SMALLEST:
            return f"< {_SMALLEST:g}"
        return number_text(value, 3)
    return f"{value:,}" if isinstance(value, int) else str(named(str(value), names))
