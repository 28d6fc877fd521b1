"""Prompt and replies as texts that people read, for formats that know no turns."""

from __future__ import annotations

from ivan_core.domain.pairs import Pair, Side
from ivan_core.domain.transcripts import Dialogue, Turn, print_transcript


def prompt_and_replies(pair: Pair) -> tuple[str, dict[Side, str]]:
    """What both sides begin with, and how each goes on, as they are read.

    A single turn stands without its role; several are a transcript.
    """
    shared = pair.shared_turns
    alike = pair.chosen.preamble == pair.rejected.preamble
    sides: dict[Side, Dialogue] = {"chosen": pair.chosen, "rejected": pair.rejected}
    return _read(pair.chosen.preamble if alike else "", shared), {
        side: _read("" if alike else one.preamble, one.turns[len(shared) :])
        for side, one in sides.items()
    }


def _read(preamble: str, turns: tuple[Turn, ...]) -> str:
    if len(turns) == 1 and not preamble.strip():
        return turns[0].words
    return print_transcript(preamble, turns).strip()


def no_text(pair: Pair) -> str:
    """Readers take an empty cell, and the word that pandas writes for one, for no reply at all."""
    replies = prompt_and_replies(pair)[1].values()
    return "a reply is empty" if any(reply in ("", "nan") for reply in replies) else ""
