"""Word differences between two texts, for reading them side by side."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

Piece = tuple[str, bool]
"""A stretch of text and whether it is only on this side."""

MOST_TOKENS = 4_000
_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


def word_differences(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces that are shared or their own; joined, they give the text back.

    Texts of more than 4,000 tokens are not compared: each comes back as one shared piece.
    """
    a, b = _TOKEN.findall(left), _TOKEN.findall(right)
    if max(len(a), len(b)) > MOST_TOKENS:
        return _whole(left), _whole(right)
    ours: list[Piece] = []
    theirs: list[Piece] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        own = kind != "equal"
        if i2 > i1:
            ours.append(("".join(a[i1:i2]), own))
        if j2 > j1:
            theirs.append(("".join(b[j1:j2]), own))
    return _joined(ours), _joined(theirs)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """The same pieces with a shared space between two own words taken as own: one mark, not two."""
    joined: list[Piece] = []
    for place, (text, own) in enumerate(pieces):
        inside = 0 < place < len(pieces) - 1 and pieces[place - 1][1] and pieces[place + 1][1]
        own = own or (inside and text.isspace() and "\n" not in text)
        if joined and joined[-1][1] == own:
            joined[-1] = (joined[-1][0] + text, own)
        else:
            joined.append((text, own))
    return joined


def _whole(text: str) -> list[Piece]:
    return [(text, False)] if text else []
