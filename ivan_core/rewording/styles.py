"""The styles of rewording: instructions to a model, or a change of the surface made without one.

Instructions come from versioned files; the text is put in once behind a fence, by joining lines,
never by formatting, so nothing that stands in it can act on them. The surface change is one of
punctuation and spaces only: it shows how far a reward moves where not even a word has changed. Each
run of letters and digits stays, and so does every role; the same text always gets the same change.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable
from functools import lru_cache, partial
from importlib.resources import files

from ivan_core.domain.rewriting import STYLES, TEMPERATURES, RewriteRequest, Scope, Style
from ivan_core.domain.transcripts import Dialogue, Turn, text_hash
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


_SHARE = 0.5
"""How likely each place that could be changed is changed."""
# Code and addresses mean something else with other punctuation: lines that hold any stay.
_MEANT_EXACTLY = re.compile(r"[`{}\[\]<>=\\|]|\w[:.]//|https?:|www\.|\S@\S|^(?: {4}|\t)")
_SPACED = {" ": "", "": " "}


def _quoted(found: re.Match[str]) -> str:
    """A straight quotation mark as a curly one, opening where a word follows; or back."""
    if found[0] != '"':
        return '"'
    return "“" if found.string[found.end() : found.end() + 1].isalnum() else "”"


_Change = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
_PLACES: tuple[_Change, ...] = (
    # Apostrophes, ellipses, dashes, quotation marks, marks inside a turn, spaces after them.
    (re.compile(r"(?<=[^\W_])['’](?=[^\W_])"), lambda m: "’" if m[0] == "'" else "'"),
    (re.compile(r"(?<!\.)\.\.\.(?!\.)|…"), lambda m: "…" if m[0] == "..." else "..."),
    (re.compile(r"(?<=[^\W_]) (–|—|--?) (?=[^\W_])"), lambda m: " - " if m[1] == "–" else " – "),
    (re.compile(r"(?<!\S)\"(?=[^\W_])|(?<=[^\W_.,!?])\"(?![^\s.,!?])|[“”]"), _quoted),
    (re.compile(r"(?<=[\w)”\"])( ?)(?=[!?] )"), lambda m: _SPACED[m[1]]),
    (re.compile(r"(?<=[.!?]) {1,2}(?=[^\W_])"), lambda m: " " if m[0] == "  " else "  "),
)
_AT_THE_END: tuple[_Change, ...] = (
    (re.compile(r"(?:(?<=[^\W_])|(?<=[)”\"]))\.?(?=\s*\Z)"), lambda m: "" if m[0] else "."),
    (re.compile(r"(?<=[\w)”\"])( ?)(?=[!?:]\s*\Z)"), lambda m: _SPACED[m[1]]),
)


def change_surface(text: str) -> str | None:
    """A transcript with other punctuation and spaces; None if none can be had.

    Apostrophes, quotation marks, dashes, ellipses, spaces between sentences and the full stop at
    the end of a turn change, each by a coin drawn from the text's hash; at least one of them does.
    """
    dialogue = Dialogue(text)
    coin = random.Random(text_hash(text))
    parts = [dialogue.preamble, *(turn.content for turn in dialogue.turns)]
    changed = [_changed(part, coin, _SHARE) for part in parts]
    # Some models do not see how many spaces there are, so spaces alone are the last choice.
    if _seen(changed) == _seen(parts):
        changed = [_changed(part, coin, 1.0) for part in parts]
    if changed == parts:
        changed = [_spaced(part) for part in parts]
    turns = tuple(
        Turn(turn.role, content) for turn, content in zip(dialogue.turns, changed[1:], strict=True)
    )
    made = dialogue.with_turns(changed[0], turns)
    same_turns = made.exact == dialogue.exact
    return made.text if made.text != text and same_turns else None


def _changed(content: str, coin: random.Random, share: float) -> str:
    """One turn with each place changed whose coin says so."""
    lines = content.splitlines(keepends=True)
    for at, line in enumerate(lines):
        if not _MEANT_EXACTLY.search(line):
            # An empty rest of lines: only there a full stop ends the turn.
            last = not "".join(lines[at + 1 :]).strip()
            lines[at] = _tossed(line, _PLACES + _AT_THE_END if last else _PLACES, coin, share)
    return "".join(lines)


def _tossed(line: str, places: tuple[_Change, ...], coin: random.Random, share: float) -> str:
    for pattern, change in places:
        line = pattern.sub(partial(_toss, change, coin, share), line)
    return line


def _toss(
    change: Callable[[re.Match[str]], str], coin: random.Random, share: float, found: re.Match[str]
) -> str:
    return change(found) if coin.random() < share else found[0]


def _spaced(content: str) -> str:
    """Where nothing else can be changed: a space more after the words."""
    words = content.rstrip()
    return f"{words} {content[len(words) :]}" if any(map(str.isalnum, words)) else content


def _seen(parts: list[str]) -> list[list[str]]:
    return [part.split() for part in parts]
