"""Two dialogues under chosen and rejected: transcripts, messages, or replies to a prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

from ivan_core.datasets.layouts.messages import Messages, NotAPair, message_of
from ivan_core.datasets.layouts.shape import number_in
from ivan_core.datasets.prepared import BASE_COLUMNS
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.transcripts import ASSISTANT_MARKER, HUMAN_MARKER, Dialogue, Turn

SYSTEM, PROMPT = "system", "prompt"
SCORES = ("score_chosen", "score_rejected")
_NO_LABELS = frozenset((*SIDES, PROMPT, *BASE_COLUMNS))
_CRLF_MARKER = re.compile(r"\r\n\r\n(?=(?:Human|Assistant):)")
_BEGINS = re.compile(r"\s*Human:")


class Sides(NamedTuple):
    """Both dialogues of a row.

    `strength`: how far the scores of both replies lie apart; None where the row has no scores.
    `no_labels`: the columns that are a part of the dialogues, or have the name of one of ours.
    """

    chosen: Dialogue
    rejected: Dialogue
    strength: float | None
    no_labels: frozenset[str]

    @property
    def tied(self) -> bool:
        """The row gives both replies the same score, so that none of them was preferred."""
        return self.strength == 0


def read_sides(row: Mapping[str, Any]) -> Sides:
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
    return Sides(chosen, rejected, _strength(row), no_labels)


def _transcripts(row: Mapping[str, Any]) -> Sides | None:
    """What most rows are: two transcripts and nothing beside them that belongs to them."""
    chosen, rejected = row.get("chosen"), row.get("rejected")
    if not (isinstance(chosen, str) and isinstance(rejected, str)):
        return None
    if row.get(PROMPT) is not None or isinstance(row.get(SYSTEM), str):
        return None
    return Sides(_transcript(chosen), _transcript(rejected), _strength(row), _NO_LABELS)


def _transcript(text: str) -> Dialogue:
    if text.startswith(HUMAN_MARKER):  # nearly all: nothing to mend, and no marked turns
        return Dialogue(text)
    return Dialogue.of_transcript(_with_line_feeds(text))


def _strength(row: Mapping[str, Any]) -> float | None:
    if SCORES[0] not in row:
        return None
    one, other = (number_in(row.get(name)) for name in SCORES)
    return None if one is None or other is None else abs(one - other)


def _value(row: Mapping[str, Any], column: str) -> str | Messages | None:
    """A column as text or messages; None if it is neither.

    Raises:
        NotAPair: it holds something that is no text, named.
    """
    value = row.get(column)
    if isinstance(value, str):
        return _with_line_feeds(value)
    if isinstance(value, list) and (column == PROMPT or value):
        if all(isinstance(message, dict) for message in value):
            return tuple(message_of(message, column) for message in value)
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
    if not _is_transcript(prompt):
        return prompt
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


def _is_transcript(prompt: str) -> bool:
    """Whether a prompt has turns: what a person says may hold a marker, but not at either end."""
    return _is_open(prompt) or _BEGINS.match(prompt) is not None


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
    if HUMAN_MARKER in prompt and _is_transcript(prompt):
        return _after_transcript(Dialogue.of_transcript(prompt), told, isinstance(value, str))
    if isinstance(value, str):
        return one_turn(prompt, value)
    return Dialogue.of_messages((("Human", prompt), *told))


def one_turn(prompt: str, reply: str) -> Dialogue:
    """A reply after the one turn of a person, whatever stands in them."""
    turns = (Turn("Human", f" {prompt}"), Turn("Assistant", f" {reply}"))
    return Dialogue("").with_turns("", turns)


def after_prompt(row: Mapping[str, Any], column: str) -> Dialogue:
    """The dialogue of a reply alone under a column, after the row's prompt, each as text or
    messages; messages that begin with what a person asks are all of it.

    Raises:
        NotAPair: one of them is missing, or holds what is no text.
    """
    prompt, reply = _value(row, PROMPT), _value(row, column)
    if reply is None:
        raise NotAPair(f"no text under {column}")
    return _side(reply, prompt or None, False)


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
