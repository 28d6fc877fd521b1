"""How the first good row of a dataset was read: for a person who looks before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ivan_core.datasets.layouts.chosen_rejected import PAIRS
from ivan_core.datasets.layouts.known import named
from ivan_core.datasets.layouts.shape import Layout
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.datasets.reading import CHOSEN_REPLY, ITEM, PLACES, REJECTED_REPLY, STRENGTH
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue
from ivan_core.domain.words import number_of, one_line

_LONGEST_TOLD = 160
"""Characters of a text in a line."""
_LOOKED_AT = 1_024
"""Pairs among which those of the first row are: no layout makes more of one row."""
_MOST_TOLD = 8
"""Replies that are told of."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the row, and whether it is one of the better ones."""

    dialogue: Dialogue
    better: bool


@dataclass(frozen=True, slots=True)
class FirstRow:
    """What was made of a row: its replies in the order of the row, as far as pairs tell it."""

    layout: Layout
    replies: tuple[Reply, ...]
    tied: bool
    subset: str
    strength: float | None

    def lines(self) -> list[str]:
        """The row in lines: layout, system text, prompt, replies, subset, strength."""
        first = self.replies[0].dialogue
        told = [f"Layout: {self.layout.title}. {self.layout.said}".strip(), "The first row:"]
        told += [
            f"  {role.lower()}: {_told(text)}"
            for role, text in first.messages[: -1 if first.reply is not None else None]
        ]
        what = {True: "better reply", False: "other reply"}
        for reply in self.replies[:_MOST_TOLD]:
            name = "reply" if self.tied else what[reply.better]
            told.append(f"  {name}: {_told(reply.dialogue.reply or '')}")
        if (more := len(self.replies) - _MOST_TOLD) > 0:
            told.append(f"  and {number_of(more, 'more reply', 'more replies')}")
        if self.tied:
            told.append("  neither is better: a tie")
        told += [f"  subset: {one_line(self.subset, _LONGEST_TOLD)}"] if self.subset else []
        told += [f"  strength: {self.strength:g}"] if self.strength is not None else []
        return told


def _told(text: str) -> str:
    return one_line(text, _LONGEST_TOLD) or "(empty)"


def first_row(layout: Layout | None, pairs: Iterable[tuple[Pair, Mapping[str, Any]]]) -> FirstRow:
    """What the first pairs tell of the row that they are of; there is one at least."""
    replies: dict[int, Reply] = {}
    first: tuple[Pair, Mapping[str, Any]] | None = None
    for pair, labels in pairs:
        if first is None:
            first = pair, labels
        elif labels.get(ITEM) is None or labels[ITEM] != first[1].get(ITEM):
            break
        places = int(labels.get(CHOSEN_REPLY, 0)), int(labels.get(REJECTED_REPLY, 1))
        replies.setdefault(places[0], Reply(pair.chosen, not pair.tied))
        replies.setdefault(places[1], Reply(pair.rejected, False))
    if first is None:
        raise ValueError("no pair")
    pair, labels = first
    return FirstRow(
        layout or PAIRS,
        tuple(replies[place] for place in sorted(replies)),
        pair.tied,
        pair.subset,
        _strength(labels.get(STRENGTH)),
    )


def _strength(value: object) -> float | None:
    """A number; a table has NaN where a row has none."""
    return float(value) if isinstance(value, int | float) and value == value else None


def layout_of(dataset: PreparedDataset) -> Layout:
    """The layout that a dataset was read by; that of two sides where an older reading kept none."""
    try:
        return named(str(dataset.about["layout"]))
    except (KeyError, BadInput):
        return PAIRS


def first_row_of(dataset: PreparedDataset) -> FirstRow:
    """The first row of a dataset that has been read."""
    return first_row(layout_of(dataset), _first_pairs(dataset))


def _first_pairs(dataset: PreparedDataset) -> Iterable[tuple[Pair, Mapping[str, Any]]]:
    if ITEM not in dataset.row(0):
        return [(dataset.pair(0), dataset.row(0))]
    rows = range(min(dataset.rows, _LOOKED_AT))
    there = [name for name in (*PLACES, STRENGTH) if name in dataset.row(0)]
    labels = dataset.some_numbers(there, rows).to_dict("records")
    return zip(dataset.pairs(rows), labels, strict=True)
