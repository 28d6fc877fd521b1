"""Labels of texts in files: the table with what was mended and is wrong, and the original's CSV."""

from __future__ import annotations

import ast
import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, Label, Labels, TextKey
from ivan_core.labels.completions import whole_text
from ivan_core.labels.repair import Fix, Problem, cut
from ivan_core.labels.schema import Feature, feature, features
from ivan_core.labels.validate import Outcome
from ivan_core.runs.csv_columns import write_csv_batches
from ivan_core.runs.storage import replacing, storage_errors

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

_Value = TypeVar("_Value")
COLUMNS = (
    "row_id",
    "preference",
    "status",
    "attempt",
    *FEATURES,
    "problems",
    "fixes",
    "raw",
    "reused_from",
)
"""Labels are booleans, words and tuples; `problems` and `fixes` are tuples of Problem and Fix;
`raw` is the reply of a text whose labels are not valid as they came; `reused_from` is the run that
an answer was given to first, or None where it was asked for here."""
BOOLEANS = tuple(one.key for one in features() if one.kind == "boolean")
LISTS = tuple(one.key for one in features() if one.kind == "list")
_PROBLEM = ("key", "message", "found")
_FIX = ("key", "rule", "before", "after")


def labels_table(
    outcomes: Mapping[TextKey, Outcome],
    attempts: Mapping[TextKey, int] | None = None,
    missing: Iterable[TextKey] = (),
    reused: Mapping[TextKey, str] | None = None,
    why_missing: str = "",
) -> pd.DataFrame:
    """One row a text in row order, those named in `missing` included, with COLUMNS.

    A label that is not there is None, or NA among the booleans. `why_missing` is the problem of the
    missing texts, where one is known.
    """
    import pandas as pd

    known = attempts or {}
    keys = sorted({*outcomes, *missing}, key=attrgetter("row_id", "preference"))
    at, found = _distinct([outcomes.get(key) for key in keys])
    unknown = (Problem("", why_missing),) if why_missing else ()
    tried = [known.get(key, 1) if key in outcomes else None for key in keys]

    def each(values: list[Any]) -> pd.Series[Any]:
        """The objects of each text, given those of the distinct outcomes."""
        return pd.Series([values[place] for place in at.tolist()], dtype="object")

    columns: dict[str, Any] = {
        "row_id": pd.array([key.row_id for key in keys], dtype="int64"),
        "preference": _objects([key.preference for key in keys]),
        "status": each([one.status if one else "missing" for one in found]),
        "attempt": pd.array(tried, dtype="Int64"),
    }
    for name in FEATURES:
        labels = [one.labels.get(name) if one else None for one in found]
        columns[name] = label_column(name, labels)[at] if name in BOOLEANS else each(labels)
    columns["problems"] = each([one.problems if one else unknown for one in found])
    columns["fixes"] = each([one.fixes if one else () for one in found])
    raw = ["" if one is None or one.status == "valid" else one.raw for one in found]
    columns["raw"] = each(raw)
    columns["reused_from"] = _objects([(reused or {}).get(key) for key in keys])
    return pd.DataFrame(columns, columns=list(COLUMNS))


def _distinct(values: Sequence[_Value]) -> tuple[NDArray[np.intp], list[_Value]]:
    """Where each value stands among those that are not the same object as one before.

    Texts with the same answers, as very many have, may share one.
    """
    import numpy as np
    import pandas as pd

    codes, _ = pd.factorize(np.fromiter(map(id, values), np.int64, len(values)))
    firsts = np.unique(codes, return_index=True)[1]
    return codes, [values[place] for place in firsts]


def label_column(name: str, values: Sequence[Any]) -> Any:
    """The labels of one feature as a column: nullable booleans, or words and tuples as objects."""
    import pandas as pd

    return pd.array(values, dtype="boolean") if name in BOOLEANS else _objects(values)


def write_labels(path: Path, table: pd.DataFrame) -> None:
    """Write a labels table as Parquet, at once or not at all.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    import pyarrow.parquet as pq

    packed = _arrow(table)
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            pq.write_table(packed, temporary)


def packed_labels(table: pd.DataFrame) -> bytes:
    """The Parquet file of a labels table, in memory."""
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(_arrow(table), file)
    return file.getvalue()


def _arrow(table: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    schema = _schema()
    arrays = [_packed(table[one.name], one.type) for one in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _packed(column: pd.Series, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if column.dtype != object:
        return pa.array(column.array, type=kind, from_pandas=True)
    at, found = _distinct(column.tolist())
    return pa.array([_plain(str(column.name), one) for one in found], type=kind).take(pa.array(at))


def read_labels(path: Path) -> pd.DataFrame:
    """A labels table as it was written.

    Raises:
        BadInput: there is no such file, or it is no labels table.
    """
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Check the path.")
    return _read(path, path.name)


def unpacked_labels(data: bytes, name: str) -> pd.DataFrame:
    """A labels table from its Parquet file in memory. Raises BadInput where it is none."""
    return _read(io.BytesIO(data), name)


def _read(source: Path | IO[bytes], name: str) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        stored = pq.read_table(source, schema=_schema())
    except (pa.ArrowException, OSError, KeyError) as error:
        raise BadInput(f"{name} is no labels table.", "Pick another file.") from error
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        column = stored.column(name)
        if name == "row_id":
            columns[name] = column.to_numpy()
        elif name == "attempt":
            columns[name] = column.to_pandas(types_mapper=lambda _: pd.Int64Dtype()).array
        elif name in BOOLEANS:
            columns[name] = column.to_pandas(types_mapper=lambda _: pd.BooleanDtype()).array
        elif name == "problems":
            columns[name] = _of_lists(column, lambda row: tuple(Problem(**one) for one in row))
        elif name == "fixes":
            columns[name] = _of_lists(column, lambda row: tuple(Fix(**one) for one in row))
        elif name in LISTS:
            columns[name] = _of_lists(column, tuple, optional=True)
        else:
            columns[name] = _of_words(column)
    return pd.DataFrame(columns, columns=list(COLUMNS))


def _of_lists(
    column: pa.ChunkedArray, make: Callable[[Any], tuple[Any, ...]], *, optional: bool = False
) -> Any:
    """What is made of each list of a column; None where there is none and it is `optional`.

    Most are empty, and only the others are unpacked.
    """
    import numpy as np
    import pyarrow.compute as pc

    found = np.empty(len(column), dtype=object)
    found.fill(make(()))
    lengths = pc.list_value_length(column)
    if optional:
        found[np.asarray(lengths.is_null())] = None
    full = np.asarray(pc.greater(lengths, 0).fill_null(False))
    for place, row in zip(np.flatnonzero(full), column.filter(full).to_pylist(), strict=True):
        found[place] = make(row)
    return _objects(found)


def _of_words(column: pa.ChunkedArray) -> Any:
    """A column of few different texts, each of which is one object however often it stands."""
    import numpy as np

    codes = column.combine_chunks().dictionary_encode()
    words = np.array([*codes.dictionary.to_pylist(), None], dtype=object)
    return _objects(words[codes.indices.fill_null(len(words) - 1).to_numpy()])


def _objects(values: Sequence[Any] | NDArray[np.object_]) -> Any:
    import pandas as pd

    return pd.Series(values, dtype="object")


def _schema() -> pa.Schema:
    import pyarrow as pa

    def records(names: Sequence[str]) -> pa.DataType:
        return pa.list_(pa.struct([(name, pa.string()) for name in names]))

    kinds = dict.fromkeys(COLUMNS, pa.string())
    kinds |= {"row_id": pa.int64(), "attempt": pa.int64()}
    kinds |= {"problems": records(_PROBLEM), "fixes": records(_FIX)}
    kinds |= dict.fromkeys(BOOLEANS, pa.bool_()) | dict.fromkeys(LISTS, pa.list_(pa.string()))
    return pa.schema([(name, kinds[name]) for name in COLUMNS])


def _plain(name: str, value: Any) -> Any:
    """A cell of a column of objects as Arrow has it."""
    import pandas as pd

    if name == "problems":
        return _records(value, _PROBLEM)
    if name == "fixes":
        return _records(value, _FIX)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, str):
        return whole_text(value)
    return None if value is pd.NA else value


def _records(row: Iterable[Any], names: Sequence[str]) -> list[dict[str, str]]:
    return [{name: whole_text(getattr(one, name)) for name in names} for one in row]


CSV_COLUMNS = ("row_id", "preference", "text", *FEATURES)
_YES, _NO, _NOTHING = ("true", "1", "1.0"), ("false", "0", "0.0"), ("", "none", "nan")
_STRING = r"""(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
# A flat list of strings and nothing else: what follows cannot nest, compute or exhaust anything.
_LIST = re.compile(rf"\[\s*(?:{_STRING}\s*(?:,\s*{_STRING}\s*)*(?:,\s*)?)?\]")
_LONGEST_LIST = 20_000
_AT_ONCE = 20_000
"""Texts that are written together."""


def write_labels_csv(
    path: Path, rows: Iterable[tuple[TextKey, Labels]], text_of: Callable[[TextKey], str]
) -> None:
    """Write labels as the original does.

    Lists are Python's way of writing them, booleans True and False, and a missing label is empty;
    the text stands verbatim, with its line breaks.

    Raises:
        StorageProblem: the folder cannot be written; what was there stays.
    """
    with storage_errors(path.parent):
        write_csv_batches(path, CSV_COLUMNS, _columns_of(iter(rows), text_of))


def _columns_of(
    rows: Iterator[tuple[TextKey, Labels]], text_of: Callable[[TextKey], str]
) -> Iterator[list[Any]]:
    """The columns of some texts after the other, so that few texts are in memory together."""
    import pyarrow as pa

    while some := list(islice(rows, _AT_ONCE)):
        at, found = _distinct([labels for _, labels in some])
        places = pa.array(at.astype("int32"))
        labels = [[_cell(one.get(name)) for one in found] for name in FEATURES]
        yield [
            [key.row_id for key, _ in some],
            [key.preference for key, _ in some],
            [text_of(key) for key, _ in some],
            *(pa.DictionaryArray.from_arrays(places, pa.array(cells)) for cells in labels),
        ]


def _cell(label: Label) -> str | None:
    if isinstance(label, tuple):
        return repr(list(label))
    return None if label is None else str(label)


def read_cell(key: str, cell: str) -> tuple[Label, Problem | None]:
    """The label that a cell of a column holds, and what is wrong with it.

    A value outside a closed list is kept and named; one that is not of its kind is None and named.
    """
    if len(cell) > _LONGEST_LIST:  # no answer is as long; a cell may have millions of characters
        what = "Not a list." if feature(key).kind == "list" else "Longer than any answer."
        return None, Problem(key, what, cut(cell))
    return _label_in(key, cell)


@lru_cache(maxsize=2_000)
def _label_in(key: str, cell: str) -> tuple[Label, Problem | None]:
    asked, text = feature(key), cell.strip()
    if text.lower() in _NOTHING:
        return None, None
    if asked.kind == "boolean":
        if text.lower() in _YES + _NO:
            return text.lower() in _YES, None
        return None, Problem(asked.key, "Neither True nor False.", cut(text))
    if asked.kind == "word":
        return text, _invented(asked, (text,))
    words = _words(text)
    if words is None:
        return None, Problem(asked.key, "Not a list.", cut(text))
    return words, _invented(asked, words)


def _invented(asked: Feature, words: tuple[str, ...]) -> Problem | None:
    strange = [word for word in words if word not in asked.values]
    if not strange:
        return None
    return Problem(asked.key, "Not among the allowed values.", cut(", ".join(strange)))


def _words(text: str) -> tuple[str, ...] | None:
    """The words of a list as Python writes it; a bare word is a list of one."""
    if not text.startswith(("[", "(", "{")):
        return (text,)
    if not _LIST.fullmatch(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            words = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return tuple(whole_text(word) for word in words)
