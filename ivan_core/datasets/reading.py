"""From a source's rows to pairs: which rows are none and why, and what is kept beside the texts.

The two dialogues of a row are transcripts, chat messages, or replies beside a prompt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeGuard

from ivan_core.datasets.columns import WrongColumns, check_prompts
from ivan_core.datasets.files import BadLine, Line
from ivan_core.datasets.prepared import BASE_COLUMNS
from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import SIDES, USUAL, Columns, Pair
from ivan_core.domain.transcripts import ASSISTANT_MARKER, HUMAN_MARKER, Dialogue, Role, Turn
from ivan_core.domain.words import is_unicode

MOST_LABELS = 1_000
"""So many of the source's own columns are kept, the first that are found."""
LONGEST_LABEL = 200
"""Characters in a value of a source's own column; one with longer values is text, and left out."""


class PairReader:
    """Numbers the good rows from 0 and keeps the others, named by line, in `bad`."""

    def __init__(self, columns: Columns = USUAL) -> None:
        self._taken, self._renames = columns, columns != USUAL
        self.bad: list[BadLine] = []
        self.left_out: set[str] = set()
        """The source's own columns that are no labels: long texts, lists and the like."""
        self.columns: dict[str, None] = {}
        """All columns found, in order, by the names that they have in the source."""
        self._kept: set[str] = set()

    def read(self, rows: Iterable[Line]) -> Iterator[tuple[Pair, dict[str, Any]]]:
        """Good rows as pairs, each with the values of the source's own columns.

        Raises:
            BadInput: no row is a pair.
        """
        count = 0
        found = self.columns.keys()
        for line in rows:
            if isinstance(line, BadLine):
                self.bad.append(line)
                continue
            number, row = line
            if not found >= row.keys():
                self.columns.update(dict.fromkeys(row))
                check_prompts(self.columns, self._taken)
            if self._renames:
                row = self._taken.take(row)
            try:
                chosen, rejected, tied, no_labels = read_sides(row)
            except NotAPair as why:
                self.bad.append(BadLine(number, str(why)))
                continue
            if not (is_unicode(chosen.text) and is_unicode(rejected.text)):
                self.bad.append(BadLine(number, "half a character (a lone surrogate)"))
                continue
            subset = row.get("subset")
            named = str(subset) if _is_label(subset) else ""
            pair = Pair(count, chosen, rejected, named, tied)
            yield pair, self._labels(row, no_labels)
            count += 1
        if not count:
            raise self._no_pairs(list(self.columns))

    def _labels(self, row: dict[str, Any], no_labels: frozenset[str]) -> dict[str, Any]:
        labels = {}
        for name, value in row.items():
            if name in no_labels or value is None:
                continue
            if _is_label(value) and (name in self._kept or self._keeps(name)):
                labels[name] = value
            else:
                self.left_out.add(name)
        return labels

    def _keeps(self, name: str) -> bool:
        """Whether a column not met before is one of those whose labels are kept."""
        fits = len(self._kept) < MOST_LABELS and len(name) <= LONGEST_LABEL and is_unicode(name)
        if fits:
            self._kept.add(name)
        return fits

    def _no_pairs(self, columns: list[str]) -> BadInput:
        if columns and not set(self._taken.needed) <= set(columns):
            return WrongColumns(columns, self._taken)
        if not self.bad:
            return BadInput(
                "The data holds no rows.", "It needs rows with the columns chosen and rejected."
            )
        named = "; ".join(f"line {line.line}: {line.reason}" for line in self.bad[:3])
        lines = f"None of {len(self.bad)} lines" if len(self.bad) > 1 else "The only line"
        return BadInput(
            f"{lines} holds {'no' if len(self.bad) == 1 else 'a'} pair ({named}).",
            f"Each line needs a text under {' and under '.join(self._taken.needed)}.",
        )


SYSTEM, PROMPT = "system", "prompt"
SCORES = ("score_chosen", "score_rejected")
_NO_LABELS = frozenset((*SIDES, PROMPT, *BASE_COLUMNS))
_ROLES: dict[str, Role] = {
    "system": "System",
    "user": "Human",
    "human": "Human",
    "assistant": "Assistant",
    "gpt": "Assistant",
}
_CRLF_MARKER = re.compile(r"\r\n\r\n(?=(?:Human|Assistant):)")
_BEGINS = re.compile(r"\s*Human:")
_LONGEST_NAMED = 40

Messages = tuple[tuple[Role, str], ...]


class NotAPair(ValueError):
    """Why a row holds no pair."""


class Sides(NamedTuple):
    """Both dialogues of a row.

    `tied`: the row gives both replies the same score, so that none of them was preferred.
    `no_labels`: the columns that are a part of the dialogues, or have the name of one of ours.
    """

    chosen: Dialogue
    rejected: Dialogue
    tied: bool
    no_labels: frozenset[str]


def read_sides(row: dict[str, Any]) -> Sides:
    """Both sides of a row, each with its prompt and its system text where the row has them.

    Raises:
        NotAPair: a side is missing, or holds what is no text, with the reason.
    """
    plain = _transcripts(row)
    if plain is not None:
        return plain
    values = {side: _value(row, side) for side in SIDES}
    missing = [side for side, value in values.items() if value is None]
    if missing:
        raise NotAPair(f"no text under {' and '.join(missing)}")
    prompt = _value(row, PROMPT) if row.get(PROMPT) is not None else None
    # One side alone may begin like a transcript: a reply may speak of anything.
    whole = all(_is_whole(value, prompt) for value in values.values() if isinstance(value, str))
    system = row.get(SYSTEM)
    given = system if isinstance(system, str) and system.strip() else ""
    chosen, rejected = (
        _with_system(_side(values[side], prompt or None, whole), given) for side in SIDES
    )
    no_labels = _NO_LABELS | {SYSTEM} if isinstance(system, str) else _NO_LABELS
    return Sides(chosen, rejected, _is_tied(row), no_labels)


def _transcripts(row: dict[str, Any]) -> Sides | None:
    """What most rows are: two transcripts and nothing beside them that belongs to them."""
    chosen, rejected = row.get("chosen"), row.get("rejected")
    if not (isinstance(chosen, str) and isinstance(rejected, str)):
        return None
    if row.get(PROMPT) is not None or isinstance(row.get(SYSTEM), str):
        return None
    return Sides(_transcript(chosen), _transcript(rejected), _is_tied(row), _NO_LABELS)


def _transcript(text: str) -> Dialogue:
    if text.startswith(HUMAN_MARKER):  # nearly all: nothing to mend, and no marked turns
        return Dialogue(text)
    return Dialogue.of_transcript(_with_line_feeds(text))


def _is_tied(row: dict[str, Any]) -> bool:
    if SCORES[0] not in row:
        return False
    scores = [row.get(name) for name in SCORES]
    numbers = [_number(score) for score in scores]
    return None not in numbers and numbers[0] == numbers[1]


def _number(score: object) -> float | None:
    """A score as a number; a CSV gives it as text."""
    if isinstance(score, bool) or not isinstance(score, int | float | str):
        return None
    try:
        return float(score)
    except (ValueError, OverflowError):
        return None


def _value(row: dict[str, Any], column: str) -> str | Messages | None:
    """A column as text or messages; None if it is neither.

    Raises:
        NotAPair: it holds something that is no text, named.
    """
    value = row.get(column)
    if isinstance(value, str):
        return _with_line_feeds(value)
    if isinstance(value, list) and (column == PROMPT or value):
        if all(isinstance(message, dict) for message in value):
            return tuple(_message(message, column) for message in value)
        if column == PROMPT:
            raise NotAPair("prompt holds something that is no message")
    elif column == PROMPT:
        raise NotAPair("prompt is neither a text nor messages")
    return None


def _with_line_feeds(text: str) -> str:
    """A transcript whose turns stand after CR LF; other line ends stay as they are."""
    if HUMAN_MARKER in text or ASSISTANT_MARKER in text:
        return text
    return _CRLF_MARKER.sub("\n\n", text)


def _message(message: dict[str, Any], column: str) -> tuple[Role, str]:
    for call in ("tool_calls", "function_call"):
        if message.get(call):
            raise NotAPair(f"{column} holds a tool call, which is no text")
    role = message.get("role") or message.get("from")
    name = role.strip().lower() if isinstance(role, str) else ""
    if name not in _ROLES:
        raise NotAPair(
            f"{column} holds a message of the role {_named(role)}"
            if role is not None
            else f"{column} holds a message without a role"
        )
    content = message.get("content")
    if content is None:
        content = message.get("value")
    if isinstance(content, list):
        content = "".join(_part(part, column) for part in content)
    if not isinstance(content, str):
        raise NotAPair(f"{column} holds a message without text")
    return _ROLES[name], content


def _part(part: object, column: str) -> str:
    """The text of one part of a message's content."""
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    text = part.get("text") if isinstance(part, dict) else None
    if kind == "text" and isinstance(text, str):
        return text
    raise NotAPair(f"{column} holds a part of the type {_named(kind)}, which is no text")


def _named(value: object) -> str:
    words = str(value)
    return repr(words if len(words) <= _LONGEST_NAMED else f"{words[:_LONGEST_NAMED]}…")


def _is_whole(text: str, prompt: str | Messages | None) -> bool:
    """Whether a text is the whole dialogue as a transcript rather than the reply alone.

    Beside a prompt it has to repeat what the prompt asks: a reply may be a transcript itself.
    """
    if not prompt:
        return True
    before, marker, _ = text.rpartition(ASSISTANT_MARKER)
    if not marker:
        return False
    begins = _BEGINS.match(text) is not None
    asked = _words(_asked(prompt))
    if not asked:
        return begins
    opens = _is_open(prompt) and text.strip().startswith(prompt.strip())
    return opens or ((begins or HUMAN_MARKER in before) and asked in _words(before))


def _asked(prompt: str | Messages) -> str:
    """What a prompt asks: its last human turn, or all of it where it has no turns."""
    if not isinstance(prompt, str):
        return next((text for role, text in reversed(prompt) if role == "Human"), prompt[-1][1])
    # A stripped transcript begins with its first role.
    told = Dialogue.of_transcript(f"\n\n{prompt.strip()}")
    return next(
        (turn.words for turn in reversed(told.turns) if turn.role == "Human"), told.preamble
    )


def _words(text: str) -> str:
    """A text for comparing, whatever white space it has."""
    return " ".join(text.split())


def _is_open(prompt: str | Messages) -> TypeGuard[str]:
    """Whether a prompt is a text that ends in the marker of the reply."""
    return isinstance(prompt, str) and prompt.rstrip().endswith(ASSISTANT_MARKER)


def _side(value: str | Messages | None, prompt: str | Messages | None, whole: bool) -> Dialogue:
    """One side with the prompt before it, where it is the reply alone."""
    told: Messages = (("Assistant", value),) if isinstance(value, str) else value or ()
    if isinstance(value, str) and whole:
        return Dialogue.of_transcript(value)
    if not prompt:
        return Dialogue.of_messages(told)
    if not isinstance(prompt, str):
        return Dialogue.of_messages(_after_messages(prompt, told))
    if told[0][0] != "Assistant":
        return Dialogue.of_messages(told)
    if HUMAN_MARKER not in prompt and _is_open(prompt):
        prompt = f"{HUMAN_MARKER} {prompt}"
    if HUMAN_MARKER in prompt:
        return _after_transcript(Dialogue.of_transcript(prompt), told, isinstance(value, str))
    if isinstance(value, str):
        turns = (Turn("Human", f" {prompt}"), Turn("Assistant", f" {value}"))
        return Dialogue("").with_turns("", turns)
    return Dialogue.of_messages((("Human", prompt), *told))


def _after_messages(prompt: Messages, told: Messages) -> Messages:
    """The messages of a side after those of the prompt, as far as they do not repeat them."""
    if told[0][0] == "Assistant":
        return (*prompt, *told)
    asked = [_words(text) for role, text in prompt if role == "Human"]
    repeated = [_words(text) for role, text in told if role == "Human"][: len(asked)] == asked
    if told[0][0] == "System":  # it has the instructions, and so the whole dialogue
        return told
    if not repeated:
        return (*prompt, *told)
    opening = next((i for i, (role, _) in enumerate(prompt) if role != "System"), len(prompt))
    return (*prompt[:opening], *told)


def _after_transcript(opening: Dialogue, told: Messages, goes_on: bool) -> Dialogue:
    """Messages after the transcript of a prompt, which may end in the marker of the reply."""
    turns, first, rest = opening.turns, told[0][1], told[1:]
    begun = turns[-1] if turns[-1].role == "Assistant" and not turns[-1].words else None
    # A text goes on where the prompt stops, white space included; a message begins of its own.
    reply = Turn("Assistant", begun.content + first if begun and goes_on else f" {first}")
    kept = turns[:-1] if begun else turns
    more = tuple(Turn(role, f" {text}") for role, text in rest)
    return opening.with_turns(opening.preamble, (*kept, reply, *more))


def _with_system(dialogue: Dialogue, system: str) -> Dialogue:
    """The dialogue with the text of a system column as its first turn."""
    if not system:
        return dialogue
    own = next((turn for turn in dialogue.turns if turn.role == "System"), None)
    if own is not None:
        if own.words != system.strip():
            raise NotAPair("the column system and the messages hold different system texts")
        return dialogue
    preamble = dialogue.preamble
    before: Messages = ()
    if not dialogue.turns:
        before = (("Assistant", preamble),)
    elif preamble.strip():
        before = (("Human", preamble.strip()),)
    return Dialogue.of_messages((("System", system), *before, *dialogue.messages))


def _is_label(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_LABEL and is_unicode(value)
    return isinstance(value, int | float | bool)
