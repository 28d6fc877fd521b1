"""Dialogues: sequences of turns, and the two forms of text in which they are kept.

A transcript in hh-rlhf's form, `\\n\\nHuman:` / `\\n\\nAssistant:`, is kept byte for byte. What a
transcript cannot hold is kept as marked turns: a system turn, a marker inside a message, white
space around a message that belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal, NamedTuple

Role = Literal["Human", "Assistant", "System"]

ASSISTANT_MARKER = "\n\nAssistant:"
HUMAN_MARKER = "\n\nHuman:"
_ROLES: dict[str, Role] = {"Human": "Human", "Assistant": "Assistant", "System": "System"}
CHAT_ROLES: dict[Role, str] = {"Human": "user", "Assistant": "assistant", "System": "system"}
_MARKER = re.compile(r"\n\n(Human|Assistant):")
# Marked turns: a sign in front says that there are system turns, and that a marker inside a
# message has an escape character more before its role than it has in the message itself.
_ESCAPE = "\x1e"
_SIGN = f"{_ESCAPE}turns:1"
_ANY_MARKER = re.compile(r"\n\n(Human|Assistant|System):")
_TO_ESCAPE = re.compile(rf"\n\n(?={_ESCAPE}*(?:Human|Assistant|System):)")
_ESCAPED = re.compile(rf"\n\n{_ESCAPE}(?={_ESCAPE}*(?:Human|Assistant|System):)")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it stands: `content` is all after the marker, leading space included."""

    role: Role
    content: str

    @property
    def words(self) -> str:
        """The content as a person reads it: white space stripped from both ends."""
        return self.content.strip()


class Outline(NamedTuple):
    """What is asked of every dialogue of a dataset, by the names that `Dialogue` has for it."""

    reply: str | None
    first_human_turn: str
    ends_in_human_turn: bool
    has_prompt: bool
    before_reply: str | None
    """All of a transcript before the last reply; all, where it ends in a Human turn.

    Two are parsed alike if and only if they are the same text. None of marked turns.
    """


@dataclass(frozen=True)
class Dialogue:
    """The turns of a dialogue; `preamble` is what stands before the first of them, if any.

    `text` is the form in which it is kept, compared and hashed; `printed` is what is read.
    """

    text: str

    @classmethod
    def of_transcript(cls, text: str) -> Dialogue:
        """A transcript in hh-rlhf's form, byte for byte."""
        if not text.startswith(_SIGN):
            return cls(text)
        return cls(_marked(*_split(_MARKER, text)))

    @classmethod
    def of_messages(cls, messages: Iterable[tuple[Role, str]]) -> Dialogue:
        """Messages as they are; kept as a transcript where a transcript gives the same back."""
        told = tuple(messages)
        printed = "".join([f"\n\n{role}: {text}" for role, text in told])
        # Turns are made where they are needed: the replies of a dataset are read one by one.
        plain = not any(role == "System" or text != text.strip() for role, text in told)
        if plain and _markers_in(printed) == len(told):
            return cls(printed)
        return cls(_marked("", tuple(Turn(role, f" {text}") for role, text in told)))

    @classmethod
    def hashed(cls, text: str, kept: str) -> Dialogue:
        """A kept text with the hash that was kept of it, so that it is not made again."""
        dialogue = cls(text)
        # A dictionary of its own, as vars() makes it, takes as long as the whole dialogue to make.
        object.__setattr__(dialogue, "hash", kept)
        return dialogue

    @property
    def exact(self) -> bool:
        """Kept as marked turns: the white space around a message is a part of it."""
        return self.text.startswith(_SIGN)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Who says each turn."""
        return tuple(turn.role for turn in self.turns)

    def with_turns(self, preamble: str, turns: tuple[Turn, ...]) -> Dialogue:
        """A dialogue made from this one, with other turns, kept in the same form if that can be."""
        printed = print_transcript(preamble, turns)
        if self.exact or not _gives_back(printed, turns):
            return Dialogue(_marked(preamble, turns))
        made = Dialogue(printed)
        vars(made)["_parsed"] = preamble, turns  # known: a long one is not read again
        return made

    def read_again(self, printed: str) -> Dialogue:
        """Other words for these turns, as they are printed; markers inside messages stay inside."""
        if not self.exact:
            return Dialogue.of_transcript(printed)
        preamble, found = _split(_ANY_MARKER, printed)
        inside = [len(_ANY_MARKER.findall(turn.content)) for turn in self.turns]
        own = _split(_ANY_MARKER, self.printed)[1]
        if [turn.role for turn in found] != [turn.role for turn in own] or len(own) != sum(
            1 + count for count in inside
        ):
            return self.with_turns(preamble, found)
        turns, at = [], 0
        for count in inside:
            first, *rest = found[at : at + 1 + count]
            turns.append(Turn(first.role, first.content + print_transcript("", tuple(rest))))
            at += 1 + count
        return self.with_turns(preamble, tuple(turns))

    @cached_property
    def _parsed(self) -> tuple[str, tuple[Turn, ...]]:
        if not self.exact:
            return _split(_MARKER, self.text)
        preamble, turns = _split(_ANY_MARKER, self.text.removeprefix(_SIGN))
        told = tuple(Turn(turn.role, _ESCAPED.sub("\n\n", turn.content)) for turn in turns)
        return _ESCAPED.sub("\n\n", preamble), told

    @property
    def preamble(self) -> str:
        return self._parsed[0]

    @property
    def turns(self) -> tuple[Turn, ...]:
        return self._parsed[1]

    @property
    def printed(self) -> str:
        """The text as people, labelers and encoders read it: each turn after `\\n\\n` and its role.

        Where a message holds a marker it cannot be parsed again; a transcript is as it was.
        """
        return print_transcript(*self._parsed) if self.exact else self.text

    @property
    def messages(self) -> tuple[tuple[Role, str], ...]:
        """Role and text of each turn: as it was given, or stripped where a transcript was given."""
        if self.exact:
            return tuple((turn.role, turn.content.removeprefix(" ")) for turn in self.turns)
        return tuple((turn.role, turn.words) for turn in self.turns)

    @property
    def readable(self) -> str | list[dict[str, str]]:
        """What a file holds so that it reads back the same: the transcript, or chat messages."""
        if not self.exact or self.preamble:
            return self.printed
        return [{"role": CHAT_ROLES[role], "content": text} for role, text in self.messages]

    @property
    def without_system(self) -> Dialogue:
        """The dialogue without its system turns."""
        kept = tuple(turn for turn in self.turns if turn.role != "System")
        return self if len(kept) == len(self.turns) else self.with_turns(self.preamble, kept)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text, 32 hex digits: the identity of a text in caches and cards."""
        return text_hash(self.text)

    @property
    def outline(self) -> Outline:
        """All of it, found in one go."""
        if self.exact:
            return self._outline_of_turns()
        text = self.text
        before, marker, answer = text.rpartition(ASSISTANT_MARKER)
        reply = answer.strip() if marker else None
        ends_in_human = HUMAN_MARKER in answer
        _, human, asked = before.partition(HUMAN_MARKER)
        if not human:
            if not ends_in_human:
                has_prompt = bool(before.partition(ASSISTANT_MARKER)[0].strip())
                return Outline(reply, "", False, has_prompt, before if marker else text)
            asked = answer.partition(HUMAN_MARKER)[2]
        first = asked.partition(ASSISTANT_MARKER)[0].partition(HUMAN_MARKER)[0].strip()
        return Outline(reply, first, ends_in_human, True, text if ends_in_human else before)

    def _outline_of_turns(self) -> Outline:
        turns = self.turns
        asked = [turn.words for turn in turns if turn.role == "Human"]
        return Outline(
            self.reply,
            asked[0] if asked else "",
            bool(turns) and turns[-1].role != "Assistant",
            bool(asked) or bool(turns and self.preamble.strip()),
            None,
        )

    @property
    def ends_in_human_turn(self) -> bool:
        return self.outline.ends_in_human_turn

    @property
    def first_human_turn(self) -> str:
        """The first thing the person says; empty if nobody does."""
        return self.outline.first_human_turn

    @property
    def has_prompt(self) -> bool:
        """Whether anything is before the reply: a person's turn, or a text before the turns."""
        return self.outline.has_prompt

    def same_prompt(self, other: Dialogue) -> bool:
        """Whether all before the last reply is the same; all, where one ends in a Human turn."""
        if not (self.exact or other.exact):
            return self.outline.before_reply == other.outline.before_reply
        return (self.preamble, prompt_turns(self)) == (other.preamble, prompt_turns(other))

    @property
    def reply(self) -> str | None:
        """The last reply: all after the last Assistant marker, stripped; None if there is none."""
        split = self.split_last_reply()
        return None if split is None else split[1]

    def split_last_reply(self) -> tuple[str, str] | None:
        """(question, answer): what is printed before and after the last Assistant marker, stripped.

        None where there is no Assistant turn. A marker inside a message of marked turns is no
        marker, and the word "Assistant:" alone is none anywhere.
        """
        if not self.exact:
            question, marker, answer = self.text.rpartition(ASSISTANT_MARKER)
            return (question.strip(), answer.strip()) if marker else None
        turns = self.turns
        at = max((i for i, turn in enumerate(turns) if turn.role == "Assistant"), default=None)
        if at is None:
            return None
        answer = turns[at].content + print_transcript("", turns[at + 1 :])
        return print_transcript(self.preamble, turns[:at]).strip(), answer.strip()


def outlines(one: Dialogue, other: Dialogue) -> tuple[Outline, Outline]:
    """The outlines of both sides of a pair; a prompt that they share is looked through once."""
    found = one.outline
    reply, first, ends_in_human, has_prompt, prompt = found
    if not (prompt is None or reply is None or ends_in_human):
        before, marker, answer = other.text.rpartition(ASSISTANT_MARKER)
        if marker and before == prompt and HUMAN_MARKER not in answer:
            return found, Outline(answer.strip(), first, False, has_prompt, prompt)
    return found, other.outline


def prompt_turns(dialogue: Dialogue) -> tuple[Turn, ...]:
    """The turns before the last reply; all turns where the dialogue ends in a Human turn."""
    turns = dialogue.turns
    return turns[:-1] if turns and turns[-1].role == "Assistant" else turns


def print_transcript(preamble: str, turns: tuple[Turn, ...]) -> str:
    """The text form of parsed turns; for a transcript the inverse of parsing, byte for byte."""
    return preamble + "".join(f"\n\n{turn.role}:{turn.content}" for turn in turns)


def _split(marker: re.Pattern[str], text: str) -> tuple[str, tuple[Turn, ...]]:
    # re.split with one group gives: preamble, role, content, role, content, ...
    preamble, *rest = marker.split(text)
    told = zip(rest[0::2], rest[1::2], strict=True)
    return preamble, tuple(Turn(_ROLES[role], content) for role, content in told)


def _gives_back(printed: str, turns: tuple[Turn, ...]) -> bool:
    """Whether printed turns are read back as they are: no marker stands there beside their own."""
    return (
        _markers_in(printed) == len(turns)
        and not printed.startswith(_SIGN)
        and all(turn.role != "System" for turn in turns)
    )


def _markers_in(printed: str) -> int:
    """How many markers of turns there are: they cannot overlap, so as many as parsing finds."""
    return printed.count(HUMAN_MARKER) + printed.count(ASSISTANT_MARKER)


def _marked(preamble: str, turns: tuple[Turn, ...]) -> str:
    escaped = f"\n\n{_ESCAPE}"
    told = tuple(Turn(turn.role, _TO_ESCAPE.sub(escaped, turn.content)) for turn in turns)
    return _SIGN + print_transcript(_TO_ESCAPE.sub(escaped, preamble), told)


def text_hash(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes (lone surrogates kept apart), 32 hex digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
