"""JudgeBench: two replies to a question, of which one is right."""

from __future__ import annotations

from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    has_texts,
    label,
    preferred,
    two_replies,
)

_NEEDS = ("question", "response_A", "response_B", "label")


def _read(row: Row) -> Item:
    better = preferred(row, "label", {"A>B": 0, "B>A": 1, "A=B": None})
    return Item(
        two_replies(row, "question", "response_A", "response_B"),
        better,
        frozenset(_NEEDS[:3]),
        subset=label(row, "source", "subset"),
    )


LAYOUT = Layout("judgebench", "JudgeBench", _NEEDS, has_texts(*_NEEDS), _read)
