"""Why a pair has no place in a format: each reason is a phrase that a summary counts."""

from __future__ import annotations

from ivan_core.domain.pairs import Pair


def no_preference(pair: Pair) -> str:
    """A tie, or twice the same text: there is no better reply to learn from."""
    return pair.unrated


def no_reply(pair: Pair) -> str:
    sides = (pair.chosen, pair.rejected)
    return "a side has no reply" if any(side.ends_in_human_turn for side in sides) else ""


def two_prompts(pair: Pair) -> str:
    return "the two sides answer different prompts" if pair.prompts_differ else ""


def nobodys_text(pair: Pair) -> str:
    """Messages have no place for what stands before the first turn."""
    sides = (pair.chosen, pair.rejected)
    odd = any(side.preamble.strip() or not side.turns for side in sides)
    return "text that is nobody's turn" if odd else ""


def prompt_ends_oddly(pair: Pair) -> str:
    """A prompt of messages begins with the system text, if any, and ends in a person's words."""
    roles = pair.chosen.roles[:-1]
    if not roles or roles[-1] != "Human":
        return "the prompt does not end in a person's words"
    return "a system text within the dialogue" if "System" in roles[1:] else ""
