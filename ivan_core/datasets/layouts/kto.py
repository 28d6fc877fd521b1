"""KTO: single replies labelled good or bad; those to one prompt are gathered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ivan_core.datasets.layouts.messages import Messages, NotAPair
from ivan_core.datasets.layouts.shape import Item, Layout, Row, is_messages, messages, unfolded
from ivan_core.datasets.layouts.sides import after_prompt
from ivan_core.datasets.lines import BadLine, Cells, Line

_NEEDS = ("prompt", "completion", "label")
_WORDS = {"true": True, "false": False}


def _is_good(row: Row) -> bool | None:
    """The label; None where it is neither true nor false."""
    value = row.get("label")
    if isinstance(value, str):
        return _WORDS.get(value.lower())
    return value if isinstance(value, bool) else None


def _fits(row: Row) -> bool:
    return _is_good(row) is not None and _is_text_or_messages(row["completion"])


def _is_text_or_messages(value: object) -> bool:
    return isinstance(value, str) or is_messages(value)


def _gather(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines of each prompt as one row, in the order in which prompts come first."""
    groups: dict[str | Messages, list[tuple[int, dict[str, Any]]]] = {}
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        number, row = line[0], _of_cells(line[1]) if isinstance(line[1], Cells) else line[1]
        try:
            if _is_good(row) is None:
                raise NotAPair("label is neither true nor false")
            groups.setdefault(_prompt(row), []).append((number, row))
        except NotAPair as why:
            yield BadLine(number, str(why))
    for group in groups.values():
        number, first = group[0]
        good = {_is_good(row) for _, row in group}
        if len(good) == 1:
            what = "good" if good == {True} else "bad"
            others = f" and {len(group) - 1} more" if len(group) > 1 else ""
            yield BadLine(number, f"this reply{others} to its prompt: only {what} ones, so no pair")
        else:
            yield number, {**first, "replies": [row for _, row in group]}


def _of_cells(row: Row) -> dict[str, Any]:
    """A row of texts with the messages that stand in it as JSON; other JSON is a text."""
    found = {name: unfolded(row.get(name)) for name in ("prompt", "completion")}
    return {**row, **{name: value for name, value in found.items() if is_messages(value) and value}}


def _prompt(row: Row) -> str | Messages:
    return row["prompt"] if isinstance(row.get("prompt"), str) else messages(row, "prompt")


def _read(row: Row) -> Item:
    replies: list[dict[str, Any]] = row["replies"]
    dialogues = tuple(after_prompt(one, "completion") for one in replies)
    if any(dialogue.reply is None or dialogue.ends_in_human_turn for dialogue in dialogues):
        raise NotAPair("completion does not end in a reply")
    return Item(
        dialogues,
        tuple(place for place, one in enumerate(replies) if _is_good(one)),
        frozenset((*_NEEDS, "replies")),
    )


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
