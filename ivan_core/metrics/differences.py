"""Word differences between two texts, for reading them side by side."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

Piece = tuple[str, bool]
"""A stretch of text and whether it is only on this side."""

MOST_TOKENS = 4_000
_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


def word_differences(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts cut into pieces that are shared or their own; joined, the pieces give the text back.

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
    return ours, theirs


def _whole(text: str) -> list[Piece]:
    return [(text, False)] if text else []
