"""Two texts in short, as a list shows them: from where they part, the words that differ told apart.

Only beginnings are compared, so that fifty rows take no longer than a page may.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ivan_core.metrics.differences import MOST_APART, Piece, share_apart, word_differences

Pieces = tuple[Piece, ...]
"""A text in stretches, each with whether only this text has it."""
SHORT = 160
"""Characters of a text that a list shows."""
_READ = 4_000
"""Characters of a text that are read for that: it may have millions."""
_COMPARED = 400
"""Characters that are compared, from shortly before the place where the texts part."""
_SHARED = 60
"""Characters that both may begin with before what they share is left out..."""
_BEFORE = 24
"""... but for so many, or a few less: a word stays whole."""


def snippet(text: str | None) -> str:
    """The first words of a text on one line."""
    if text is None:
        return "(no reply)"
    flat = _flat(text)
    return (flat[: SHORT - 1] + "…" if len(flat) > SHORT else flat) or "(empty reply)"


def beside(text: str | None, other: str | None) -> Pieces:
    """The first words of a text, those marked that another text has not.

    Where both begin alike for long, from shortly before they part. Nothing is marked where nearly
    all words differ, or where one of the texts is missing. What one text shares with the other, the
    other shares with it: both are compared once.
    """
    if not text or not other or text == other:
        return ((snippet(text), False),)
    left, right = _both(*sorted((text[:_READ], other[:_READ])))
    return left if text < other else right


@lru_cache(maxsize=1_024)
def _both(left: str, right: str) -> tuple[Pieces, Pieces]:
    """The first words of each of two texts."""
    ours, theirs = _flat(left), _flat(right)
    start = _start(ours, theirs)
    compared = None
    if ours and theirs and ours != theirs:
        compared = word_differences(ours[start:][:_COMPARED], theirs[start:][:_COMPARED])
    if compared is None or share_apart(*compared) > MOST_APART:
        return ((snippet(left), False),), ((snippet(right), False),)
    return _shown(ours, compared[0], start), _shown(theirs, compared[1], start)


def _shown(flat: str, compared: Iterable[Piece], start: int) -> Pieces:
    """As many pieces of a text as fit, from the place where its comparison began."""
    pieces: list[Piece] = [("… ", False)] if start else []
    room = SHORT
    for words, apart in compared:
        pieces.append((words[:room], apart))
        room -= len(words)
        if room <= 0:
            break
    if start + SHORT < len(flat):
        pieces.append(("…", False))
    return tuple(pieces)


def _start(ours: str, theirs: str) -> int:
    """Where to begin: 0, or a word shortly before the place where the texts part."""
    both = enumerate(zip(ours, theirs, strict=False))
    shared = next((place for place, (a, b) in both if a != b), min(len(ours), len(theirs)))
    if shared <= _SHARED:
        return 0
    word = ours.rfind(" ", 0, shared - _BEFORE)
    return word + 1


def _flat(text: str) -> str:
    return " ".join(text[:_READ].split())
