"""Why a pair has no place in a format: each reason is a phrase that a summary counts."""

from __future__ import annotations

from ivan_core.domain.pairs import TIED, Pair
from ivan_core.domain.transcripts import ASSISTANT_MARKER, HUMAN_MARKER, Dialogue


def no_preference(pair: Pair) -> str:
    """A tie, or twice the same text: there is no better reply to learn from."""
    return pair.unrated


def tie(pair: Pair) -> str:
    return TIED if pair.tied else ""


def no_reply(pair: Pair) -> str:
    return "a side has no reply" if any(side.ends_in_human_turn for side in _sides(pair)) else ""


def two_prompts(pair: Pair) -> str:
    return "the two prompts differ" if pair.prompts_differ else ""


def nobodys_text(pair: Pair) -> str:
    """Messages have no place for what stands before the first turn."""
    odd = any(side.preamble.strip() or not side.turns for side in _sides(pair))
    return "text that is nobody's turn" if odd else ""


def prompt_ends_oddly(pair: Pair) -> str:
    """A prompt of messages begins with the system text, if any, and ends in a person's words."""
    roles = pair.chosen.roles[:-1]
    if not roles or roles[-1] != "Human":
        return "the prompt does not end in a person's words"
    return "a system text within the dialogue" if "System" in roles[1:] else ""


def no_transcript(pair: Pair) -> str:
    """What has no place between the markers of turns; see `Dialogue.exact`."""
    return next((why for side in _sides(pair) if side.exact and (why := _inexact(side))), "")


def nobody_asks(pair: Pair) -> str:
    return "nobody says anything before the reply" if "Human" not in pair.chosen.roles else ""


def _inexact(dialogue: Dialogue) -> str:
    if "System" in dialogue.roles:
        return "a system text, which a transcript cannot hold"
    markers = (HUMAN_MARKER, ASSISTANT_MARKER)
    # A message that ends in line feeds may make a marker together with what follows it.
    if any(marker in text for _, text in dialogue.messages for marker in markers):
        return "a marker of turns within a message, which would take it apart"
    return "white space around a message, which a transcript would lose"


def _sides(pair: Pair) -> tuple[Dialogue, Dialogue]:
    return pair.chosen, pair.rejected
