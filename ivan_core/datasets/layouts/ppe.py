"""PPE: two replies with a person's vote, or up to 32 of which some are right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeGuard

from ivan_core.datasets.layouts.arena import VOTES
from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    asked,
    best,
    has_texts,
    label,
    preferred,
    text,
    two_replies,
)

_HUMAN = ("prompt", "response_1", "response_2", "winner")
_BEST = ("prompt", "response_1", "response_2", "scores")
_RESPONSE = re.compile(r"response_([1-9]\d?)")


def _human(row: Row) -> Item:
    better = preferred(row, "winner", VOTES)
    return Item(
        two_replies(row, "prompt", "response_1", "response_2"),
        better,
        frozenset(_HUMAN[:3]),
        models=(label(row, "model_a"), label(row, "model_b")),
    )


def _are_bools(value: object) -> TypeGuard[Sequence[bool]]:
    return isinstance(value, list | tuple) and all(isinstance(one, bool) for one in value)


def _best(row: Row) -> Item:
    right = row.get("scores")
    if not _are_bools(right):
        raise NotAPair("scores holds no list of true and false")
    columns = [f"response_{place}" for place in range(1, len(right) + 1)]
    further = f"response_{len(right) + 1}"
    if row.get(further) is not None:
        raise NotAPair(f"{len(right)} scores, and a reply under {further}")
    return Item(
        answered(asked(text(row, "prompt")), [text(row, column) for column in columns]),
        best(right),
        frozenset(name for name in row if _RESPONSE.fullmatch(name)) | {"prompt", "scores"},
        subset=label(row, "category", "subset"),
    )


HUMAN = Layout("ppe-human", "PPE human preference", _HUMAN, has_texts(*_HUMAN), _human)
BEST_OF_K = Layout(
    "ppe-best-of-k",
    "PPE best-of-K",
    _BEST,
    lambda row: _are_bools(row["scores"]),
    _best,
    many=True,
    nested=("scores",),
)
