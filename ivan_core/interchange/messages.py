"""Dialogues as chat messages."""

from __future__ import annotations

from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import CHAT_ROLES, Dialogue, prompt_turns

Message = dict[str, str]


def messages(dialogue: Dialogue) -> list[Message]:
    """Each turn with its role; white space around a turn of a transcript is no part of it."""
    return [{"role": CHAT_ROLES[role], "content": text} for role, text in dialogue.messages]


def prompt_and_replies(pair: Pair) -> tuple[list[Message], list[Message], list[Message]]:
    """The prompt that both sides share, and each side's own reply."""
    asked = len(prompt_turns(pair.chosen))
    chosen, rejected = messages(pair.chosen), messages(pair.rejected)
    return chosen[:asked], chosen[asked:], rejected[asked:]
