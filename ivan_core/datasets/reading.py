"""From a source's rows to pairs: which rows are none and why, and what is kept beside the texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ivan_core.datasets.files import NEEDED, BadLine, Line, check_columns, wrong_columns
from ivan_core.datasets.prepared import BASE_COLUMNS
from ivan_core.datasets.sides import NotAPair, read_sides
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import Pair

LONGEST_LABEL = 200
"""Characters in a value of a source's own column; one with longer values is text, and left out."""


class PairReader:
    """Numbers the good rows from 0 and keeps the others, named by line, in `bad`."""

    def __init__(self) -> None:
        self.bad: list[BadLine] = []
        self.left_out: set[str] = set()
        """The source's own columns that are no labels: long texts, lists and the like."""
        self.columns: dict[str, None] = {}
        """All columns found, in order."""

    def read(self, rows: Iterable[Line]) -> Iterator[tuple[Pair, dict[str, Any]]]:
        """Good rows as pairs, each with the values of the source's own columns.

        Raises:
            BadInput: no row is a pair.
        """
        count = 0
        for line in rows:
            if isinstance(line, BadLine):
                self.bad.append(line)
                continue
            number, row = line
            if not self.columns.keys() >= row.keys():
                self.columns.update(dict.fromkeys(row))
                check_columns(list(self.columns))
            try:
                sides = read_sides(row)
            except NotAPair as why:
                self.bad.append(BadLine(number, str(why)))
                continue
            if not (_is_unicode(sides.chosen.text) and _is_unicode(sides.rejected.text)):
                self.bad.append(BadLine(number, "half a character (a lone surrogate)"))
                continue
            subset = row.get("subset")
            named = str(subset) if _is_label(subset) else ""
            pair = Pair(count, sides.chosen, sides.rejected, named, sides.tied)
            yield pair, self._labels(row, sides.used)
            count += 1
        if not count:
            raise self._no_pairs(list(self.columns))

    def _labels(self, row: dict[str, Any], used: tuple[str, ...]) -> dict[str, Any]:
        labels = {}
        for name, value in row.items():
            if name in (*used, *BASE_COLUMNS) or value is None:
                continue
            if _is_label(value) and _is_unicode(name):
                labels[name] = value
            else:
                self.left_out.add(name)
        return labels

    def _no_pairs(self, columns: list[str]) -> BadInput:
        if columns and not set(NEEDED) <= set(columns):
            return wrong_columns(columns)
        if not self.bad:
            return BadInput(
                "The data holds no rows.", "It needs rows with the columns chosen and rejected."
            )
        named = "; ".join(f"line {line.line}: {line.reason}" for line in self.bad[:3])
        lines = f"None of {len(self.bad)} lines" if len(self.bad) > 1 else "The only line"
        return BadInput(
            f"{lines} holds {'no' if len(self.bad) == 1 else 'a'} pair ({named}).",
            "Each line needs a text under chosen and under rejected.",
        )


def _is_label(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_LABEL and _is_unicode(value)
    return isinstance(value, int | float | bool)


def _is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8; JSON's escapes allow halves of a character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
