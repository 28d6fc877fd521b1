"""From a source's rows to pairs: what counts as a transcript, and why a row is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ivan_core.datasets.files import NEEDED, BadLine, Line, wrong_columns
from ivan_core.datasets.prepared import BASE_COLUMNS
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import ASSISTANT_MARKER, HUMAN_MARKER, Dialogue

LONGEST_LABEL = 200
"""Characters in a value of a source's own column; one with longer values is text, and left out."""
_ROLES = {"user": f"{HUMAN_MARKER} ", "assistant": f"{ASSISTANT_MARKER} ", "system": ""}


class PairReader:
    """Numbers the good rows from 0 and keeps the others, named by line, in `bad`."""

    def __init__(self) -> None:
        self.bad: list[BadLine] = []
        self.left_out: set[str] = set()
        """The source's own columns that are no labels: long texts, lists and the like."""

    def read(self, rows: Iterable[Line]) -> Iterator[tuple[Pair, dict[str, Any]]]:
        """Good rows as pairs, each with the values of the source's own columns.

        Raises:
            BadInput: no row is a pair.
        """
        count = 0
        columns: dict[str, None] = {}
        for line in rows:
            if isinstance(line, BadLine):
                self.bad.append(line)
                continue
            number, row = line
            columns.update(dict.fromkeys(row))
            chosen, rejected = (transcript(row, side) for side in NEEDED)
            if chosen is None or rejected is None:
                self.bad.append(BadLine(number, _why_not(chosen, rejected)))
                continue
            if not (_is_unicode(chosen) and _is_unicode(rejected)):
                self.bad.append(BadLine(number, "half a character (a lone surrogate)"))
                continue
            subset = row.get("subset")
            named = str(subset) if _is_label(subset) else ""
            yield Pair(count, Dialogue(chosen), Dialogue(rejected), named), self._labels(row)
            count += 1
        if not count:
            raise self._no_pairs(list(columns))

    def _labels(self, row: dict[str, Any]) -> dict[str, Any]:
        labels = {}
        for name, value in row.items():
            if name in (*NEEDED, *BASE_COLUMNS, "prompt") or value is None:
                continue
            if _is_label(value) and _is_unicode(name):
                labels[name] = value
            else:
                self.left_out.add(name)
        return labels

    def _no_pairs(self, columns: list[str]) -> BadInput:
        if columns and not set(NEEDED) <= set(columns):
            return wrong_columns(columns)
        if not self.bad:
            return BadInput(
                "The data holds no rows.", "It needs rows with the columns chosen and rejected."
            )
        named = "; ".join(f"line {line.line}: {line.reason}" for line in self.bad[:3])
        lines = f"None of {len(self.bad)} lines" if len(self.bad) > 1 else "The only line"
        return BadInput(
            f"{lines} holds {'no' if len(self.bad) == 1 else 'a'} pair ({named}).",
            "Each line needs a text under chosen and under rejected.",
        )


def transcript(row: dict[str, Any], side: str) -> str | None:
    """One side as a transcript: a string as it is, a list of chat messages in the same form.

    Where a side is only the reply, the row's `prompt` (a text, a transcript or messages) goes
    before it. None where there is no text.
    """
    value, prompt = row.get(side), row.get("prompt")
    if isinstance(value, str):
        before = _opening(prompt)
        if not before or ASSISTANT_MARKER in value:
            return value
        return before + value if before.endswith(ASSISTANT_MARKER) else _reply(before, value)
    printed = _messages(value)
    if printed is None or HUMAN_MARKER in printed:
        return printed
    return _opening(prompt).removesuffix(ASSISTANT_MARKER) + printed


def _reply(before: str, text: str) -> str:
    return f"{before}{ASSISTANT_MARKER} {text}"


def _opening(prompt: object) -> str:
    """A prompt as the beginning of a transcript; empty where there is none."""
    if isinstance(prompt, str) and prompt:
        return prompt if HUMAN_MARKER in prompt else f"{HUMAN_MARKER} {prompt}"
    return _messages(prompt) or ""


def _messages(value: object) -> str | None:
    """Chat messages as a transcript; None if it is no list of them."""
    if not isinstance(value, list) or not value:
        return None
    turns = []
    for message in value:
        if not isinstance(message, dict):
            return None
        role, content = message.get("role"), message.get("content")
        if role not in _ROLES or not isinstance(content, str):
            return None
        turns.append(_ROLES[role] + content)
    return "".join(turns)


def _why_not(chosen: str | None, rejected: str | None) -> str:
    sides = [side for side, text in zip(NEEDED, (chosen, rejected), strict=True) if text is None]
    return f"no text under {' and '.join(sides)}"


def _is_label(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_LABEL and _is_unicode(value)
    return isinstance(value, int | float | bool)


def _is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8; JSON's escapes allow halves of a character."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
