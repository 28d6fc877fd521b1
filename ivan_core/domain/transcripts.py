"""Transcripts: the `\\n\\nHuman:` / `\\n\\nAssistant:` form of a dialogue, parsed without loss."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

Role = Literal["Human", "Assistant"]

ASSISTANT_MARKER = "\n\nAssistant:"
HUMAN_MARKER = "\n\nHuman:"
_MARKER = re.compile(r"\n\n(Human|Assistant):")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it stands: `content` is all after the marker, leading space included."""

    role: Role
    content: str

    @property
    def words(self) -> str:
        """The content as a person reads it: white space stripped from both ends."""
        return self.content.strip()


@dataclass(frozen=True)
class Dialogue:
    """A transcript and its turns; `preamble` is what stands before the first marker, if any."""

    text: str

    @cached_property
    def _parsed(self) -> tuple[str, tuple[Turn, ...]]:
        # re.split with one group gives: preamble, role, content, role, content, ...
        preamble, *rest = _MARKER.split(self.text)
        turns = tuple(
            Turn("Human" if role == "Human" else "Assistant", content)
            for role, content in zip(rest[0::2], rest[1::2], strict=True)
        )
        return preamble, turns

    @property
    def preamble(self) -> str:
        return self._parsed[0]

    @property
    def turns(self) -> tuple[Turn, ...]:
        return self._parsed[1]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text, 32 hex digits: the identity of a text in caches and cards."""
        return text_hash(self.text)

    @property
    def ends_in_human_turn(self) -> bool:
        return bool(self.turns) and self.turns[-1].role == "Human"

    @property
    def first_human_turn(self) -> str:
        """The first thing the person says; empty if nobody does."""
        return next((turn.words for turn in self.turns if turn.role == "Human"), "")

    @property
    def reply(self) -> str | None:
        """The last reply: all after the last Assistant marker, stripped; None if there is none."""
        split = self.split_last_reply()
        return None if split is None else split[1]

    def split_last_reply(self) -> tuple[str, str] | None:
        """(question, answer): all before the last Assistant marker and all after it, both stripped.

        None where there is no Assistant turn. Splitting at the word "Assistant:" alone would cut
        inside replies that mention it.
        """
        question, marker, answer = self.text.rpartition(ASSISTANT_MARKER)
        return (question.strip(), answer.strip()) if marker else None


def print_transcript(preamble: str, turns: tuple[Turn, ...]) -> str:
    """The text form of parsed turns; the inverse of parsing, byte for byte."""
    return preamble + "".join(f"\n\n{turn.role}:{turn.content}" for turn in turns)


def text_hash(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes (lone surrogates kept apart), 32 hex digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
