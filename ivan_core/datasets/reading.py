"""From a source's rows to pairs: which rows are none and why, and what is kept beside the texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from ivan_core.datasets.columns import WrongColumns
from ivan_core.datasets.layouts import known
from ivan_core.datasets.layouts.chosen_rejected import PAIRS
from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import Item, Layout
from ivan_core.datasets.lines import BadLine, Cells, Line
from ivan_core.datasets.prepared import BASE_COLUMNS
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import USUAL, Columns, Pair
from ivan_core.domain.words import is_unicode

MOST_LABELS = 1_000
"""So many of the source's own columns are kept, the first that are found."""
LONGEST_LABEL = 200
"""Characters in a value of a source's own column; one with longer values is text, and left out."""
ITEM, REPLIES, RIGHT = "item", "replies", "right"
CHOSEN_REPLY, REJECTED_REPLY = "chosen_reply", "rejected_reply"
PLACES = (ITEM, REPLIES, RIGHT, CHOSEN_REPLY, REJECTED_REPLY)
"""Columns beside the pairs of layouts with more than two replies: which row a pair is of, the first
0; how many replies that row has, and how many of them are better (0 in a tie); the places of both
replies."""
STRENGTH = "strength"
"""The column beside pairs whose preference is published with a strength."""
_MOST_HELD = 100
"""Rows before the first that has a layout, which are read as it says."""
MODELS = ("chosen_model", "rejected_model")
"""Columns that say who wrote the replies, where a layout knows it."""
_NO_LABELS = frozenset((*BASE_COLUMNS, *PLACES, STRENGTH))


class PairReader:
    """Numbers the pairs of good rows from 0 and keeps the other rows, named by line, in `bad`.

    `layout` is that of the first row that has one, unless it was asked for by its name.
    """

    def __init__(self, columns: Columns = USUAL, layout: str = "") -> None:
        self._taken, self._renames = columns, columns != USUAL
        self.layout: Layout | None = known.named(layout) if layout else None
        self.bad: list[BadLine] = []
        self.replies_left_out: list[BadLine] = []
        """Replies that rows have beside those of their pairs, one line each."""
        self.rows = self.tied_rows = 0
        """Good rows, and those of them in which no reply is better than another."""
        self.left_out: set[str] = set()
        """The source's own columns that are no labels: long texts, lists and the like."""
        self.columns: dict[str, None] = {}
        """All columns found, in order, by the names that they have in the source."""
        self._kept: set[str] = set()

    def read(self, rows: Iterable[Line]) -> Iterator[tuple[Pair, dict[str, Any]]]:
        """Pairs of good rows, each with the values of the source's own columns.

        Raises:
            BadInput: no row is a pair, or the rows have several layouts, or one without pairs.
        """
        count = 0
        for line in self._laid_out(iter(rows)):
            if isinstance(line, BadLine):
                self.bad.append(line)
                continue
            number, row = line
            layout = self.layout or PAIRS
            try:
                item = layout.read(row)
                pairs = _pairs_of(item)
            except NotAPair as why:
                self.bad.append(BadLine(number, str(why)))
                continue
            named, labels = self._subset(item, row), self._labels(row, item)
            for better, worse in pairs:
                added = _added(item, better, worse)
                if layout.many:
                    added |= _place(item, self.rows, better, worse)
                sides = item.replies[better], item.replies[worse]
                yield Pair(count, *sides, named, not item.better), labels | added
                count += 1
            self.rows += 1
            self.tied_rows += not item.better
            if item.left_out:
                self.replies_left_out += [BadLine(number, why) for why in item.left_out]
        if not count:
            raise self._no_pairs(list(self.columns))

    def _laid_out(self, lines: Iterator[Line]) -> Iterator[Line]:
        """The lines as their layout has them: renamed, and gathered where it has one a reply."""
        rows, before = map(self._as_taken, lines), deque[Line]()
        for line in rows:
            if self.layout is None and not isinstance(line, BadLine):
                self.layout = known.find(line[1])
            before.append(line)
            if self.layout is not None:
                gather, rest = self.layout.gather, chain(before, rows)
                told = map(self._unfolded, rest) if self.layout.nested else rest
                yield from gather(told) if gather else told
                return
            if len(before) > _MOST_HELD:
                yield before.popleft()
        yield from before

    def _as_taken(self, line: Line) -> Line:
        if isinstance(line, BadLine):
            return line
        number, row = line
        if not self.columns.keys() >= row.keys():
            self.columns.update(dict.fromkeys(row))
        if not self._renames:
            return line
        taken = self._taken.take(row)
        return number, Cells(taken) if isinstance(row, Cells) else taken

    def _unfolded(self, line: Line) -> Line:
        if self.layout is None or isinstance(line, BadLine) or not isinstance(line[1], Cells):
            return line
        return line[0], self.layout.unfolded(line[1])

    def _subset(self, item: Item, row: dict[str, Any]) -> str:
        said = item.subset if item.subset is not None and self._taken.subset else row.get("subset")
        return str(said) if _is_label(said) else ""

    def _labels(self, row: dict[str, Any], item: Item) -> dict[str, Any]:
        labels = {}
        for name, value in row.items():
            if name in item.no_labels or name in _NO_LABELS or value is None:
                continue
            if _is_label(value) and (name in self._kept or self._keeps(name)):
                labels[name] = value
            else:
                self.left_out.add(name)
        return labels

    def _keeps(self, name: str) -> bool:
        """Whether a column not met before is one of those whose labels are kept."""
        fits = len(self._kept) < MOST_LABELS and len(name) <= LONGEST_LABEL and is_unicode(name)
        if fits:
            self._kept.add(name)
        return fits

    def _no_pairs(self, columns: list[str]) -> BadInput:
        if columns and self.layout is None and not set(self._taken.needed) <= set(columns):
            other = known.possible(columns) if not self._renames else []
            return _of_other_types(other) if other else WrongColumns(columns, self._taken)
        if not self.bad:
            return BadInput(
                "The data holds no rows.", "It needs rows with the columns chosen and rejected."
            )
        named = "; ".join(f"line {line.line}: {line.reason}" for line in self.bad[:3])
        lines = f"None of {len(self.bad)} lines" if len(self.bad) > 1 else "The only line"
        layout = self.layout or PAIRS
        return BadInput(
            f"{lines} holds {'no' if len(self.bad) == 1 else 'a'} pair ({named}).",
            f"Each line needs a text under {' and under '.join(self._taken.needed)}."
            if layout.needs == USUAL.needed
            else layout.unpaired or f"It was read as {layout.title}: ask for another layout.",
        )


def _of_other_types(layouts: Sequence[Layout]) -> BadInput:
    """Why rows with all columns of a layout are not read as it, and how to learn more."""
    return BadInput(
        f"The columns are those of {' or '.join(one.title for one in layouts)}, but they hold "
        "something else.",
        f"Ask for the layout {' or '.join(one.name for one in layouts)}: each line that it cannot "
        "read is named with the reason.",
    )


def _pairs_of(item: Item) -> list[tuple[int, int]]:
    """The places of both replies in each pair: every better one against every other.

    Of a tie the first against every other, so that no reply is lost.

    Raises:
        NotAPair: the row prefers all of its replies, or a text is broken.
    """
    for reply in item.replies:
        if not is_unicode(reply.text):
            raise NotAPair("half a character (a lone surrogate)")
    if len(item.replies) < 2:
        raise NotAPair("fewer than two replies")
    if len(item.replies) == 2 and len(item.better) < 2:  # nearly all rows of most data
        return [(1, 0)] if item.better == (1,) else [(0, 1)]
    if not item.better:
        return [(0, other) for other in range(1, len(item.replies))]
    better = set(item.better)
    worse = [place for place in range(len(item.replies)) if place not in better]
    if not worse:
        raise NotAPair(f"all {len(item.replies)} replies are right, and none is wrong")
    return [(one, other) for one in item.better for other in worse]


def _added(item: Item, better: int, worse: int) -> dict[str, Any]:
    """What a layout knows of a pair beside its texts."""
    added: dict[str, Any] = {}
    if item.scores:
        added[STRENGTH] = abs(item.scores[better] - item.scores[worse])
    elif item.strength is not None:
        added[STRENGTH] = item.strength
    if item.models:
        for name, place in zip(MODELS, (better, worse), strict=True):
            if _is_label(item.models[place]):
                added[name] = item.models[place]
    return added


def _place(item: Item, number: int, better: int, worse: int) -> dict[str, int]:
    """Where a pair stands in its row, for layouts with more than two replies."""
    return {
        ITEM: number,
        REPLIES: len(item.replies),
        RIGHT: len(item.better),
        CHOSEN_REPLY: better,
        REJECTED_REPLY: worse,
    }


def _is_label(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_LABEL and is_unicode(value)
    return isinstance(value, int | float | bool)
