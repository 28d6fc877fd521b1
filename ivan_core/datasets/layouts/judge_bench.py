"""JudgeBench: two replies to a question, of which one is right."""

from __future__ import annotations

from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    asked,
    has_texts,
    label,
    one_of,
    text,
)

_NEEDS = ("question", "response_A", "response_B", "label")


def _read(row: Row) -> Item:
    better = one_of(row, "label", {"A>B": 0, "B>A": 1, "A=B": None})
    return Item(
        answered(asked(text(row, "question")), [text(row, "response_A"), text(row, "response_B")]),
        () if better is None else (better,),
        frozenset(_NEEDS[:3]),
        subset=label(row, "source", "subset"),
    )


LAYOUT = Layout("judgebench", "JudgeBench", _NEEDS, has_texts(*_NEEDS), _read)
