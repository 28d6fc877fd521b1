"""HelpSteer: two replies and how much better one is, from -3 (the first) to 3 (the second)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ivan_core.datasets.layouts.messages import Messages, NotAPair
from ivan_core.datasets.layouts.shape import (
    Item,
    Layout,
    Row,
    answered,
    asked,
    best,
    has_texts,
    is_messages,
    label,
    messages,
    number,
    text,
)
from ivan_core.datasets.lines import BadLine, Line

_THREE = ("context", "response1", "response2", "overall_preference")
_TWO = ("prompt", "response_1", "response_2", "preference_strength")
_RATED = ("prompt", "response", "helpfulness")
_TURNS = "<extra_id_1>"
"""Begins each further turn inside a prompt of HelpSteer2."""


def _preferred(strength: float) -> tuple[int, ...]:
    """Below zero the first reply is better, above it the second."""
    return () if strength == 0 else (0,) if strength < 0 else (1,)


def _three(row: Row) -> Item:
    strength = number(row, "overall_preference")
    return Item(
        answered(messages(row, "context"), [text(row, "response1"), text(row, "response2")]),
        _preferred(strength),
        frozenset(_THREE[:3]),
        subset=label(row, "domain", "subset"),
        strength=abs(strength),
    )


def _two(row: Row) -> Item:
    strength = number(row, "preference_strength")
    return Item(
        answered(_prompt(text(row, "prompt")), [text(row, "response_1"), text(row, "response_2")]),
        _preferred(strength),
        frozenset(_TWO[:3]),
        strength=abs(strength),
    )


def _prompt(told: str) -> Messages:
    """The turns of a prompt. Each marker names who goes on, in a word on its line."""
    first, *rest = told.split(_TURNS)
    if not rest:
        return asked(told)
    found = list(asked(first.strip("\n"))) if first.strip() else []
    for part in rest:
        role, _, words = part.partition("\n")
        if role not in ("User", "Assistant"):
            raise NotAPair(f"prompt holds {_TURNS} without User or Assistant")
        found.append(("Human" if role == "User" else "Assistant", words.strip("\n")))
    return tuple(found[:-1] if found[-1] == ("Assistant", "") else found)


def _gather(lines: Iterable[Line]) -> Iterator[Line]:
    """Two lines with the same prompt one after the other as one row."""
    before: tuple[int, dict[str, Any]] | None = None
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        if before is None:
            before = line
        elif before[1].get("prompt") == line[1].get("prompt"):
            yield before[0], {**before[1], "replies": (before[1], line[1])}
            before = None
        else:
            yield _alone(before[0])
            before = line
    if before is not None:
        yield _alone(before[0])


def _alone(number: int) -> BadLine:
    return BadLine(number, "one reply alone: the line after it has another prompt")


def _rated(row: Row) -> Item:
    two: tuple[Mapping[str, Any], ...] = row["replies"]
    scores = tuple(number(one, "helpfulness") for one in two)
    return Item(
        answered(_prompt(text(row, "prompt")), [text(one, "response") for one in two]),
        best(scores),
        # Ratings are of a reply, not of the pair.
        frozenset((*row, "replies")) - {"split", "subset"},
        scores=scores,
    )


HELPSTEER3 = Layout(
    "helpsteer3",
    "HelpSteer3",
    _THREE,
    lambda row: is_messages(row["context"]),
    _three,
    nested=("context",),
)
HELPSTEER2 = Layout("helpsteer2", "HelpSteer2 preference", _TWO, has_texts(*_TWO[:3]), _two)
HELPSTEER2_RATINGS = Layout(
    "helpsteer2-ratings",
    "HelpSteer2 ratings",
    _RATED,
    has_texts(*_RATED[:2]),
    _rated,
    _gather,
    said="Two lines in succession with one prompt are a pair; the more helpful reply is better.",
    unpaired="Two lines in succession with the same prompt make a pair: keep the order in which "
    "the file was published.",
)
