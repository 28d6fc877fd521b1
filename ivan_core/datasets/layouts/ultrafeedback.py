"""UltraFeedback, whole: four models' replies to an instruction, each with an overall score."""

from __future__ import annotations

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    are_objects,
    asked,
    best,
    label,
    number,
    text,
)

_NEEDS = ("instruction", "completions")
_OF_COMPLETIONS = ("response", "overall_score")


def _read(row: Row) -> Item:
    replies = row.get("completions")
    if not are_objects(replies, *_OF_COMPLETIONS) or not replies:
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
    lambda row: are_objects(row["completions"], *_OF_COMPLETIONS),
    _read,
    many=True,
    nested=("completions",),
    said="The reply with the highest overall score is better than the others.",
)
