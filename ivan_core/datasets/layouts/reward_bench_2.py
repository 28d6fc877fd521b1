"""RewardBench 2: several right and wrong replies to a prompt; the right ones stand first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    asked,
    is_texts,
    number,
    text,
    texts,
)

_NEEDS = ("prompt", "chosen", "rejected", "num_correct")


def _read(row: Row) -> Item:
    right, wrong = texts(row, "chosen"), texts(row, "rejected")
    if number(row, "num_correct") != len(right):
        raise NotAPair(f"num_correct is not the {len(right)} replies under chosen")
    replies = answered(asked(text(row, "prompt")), [*right, *wrong])
    models = row.get("models")
    return Item(
        replies,
        tuple(range(len(right))),
        frozenset(_NEEDS),
        models=tuple(map(str, models)) if _one_each(models, len(replies)) else (),
    )


def _fits(row: Row) -> bool:
    return is_texts(row["chosen"]) and is_texts(row["rejected"])


def _one_each(models: object, replies: int) -> TypeGuard[Sequence[object]]:
    return isinstance(models, list | tuple) and len(models) == replies


LAYOUT = Layout(
    "rewardbench-2",
    "RewardBench 2",
    _NEEDS,
    _fits,
    _read,
    also=("models",),
    many=True,
    nested=("chosen", "rejected", "models"),
)
