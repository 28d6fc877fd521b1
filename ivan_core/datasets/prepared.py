"""A prepared dataset, read back by row id.

Numbers and hashes lie in one table, texts in another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.pairs import SIDES, Pair, why_unrated
from ivan_core.domain.transcripts import Dialogue, text_hash

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

NUMBERS = "pairs.parquet"
TEXTS = "texts.arrow"
"""Arrow's file format, uncompressed: rows in random order are read by mapping the file into memory,
where compressed groups would be unpacked whole for every row."""
BATCH_ROWS = 1_000
"""Rows in a record batch of the texts, also in folders that are older: a row is found by it."""
_DIGITS = 32
"""Of the hash of a text."""
BASE_COLUMNS = (
    "row_id",
    "subset",
    "chosen_hash",
    "rejected_hash",
    "chosen_length",
    "rejected_length",
    "identical",
    "empty_reply",
    "ends_in_human",
    "prompts_differ",
    "equal_scores",
    "duplicate_of",
    "first_turn",
)
"""Columns of the numbers table; what else a source holds follows them."""


HASHES = ("chosen_hash", "rejected_hash")
"""Those of them that hold the hashes of the texts."""


def pair_hash(chosen_hash: str, rejected_hash: str) -> str:
    """The identity of a pair in a model card's list of training pairs, 16 hex digits."""
    return sha256(f"{chosen_hash}{rejected_hash}".encode()).hexdigest()[:16]


Place = tuple[int, int]
"""Where a text stands: its row, and 0 for the chosen side, 1 for the rejected."""


class HashedRow(NamedTuple):
    """A pair by the hashes of its texts; `unrated` as a `Pair` has it."""

    row_id: int
    chosen: str
    rejected: str
    unrated: str


@dataclass(frozen=True)
class PreparedDataset:
    """One folder under `data/datasets/`, named by the fingerprint of its contents."""

    folder: Path

    @cached_property
    def _paths(self) -> tuple[Path, Path, Path]:
        """Its files, made once: single pairs are asked for by the hundred thousand."""
        return self.folder / "dataset.json", self.folder / NUMBERS, self.folder / TEXTS

    @property
    def fingerprint(self) -> str:
        return self.folder.name

    @property
    def about(self) -> dict[str, Any]:
        """The card: source, revision, rows, who chose, the sanity report, the bad lines."""
        return _read_json(self._paths[0])

    @property
    def rows(self) -> int:
        return int(self.about["rows"])

    @property
    def chosen_by(self) -> str:
        """What was chosen, in words: "people's choice", "authored choice" or "recorded choice"."""
        return str(self.about["chosen_by"])

    @property
    def chooser(self) -> str:
        """Who chose, to begin a sentence with."""
        names = {"people's choice": "People", "authored choice": "The author"}
        return names.get(self.chosen_by, "The data")

    def numbers(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The numbers table, one row a pair in the order of row ids, without texts.

        Raises:
            StorageProblem: the folder is damaged.
        """
        import pandas as pd

        path = self._paths[1]
        with _whole(path):
            return pd.read_parquet(path, columns=list(columns) if columns else None)

    def some_numbers(self, columns: Sequence[str], row_ids: Sequence[int]) -> pd.DataFrame:
        """Columns of the numbers table, of rows whose ids ascend; few others are read at a time.

        Raises:
            StorageProblem: the folder is damaged.
        """
        path = self._paths[1]
        with _whole(path):
            return _some_rows(path, columns, row_ids)

    def row(self, row_id: int) -> dict[str, Any]:
        """One row of the numbers table, by its columns; no more is read than the rows about it.

        Raises:
            BadInput: no row has that id.
            StorageProblem: the folder is damaged.
        """
        self.check_row_ids([row_id])
        return dict(_row(self._paths[1], row_id))

    @property
    def tied_rows(self) -> frozenset[int]:
        """The rows in which the data prefers neither reply."""
        return _tied(self._paths[1])

    @property
    def identical_rows(self) -> set[int]:
        """The rows whose sides are the same text."""
        numbers = self.numbers(["row_id", "identical"])
        return {int(row_id) for row_id in numbers.loc[numbers["identical"].astype(bool), "row_id"]}

    @property
    def prompt_groups(self) -> NDArray[np.int64]:
        """A number for each row, the same for rows with the same first Human turn."""
        return _prompt_groups(self._paths[1])

    @property
    def own_columns(self) -> Mapping[str, type]:
        """The columns that the source brings along, with what their values are.

        Raises:
            StorageProblem: the folder is damaged.
        """
        return _own_columns(self._paths[1])

    def own_values(self, row_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
        """What the source says of rows beside their texts, in the order asked for.

        None where it says nothing, or what is no number. These columns are in memory meanwhile.

        Raises:
            StorageProblem: the folder is damaged.
        """
        import pyarrow.parquet as pq

        names = list(self.own_columns)
        with _whole(self._paths[1]):
            table = pq.read_table(self._paths[1], columns=names)
        for start in range(0, len(row_ids), BATCH_ROWS):
            some = row_ids[start : start + BATCH_ROWS]
            if not names:
                yield from ({} for _ in some)
                continue
            for row in table.take(list(some)).to_pylist():
                yield {name: _if_finite(value) for name, value in row.items()}

    def pair(self, row_id: int) -> Pair:
        """One pair with its texts.

        Raises:
            BadInput: no row has that id.
        """
        return _pair(self, row_id)

    def pairs(self, row_ids: Sequence[int]) -> Iterator[Pair]:
        """Pairs with their texts, in the order asked for; only what is asked for is read.

        Raises:
            BadInput: a row id is outside the dataset.
            StorageProblem: the folder is damaged.
        """
        self.check_row_ids(row_ids)
        texts = _texts(self._paths[2])
        (codes, subsets), tied = _subsets(self._paths[1]), self.tied_rows
        for row_id in row_ids:
            chosen, rejected = (Dialogue(texts.of(row_id, side)) for side in (0, 1))
            yield Pair(row_id, chosen, rejected, subsets[codes[row_id]], row_id in tied)

    def hashed_rows(self, row_ids: Sequence[int]) -> list[HashedRow]:
        """What a run that scores pairs has to know of rows before it reads their texts.

        The hashes of all rows are held in memory meanwhile and after, 32 bytes a pair.

        Raises:
            BadInput: a row id is outside the dataset.
            StorageProblem: the folder is damaged.
        """
        import numpy as np

        self.check_row_ids(row_ids)
        tied, rows = self.tied_rows, np.asarray(row_ids, np.int64)
        chosen, rejected = (_digits(side[rows]) for side in _hashes(self._paths[1]))
        return [
            HashedRow(row_id, one, other, why_unrated(one == other, row_id in tied))
            for row_id, one, other in zip(row_ids, chosen, rejected, strict=True)
        ]

    def hashed_texts(self, places: Mapping[str, Place], wanted: Iterable[str]) -> list[Dialogue]:
        """The texts of these hashes, by the places where each stands."""
        texts = _texts(self._paths[2])
        return [Dialogue.hashed(texts.of(*places[one]), one) for one in wanted]

    def check_row_ids(self, row_ids: Sequence[int]) -> None:
        """Refuse ids that are not rows, and name them.

        Raises:
            BadInput: some ids are outside 0 .. rows - 1.
        """
        rows = self.rows
        unknown = [row_id for row_id in row_ids if not 0 <= row_id < rows]
        if unknown:
            named = ", ".join(str(row_id) for row_id in unknown[:10])
            more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
            raise BadInput(
                f"No such pair in this dataset: {named}{more}.",
                f"Its pairs are numbered from 0 to {rows - 1}.",
            )


def _some_rows(path: Path, columns: Sequence[str], row_ids: Sequence[int]) -> pd.DataFrame:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted, begins, found = np.asarray(row_ids, dtype=np.int64), 0, []
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=list(columns)):
            places = np.searchsorted(wanted, [begins, begins + len(batch)])
            found.append(batch.take(pa.array(wanted[slice(*places)] - begins)))
            begins += len(batch)
        empty = file.schema_arrow.empty_table().select(columns)
    numbers = pa.Table.from_batches(found, empty.schema).to_pandas()
    pa.default_memory_pool().release_unused()  # which Arrow would keep
    return numbers


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Say that a file of a prepared dataset is gone, cut or garbled."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise StorageProblem(
            f"{path.name} of the prepared dataset {path.parent.name} cannot be read.",
            f"Remove the folder {path.parent} and run the comparison again: the data is read anew.",
        ) from error


@lru_cache(maxsize=64)
def _row(path: Path, row_id: int) -> dict[str, Any]:
    import pyarrow.parquet as pq

    with _whole(path), pq.ParquetFile(path) as file:
        begins = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row_id < begins + rows:
                break
            begins += rows
        table = file.read_row_group(group).slice(row_id - begins, 1)
    found: dict[str, Any] = table.to_pandas().iloc[0].to_dict()
    return found


@lru_cache(maxsize=2)
def _pair(dataset: PreparedDataset, row_id: int) -> Pair:
    """The pairs read last: every part of a page that tells of one shares its turns."""
    return next(iter(dataset.pairs([row_id])))


@lru_cache(maxsize=16)
def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


class _Texts:
    """Both columns of texts, mapped into memory: nothing is read before it is looked at.

    Arrow's own values are objects, which take longer to make than a text to read.
    """

    def __init__(self, table: pa.Table) -> None:
        self._batches = []
        for batch in table.to_batches():
            sides = []
            for side in SIDES:
                _, ends, texts = batch.column(side).buffers()
                sides.append((memoryview(ends).cast("i"), memoryview(texts or b"")))
            self._batches.append(sides)

    def of(self, row_id: int, side: int) -> str:
        """The text of a row's side."""
        batch, at = divmod(row_id, BATCH_ROWS)
        ends, texts = self._batches[batch][side]
        return str(texts[ends[at] : ends[at + 1]], "utf-8")


@lru_cache(maxsize=16)
def _texts(path: Path) -> _Texts:
    import pyarrow as pa

    with _whole(path):
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return _Texts(table)


@lru_cache(maxsize=16)
def _subsets(path: Path) -> tuple[memoryview, list[str]]:
    """Of each row the place of its subset among all, and their names."""
    import pyarrow.parquet as pq

    with _whole(path):
        column = pq.read_table(path, columns=["subset"]).column("subset")
    coded = column.dictionary_encode().combine_chunks()
    return memoryview(coded.indices.to_numpy()), coded.dictionary.to_pylist()


@lru_cache(maxsize=1)
def _hashes(path: Path) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """The hashes of all texts, as bytes: those of the chosen, and of the rejected."""
    import numpy as np
    import pyarrow.parquet as pq

    with _whole(path):
        table = pq.read_table(path, columns=list(HASHES))
        chosen, rejected = (
            np.frombuffer(_bytes_of(side.combine_chunks()), f"V{_DIGITS // 2}")
            for side in table.columns
        )
    return chosen, rejected


def _bytes_of(hashes: pa.Array) -> bytes:
    """What hashes say, one after the other: taken whole, in a tenth of the time."""
    _, ends, digits = hashes.buffers()
    places = memoryview(ends).cast("i")[hashes.offset : hashes.offset + len(hashes) + 1]
    return bytes.fromhex(str(memoryview(digits)[places[0] : places[-1]], "ascii"))


def _digits(hashes: NDArray[np.void]) -> list[str]:
    """Hashes as they are told, from their bytes."""
    joined = hashes.tobytes().hex()
    return [joined[at : at + _DIGITS] for at in range(0, len(joined), _DIGITS)]


def beginnings(hashes: pa.ChunkedArray) -> NDArray[np.uint64]:
    """The first 64 bits of each of some hashes of one length: enough to tell texts apart by."""
    import numpy as np

    # Piece by piece: the digits of all would take eight times the memory.
    pieces = (piece for piece in hashes.chunks if len(piece))
    found = ((len(piece), np.frombuffer(_bytes_of(piece), dtype=">u8")) for piece in pieces)
    parts = [words[:: len(words) // rows].astype(np.uint64) for rows, words in found]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


@lru_cache(maxsize=16)
def _own_columns(path: Path) -> Mapping[str, type]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def kind(values: pa.DataType) -> type:
        if pa.types.is_boolean(values):
            return bool
        if pa.types.is_integer(values):
            return int
        return float if pa.types.is_floating(values) else str

    with _whole(path):
        schema = pq.read_schema(path)
    return {one.name: kind(one.type) for one in schema if one.name not in BASE_COLUMNS}


def _if_finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


@lru_cache(maxsize=16)
def _tied(path: Path) -> frozenset[int]:
    """The rows whose replies have the same score; folders of an older reading know of none."""
    import pyarrow.parquet as pq

    with _whole(path):
        if "equal_scores" not in pq.read_schema(path).names:
            return frozenset()
        equal = pq.read_table(path, columns=["equal_scores"]).column("equal_scores").to_pylist()
    return frozenset(row_id for row_id, one in enumerate(equal) if one)


@lru_cache(maxsize=4)
def _prompt_groups(path: Path) -> NDArray[np.int64]:
    import numpy as np
    import pandas as pd
    import pyarrow.parquet as pq

    with _whole(path):
        turns = pq.read_table(path, columns=["first_turn"]).column("first_turn")
        hashes = beginnings(turns)
    codes = np.asarray(pd.factorize(hashes)[0], dtype=np.int64)
    # Pairs without a Human turn share nothing: each is a group of its own.
    none = np.flatnonzero(hashes == int(text_hash("")[:16], 16))
    codes[none] = len(codes) + np.arange(len(none))
    return codes
