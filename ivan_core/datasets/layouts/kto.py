"""KTO: single replies labelled good or bad; those to one prompt are gathered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ivan_core.datasets.layouts.messages import Messages, NotAPair
from ivan_core.datasets.layouts.shape import Item, Layout, Row, asked, is_messages, messages, text
from ivan_core.datasets.lines import BadLine, Line
from ivan_core.domain.transcripts import Dialogue

_NEEDS = ("prompt", "completion", "label")
_WORDS = {"true": True, "false": False}


def _is_good(row: Row) -> bool | None:
    """The label; None where it is neither true nor false."""
    value = row.get("label")
    return value if isinstance(value, bool) else _WORDS.get(str(value).lower())


def _fits(row: Row) -> bool:
    return _is_good(row) is not None and _is_text_or_messages(row["completion"])


def _is_text_or_messages(value: object) -> bool:
    return isinstance(value, str) or is_messages(value)


def _gather(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines of each prompt as one row, in the order in which prompts come first."""
    groups: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for line in lines:
        if isinstance(line, BadLine):
            yield line
        elif _is_good(line[1]) is None:
            yield BadLine(line[0], "label is neither true nor false")
        else:
            prompt = json.dumps(line[1].get("prompt"), sort_keys=True, default=str)
            groups.setdefault(prompt, []).append(line)
    for group in groups.values():
        number, first = group[0]
        good = {_is_good(row) for _, row in group}
        if len(good) == 1:
            what = "good" if good == {True} else "bad"
            others = f" and {len(group) - 1} more" if len(group) > 1 else ""
            yield BadLine(number, f"this reply{others} to its prompt: only {what} ones, so no pair")
        else:
            yield number, {**first, "replies": [row for _, row in group]}


def _read(row: Row) -> Item:
    replies: list[dict[str, Any]] = row["replies"]
    before = asked(row["prompt"]) if isinstance(row["prompt"], str) else messages(row, "prompt")
    return Item(
        tuple(Dialogue.of_messages((*before, *_reply(one))) for one in replies),
        tuple(place for place, one in enumerate(replies) if _is_good(one)),
        frozenset((*_NEEDS, "replies")),
    )


def _reply(row: Row) -> Messages:
    if isinstance(row["completion"], str):
        return (("Assistant", text(row, "completion")),)
    told = messages(row, "completion")
    if not told or told[-1][0] != "Assistant":
        raise NotAPair("completion does not end in a reply")
    return told


LAYOUT = Layout(
    "kto",
    "KTO",
    _NEEDS,
    _fits,
    _read,
    _gather,
    many=True,
    said="Good and bad replies to one prompt make the pairs; a prompt with one kind has none.",
)
