"""The numbers of the pairs of a dataset, collected while its rows are read, and what is odd."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from ivan_core.datasets.layouts.shape import number_in
from ivan_core.datasets.layouts.sides import SCORES
from ivan_core.datasets.prepared import BASE_COLUMNS, HASHES, beginnings
from ivan_core.domain.pairs import SIDES, Pair
from ivan_core.domain.transcripts import outlines, text_hash

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST_PIECE = 2**31
"""Bytes."""
_SORTED = json.JSONEncoder(sort_keys=True, separators=("\n", ": "))
"""No line end is in a text of JSON: what it writes is cut where values end."""
_Labels: TypeAlias = "dict[str, Any]"
_Piece: TypeAlias = "pa.Array | list[Any]"
"""Some rows of a column: as Arrow has them where that tells all, else as they came."""


class Numbers:
    """Collects the numbers of pairs as columns: a mapping a pair would take ten times as much."""

    def __init__(self) -> None:
        self.rows = 0
        self._batch: list[tuple[Any, ...]] = []
        self._batch_labels: list[_Labels] = []
        self._own: dict[str, list[pa.Array]] = {name: [] for name in _OWN}
        self._labels: dict[str, list[_Piece]] = {}
        self._no_assistant_turn = self._without_prompt = self._reversed = 0

    def add(self, pair: Pair, labels: _Labels) -> None:
        """Take a pair with the values of the source's own columns."""
        # At once, and not a batch at a time: its texts have just been read, and are near.
        self._batch.append(self._numbers(pair))
        self._batch_labels.append(labels)
        self._reversed += SCORES[0] in labels and _is_reversed(labels)
        self.rows += 1

    def end_batch(self) -> bytes:
        """Make columns of the pairs since the last batch, of which there is one at least.

        Returns what the hash of the contents has of them: all that is kept of a pair.
        """
        import pyarrow as pa

        own = list(zip(*self._batch, strict=True))
        labels, before = self._batch_labels, self.rows - len(self._batch)
        self._batch, self._batch_labels = [], []
        for name, values in zip(_OWN, own, strict=True):
            self._own[name].append(pa.array(values))
        for name in dict.fromkeys(name for one in labels for name in one):
            # The rows before the first that has the label have none.
            self._labels.setdefault(name, [pa.nulls(before)])
        for name, pieces in self._labels.items():
            pieces.append(_piece([one.get(name) for one in labels]))
        hashed = (own[_OWN.index(name)] for name in _HASHED)
        return "".join(map(_line, *hashed, _told(labels))).encode()

    def table(self, left_out: set[str]) -> pa.Table:
        """The numbers as columns, the source's own after ours but for those that are left out.

        Nothing is left here but the counts.
        """
        import pyarrow as pa

        again = _first_of_same(*(pa.chunked_array(self._own[name]) for name in HASHES))
        found = {"row_id": pa.array(range(self.rows)), "duplicate_of": again}
        # Column by column, each taken from what was collected: two copies of all would be there.
        found |= {name: _joined(self._own.pop(name)) for name in _OWN}
        columns = {name: found[name] for name in BASE_COLUMNS}
        for name in list(self._labels):
            pieces = self._labels.pop(name)
            if name not in left_out:
                columns[name] = _whole(pieces)
        return pa.table(columns)

    def report(self, table: pa.Table) -> dict[str, Any]:
        """Counts, mean reply length by side in characters, and how often the longer was chosen."""
        import numpy as np

        def count(column: str) -> int:
            return int(np.count_nonzero(table.column(column).to_numpy()))

        lengths = {side: table.column(f"{side}_length").to_numpy() for side in SIDES}
        longer = int(np.count_nonzero(lengths["chosen"] > lengths["rejected"]))
        differ = int(np.count_nonzero(lengths["chosen"] != lengths["rejected"]))
        return {
            "pairs": self.rows,
            "identical": count("identical"),
            "empty_reply": count("empty_reply"),
            "ends_in_human": count("ends_in_human"),
            "no_assistant_turn": self._no_assistant_turn,
            "prompts_differ": count("prompts_differ"),
            "duplicates": int(np.count_nonzero(table.column("duplicate_of").to_numpy() >= 0)),
            "lengths_differ": differ,
            "longer_chosen": longer,
            "tied": count("equal_scores"),
            "without_prompt": self._without_prompt,
            "reversed": self._reversed,
            "mean_length": {
                side: round(int(values.sum()) / self.rows, 1) if self.rows else None
                for side, values in lengths.items()
            },
            "longer_chosen_rate": round(longer / differ, 4) if differ else None,
        }

    def _numbers(self, pair: Pair) -> tuple[Any, ...]:
        """One pair's own numbers (_OWN); lengths in characters of the reply."""
        chosen, rejected = pair.chosen, pair.rejected
        one, other = outlines(chosen, rejected)
        transcripts = one.before_reply is not None and other.before_reply is not None
        differ = one.before_reply != other.before_reply if transcripts else pair.prompts_differ
        if one.reply is None or other.reply is None:
            self._no_assistant_turn += 1
        if not (one.has_prompt and other.has_prompt):
            self._without_prompt += 1
        return (
            pair.subset,
            text_hash(chosen.text),
            text_hash(rejected.text),
            len(one.reply or ""),
            len(other.reply or ""),
            pair.identical,
            not (one.reply and other.reply),
            one.ends_in_human_turn or other.ends_in_human_turn,
            differ,
            pair.tied,
            text_hash(one.first_human_turn)[:16],
        )


_HASHED = (*HASHES, "subset", "equal_scores")
_OWN = [name for name in BASE_COLUMNS if name not in ("row_id", "duplicate_of")]


def _is_reversed(labels: _Labels) -> bool:
    """Whether the source gives the reply that it calls chosen the lower score."""
    chosen, rejected = (number_in(labels.get(name)) for name in SCORES)
    return chosen is not None and rejected is not None and chosen < rejected


def _told(labels: list[_Labels]) -> list[str]:
    """The labels of each pair as JSON with sorted keys; nothing where there are none."""
    each = _SORTED.encode(labels)[2:-2].split("}\n{")
    return [one and f"{{{one}}}".replace("\n", ", ") for one in each]


def _line(chosen: str, rejected: str, subset: str, tied: bool, told: str) -> str:
    return f"{chosen}{rejected}{subset}{'|tied' if tied else ''}{told}\n"


def _first_of_same(*sides: pa.ChunkedArray) -> pa.Array:
    """Of each pair the row of the first with the same texts; -1 where that is the pair itself."""
    import numpy as np
    import pyarrow as pa

    one, other = map(beginnings, sides)
    order = np.lexsort((other, one))  # Rows of the same texts stay in their order.
    begins = np.ones(len(order), bool)
    begins[1:] = np.diff(one[order]) != 0
    begins[1:] |= np.diff(other[order]) != 0
    first = order[begins][np.cumsum(begins) - 1]
    found = np.empty(len(order), np.int64)
    found[order] = np.where(begins, -1, first)
    return pa.array(found)


def _piece(values: list[Any]) -> _Piece:
    """Values as Arrow has them, where nothing is lost: an integer among others is no float."""
    import pyarrow as pa

    if len({type(value) for value in values} - {type(None)}) > 1:
        return values
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, OverflowError):  # a whole number that passes 64 bits
        return values


def _joined(pieces: list[pa.Array]) -> pa.Array | pa.ChunkedArray:
    """A column in one piece, unless it is longer than Arrow has one of texts."""
    import pyarrow as pa

    column = pa.chunked_array(pieces)
    return column.combine_chunks() if column.nbytes < _LONGEST_PIECE else column


def _whole(pieces: list[_Piece]) -> pa.Array | pa.ChunkedArray:
    """A column of the source from its pieces, of the one type that fits all its values."""
    import pyarrow as pa

    arrays = [one for one in pieces if not isinstance(one, list)]
    kinds = {one.type for one in arrays} - {pa.null()}
    if len(arrays) == len(pieces) and len(kinds) == 1:
        (kind,) = kinds
        return _joined([one.cast(kind) for one in arrays])
    values = [v for one in pieces for v in (one if isinstance(one, list) else one.to_pylist())]
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        # The source mixes types in this column, or its whole numbers pass 64 bits.
        return pa.array([None if value is None else str(value) for value in values])
