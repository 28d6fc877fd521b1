"""UltraFeedback, whole: four models' replies to an instruction, each with an overall score."""

from __future__ import annotations

from ivan_core.datasets.layouts.messages import NotAPair, named
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    are_objects,
    asked,
    best,
    label,
    number_in,
    text,
)
from ivan_core.domain.words import one_line

_NEEDS = ("instruction", "completions")
_OF_COMPLETIONS = ("response", "overall_score")
_FEWEST = 2
_LONGEST_MODEL = 60


def _read(row: Row) -> Item:
    completions = row.get("completions")
    if not are_objects(completions, *_OF_COMPLETIONS) or not completions:
        raise NotAPair("completions holds no scored replies")
    found = [number_in(one["overall_score"]) for one in completions]
    replies = [one for one, score in zip(completions, found, strict=True) if score is not None]
    if len(replies) < _FEWEST:
        raise NotAPair(f"fewer than two of {len(completions)} replies have a score")
    scores = tuple(score for score in found if score is not None)
    return Item(
        answered(asked(text(row, "instruction")), [text(one, "response") for one in replies]),
        best(scores),
        frozenset(_NEEDS),
        subset=label(row, "source", "subset"),
        scores=scores,
        models=tuple(label(one, "model") for one in replies),
        left_out=tuple(
            f"{_told(one, place)}: its score is {named(one['overall_score'])}"
            for place, one in enumerate(completions, start=1)
            if number_in(one["overall_score"]) is None
        ),
    )


def _told(completion: Row, place: int) -> str:
    model = one_line(label(completion, "model"), _LONGEST_MODEL)
    return f"reply {place} ({model})" if model else f"reply {place}"


LAYOUT = Layout(
    "ultrafeedback",
    "UltraFeedback",
    _NEEDS,
    lambda row: are_objects(row["completions"], *_OF_COMPLETIONS),
    _read,
    many=True,
    nested=("completions",),
    said="The reply with the highest overall score is better than the others; one without a score "
    "is left out.",
)
