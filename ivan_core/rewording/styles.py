"""The styles of rewording: instructions from versioned files, and the text behind a fence.

The text is put in once, by joining lines, never by formatting, so nothing that stands in it can
act on the instructions.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files

from ivan_core.domain.rewriting import STYLES, TEMPERATURES, RewriteRequest, Scope, Style
from ivan_core.labels.prompt import fenced
from ivan_core.rewording.pieces import Piece

VERSIONS: dict[Style, str] = {
    "published": "published-v1",
    "second": "second-v1",
    "surface": "surface-v1",
}
"""What each style is made by now: a file of instructions, or for the surface change its rules.

A version is never edited once it was used: a changed one gets the next number.
"""
ASKED: tuple[Style, ...] = tuple(style for style in STYLES if style in TEMPERATURES)
"""The styles that a rewriter is asked for; the surface change is made here."""

_PROMPTS = files("ivan_core.rewording") / "prompts"
_AGAIN = "Reword the text again, by the same rules: the reworded text and nothing around it."


@lru_cache(maxsize=8)
def instructions(style: Style) -> str:
    """What a model is told before it is given a text; empty for the surface change."""
    if style not in ASKED:
        return ""
    return (_PROMPTS / f"{VERSIONS[style]}.txt").read_text("utf-8").strip()


def style_hash(style: Style) -> str:
    """16 hex digits of the version's name and all that it says to a model."""
    said = f"{VERSIONS[style]}\n{instructions(style)}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def build_request(piece: Piece, style: Style, attempt: int = 1, reason: str = "") -> RewriteRequest:
    """The request for one piece: the same input gives the same bytes.

    `reason` says in our words why the last answer could not be used; it is put after the fence.
    """
    scope: Scope = "whole" if piece.role == "dialogue" else "shared"
    user = fenced(piece.printed)
    if reason:
        user = f"{user}\n\nYour last answer could not be used. {reason} {_AGAIN}"
    return RewriteRequest(
        piece.key, style, scope, piece.printed, attempt, reason, instructions(style), user
    )
