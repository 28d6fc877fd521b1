"""KTO: single replies labelled good or bad; those to one prompt are gathered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ivan_core.datasets.layouts.messages import Messages, NotAPair
from ivan_core.datasets.layouts.shape import Item, Layout, Row, is_messages, messages, unfolded
from ivan_core.datasets.layouts.sides import after_prompt
from ivan_core.datasets.lines import BadLine, Cells, Line
from ivan_core.domain.transcripts import Dialogue
from ivan_core.domain.words import is_unicode

_NEEDS = ("prompt", "completion", "label")
_REPLIES = " replies"
"""Where the replies to a prompt stand, each with its label, in the row that is made of them."""
_WORDS = {"true": True, "false": False}


class _Group(NamedTuple):
    """The replies to a prompt so far, each with its label, and the first line of them."""

    line: int
    first: dict[str, Any]
    replies: list[tuple[Dialogue, bool]]


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
    groups: dict[str | Messages, _Group] = {}
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        number, row = line[0], _of_cells(line[1]) if isinstance(line[1], Cells) else line[1]
        try:
            good, reply = _is_good(row), _reply(row)
            if good is None:
                raise NotAPair("label is neither true nor false")
            group = groups.setdefault(_prompt(row), _Group(number, row, []))
            group.replies.append((reply, good))
        except NotAPair as why:
            yield BadLine(number, str(why))
    for group in groups.values():
        kinds = {good for _, good in group.replies}
        if len(kinds) == 1:
            what = "good" if kinds == {True} else "bad"
            more = f" and {len(group.replies) - 1} more" if len(group.replies) > 1 else ""
            why_none = f"this reply{more} to its prompt: only {what} ones, so no pair"
            yield BadLine(group.line, why_none)
        else:
            yield group.line, {**group.first, _REPLIES: group.replies}


def _of_cells(row: Row) -> dict[str, Any]:
    """A row of texts with the messages that stand in it as JSON; other JSON is a text."""
    found = {name: unfolded(row.get(name)) for name in ("prompt", "completion")}
    return {**row, **{name: value for name, value in found.items() if is_messages(value) and value}}


def _prompt(row: Row) -> str | Messages:
    return row["prompt"] if isinstance(row.get("prompt"), str) else messages(row, "prompt")


def _reply(row: Row) -> Dialogue:
    reply = after_prompt(row, "completion")
    if reply.reply is None or reply.ends_in_human_turn:
        raise NotAPair("completion does not end in a reply")
    if not is_unicode(reply.text):
        raise NotAPair("half a character (a lone surrogate)")
    return reply


def _read(row: Row) -> Item:
    replies: list[tuple[Dialogue, bool]] = row[_REPLIES]
    return Item(
        tuple(reply for reply, _ in replies),
        tuple(place for place, (_, good) in enumerate(replies) if good),
        frozenset((*_NEEDS, _REPLIES)),
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
    unpaired="Pairs need a good and a bad reply to the same prompt, word for word. Replies to "
    "prompts of their own have nothing to be compared with.",
)
