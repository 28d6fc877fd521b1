"""RM-Bench: three right and three wrong replies, each concise, detailed, and in markdown."""

from __future__ import annotations

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    asked,
    is_texts,
    label,
    text,
    texts,
)

_NEEDS = ("prompt", "chosen", "rejected")
STYLES = 3
"""Replies a side, from the plainest to the fanciest."""


def _fits(row: Row) -> bool:
    sides = (row["chosen"], row["rejected"])
    return "num_correct" not in row and all(is_texts(s) and len(s) == STYLES for s in sides)


def _read(row: Row) -> Item:
    right, wrong = texts(row, "chosen"), texts(row, "rejected")
    if len(right) != STYLES or len(wrong) != STYLES:
        raise NotAPair(f"{len(right)} right and {len(wrong)} wrong replies instead of 3 and 3")
    return Item(
        answered(asked(text(row, "prompt")), [*right, *wrong]),
        (0, 1, 2),
        frozenset(_NEEDS),
        subset=label(row, "domain", "subset"),
    )


LAYOUT = Layout("rm-bench", "RM-Bench", _NEEDS, _fits, _read, many=True, nested=_NEEDS[1:])
