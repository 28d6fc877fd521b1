"""SHP: two comments on a post, the better of which got more votes."""

from __future__ import annotations

from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    has_texts,
    label,
    number,
    preferred,
    two_replies,
)

_NEEDS = ("history", "human_ref_A", "human_ref_B", "labels")


def _read(row: Row) -> Item:
    better = preferred(row, "labels", {"1": 0, "0": 1})
    return Item(
        two_replies(row, "history", "human_ref_A", "human_ref_B"),
        better,
        frozenset(_NEEDS[:3]),
        subset=label(row, "domain", "subset"),
        strength=number(row, "score_ratio") if row.get("score_ratio") is not None else None,
    )


LAYOUT = Layout(
    "shp",
    "SHP",
    _NEEDS,
    has_texts(*_NEEDS[:3]),
    _read,
    said="The strength is the ratio of the votes; those who made the data keep ratios from 2 on.",
)
