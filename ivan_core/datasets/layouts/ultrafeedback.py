"""UltraFeedback, whole: four models' replies to an instruction, each with an overall score."""

from __future__ import annotations

from collections.abc import Mapping

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    asked,
    best,
    label,
    number,
    text,
)

_NEEDS = ("instruction", "completions")


def _are_completions(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(one, Mapping) and {"response", "overall_score"} <= one.keys() for one in value
    )


def _read(row: Row) -> Item:
    replies = row.get("completions")
    if not _are_completions(replies) or not replies:
        raise NotAPair("completions holds no scored replies")
    scores = tuple(number(one, "overall_score") for one in replies)
    return Item(
        answered(asked(text(row, "instruction")), [text(one, "response") for one in replies]),
        best(scores),
        frozenset(_NEEDS),
        subset=label(row, "source", "subset"),
        scores=scores,
        models=tuple(label(one, "model") for one in replies),
    )


LAYOUT = Layout(
    "ultrafeedback",
    "UltraFeedback",
    _NEEDS,
    lambda row: _are_completions(row["completions"]),
    _read,
    many=True,
    nested=("completions",),
    said="The reply with the highest overall score is better than the others.",
)
