"""Cells of large CSV files, many at once: those of a plain form, as almost all are.

What is of another form is left to its line, which knows every form and says what is wrong with it
(`files.Line`): `plain` tells which cells were read here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ivan_core.engine.csvs.files import FALSE, TRUE, header_of

Cells = Any
"""A column of texts, as pyarrow keeps them."""
_LONGEST = 12
_WHOLE = r"^[0-9]{1,12}(\.0)?$"
_DECIMAL = r"^-?[0-9]{1,20}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,2})?$"


@dataclass(frozen=True, slots=True)
class Column:
    """The values of a column, and which of them are plain; the others mean nothing."""

    values: NDArray[Any]
    plain: NDArray[np.bool_]


def cells_of(path: Path) -> dict[str, Cells] | None:
    """The columns of a CSV file by their names; None if it has to be read line by line.

    That is so where a cell is quoted, and where the file is no whole CSV file in UTF-8. Raises
    BadInput as `header_of`.
    """
    import pyarrow as pa
    from pyarrow import csv

    header = header_of(path)
    content = path.read_bytes()
    if b'"' in content or len(set(header)) < len(header):
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(content),
            csv.ReadOptions(column_names=header, skip_rows=1),
            csv.ParseOptions(quote_char=False),
            csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    return {name: table.column(name) for name in header}


def whole_numbers(cells: Cells) -> Column:
    """Whole numbers from 0, as int64."""
    import pyarrow.compute as pc

    digits = pc.and_(pc.ascii_is_decimal(cells), pc.less_equal(pc.binary_length(cells), _LONGEST))
    if pc.all(digits).as_py():  # as in almost every file: no pattern is tried on each cell
        return Column(np.asarray(pc.cast(cells, "int64")), np.ones(len(cells), np.bool_))
    plain = pc.match_substring_regex(cells, _WHOLE)
    digits = pc.replace_substring_regex(cells, r"\.0$", "")
    return Column(_cast(digits, plain, "int64"), _flags(plain))


def decimals(cells: Cells) -> Column:
    """Decimal numbers, as float64."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with suppress(pa.ArrowInvalid):  # where a cell is no number the plain ones are told by pattern
        values = np.asarray(pc.cast(cells, "float64"))
        return Column(values, np.isfinite(values))
    plain = pc.match_substring_regex(cells, _DECIMAL)
    return Column(_cast(cells, plain, "float64"), _flags(plain))


def yes_or_no(cells: Cells) -> Column:
    """Cells of True or False."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = pa.chunked_array(cells).combine_chunks().dictionary_encode()
    words = pc.utf8_lower(coded.dictionary)
    yes, no = (_flags(pc.is_in(words, value_set=pa.array(one))) for one in (TRUE, FALSE))
    places = np.asarray(coded.indices)
    return Column(yes[places], (yes | no)[places])


def _cast(cells: Cells, plain: Cells, kind: str) -> NDArray[Any]:
    import pyarrow.compute as pc

    return np.asarray(pc.cast(pc.if_else(plain, cells, "0"), kind))


def _flags(cells: Cells) -> NDArray[np.bool_]:
    return np.asarray(cells).astype(np.bool_)
