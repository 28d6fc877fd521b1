"""Word differences between two texts, for reading them side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import Match, SequenceMatcher
from itertools import accumulate

Piece = tuple[str, bool]
"""A stretch of text and whether it is only on this side."""

MOST_CHARACTERS = 20_000
MOST_TOKENS = 4_000
"""Words and marks of the longer side that are compared at the most."""
MOST_STEPS = 1_500_000
"""Equal words that are looked at, at the most: about a tenth of a second."""
MOST_APART = 0.7
"""Share of words that differ above which marks would tell nothing: nearly all would be marked."""
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"(\w+|[^\w\s]|^)(\s*)")
_SPACE = re.compile(r"(\s+)")
_Token = tuple[str, str]
"""A word or mark, and the space after it; the space before the first word has the word ""."""


def word_differences(left: str, right: str) -> tuple[list[Piece], list[Piece]] | None:
    """Both texts in pieces that are shared or their own; joined, they give the text back.

    A word is compared with the space after it attached to it: where the words are the same, only
    spaces that differ are a side's own. None where the texts are too long, or repeat themselves too
    much, to be compared while somebody waits; that depends on the texts alone.
    """
    if left == right:
        return _joined([(left, False)]), _joined([(right, False)])
    if max(len(left), len(right)) > MOST_CHARACTERS:
        return None
    a, b = _TOKEN.findall(left), _TOKEN.findall(right)
    if max(len(a), len(b)) > MOST_TOKENS:
        return None
    try:
        runs = _Bounded([word for word, _ in a], [word for word, _ in b]).get_opcodes()
    except _TooManySteps:
        return None
    ours: list[Piece] = []
    theirs: list[Piece] = []
    for kind, i1, i2, j1, j2 in runs:
        if kind == "equal":
            for (word, space), (_, other) in zip(a[i1:i2], b[j1:j2], strict=True):
                ours += [(word, False), (space, space != other)]
                theirs += [(word, False), (other, space != other)]
        else:
            ours += _own(a[i1:i2])
            theirs += _own(b[j1:j2])
    return _joined(ours), _joined(theirs)


def share_apart(left: Sequence[Piece], right: Sequence[Piece]) -> float:
    """Which share of the words of two texts is on one side only; 0 where there are no words."""
    own = every = 0
    for text, apart in (*left, *right):
        words = len(_WORD.findall(text))
        every += words
        own += words if apart else 0
    return own / every if every else 0.0


class _TooManySteps(Exception):
    """The comparison would take too long."""


class _Bounded(SequenceMatcher[str]):
    """Finds what two lists share and gives up after `MOST_STEPS`.

    Texts such as "a a b a a b" beside "a b b a b b" take steps by the cube of their length.
    """

    def __init__(self, a: Sequence[str], b: Sequence[str]) -> None:
        super().__init__(None, a, b, autojunk=False)
        often = Counter(b)
        self._equal = [0, *accumulate(often[word] for word in a)]
        self._steps = 0

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        self._steps += self._equal[-1 if ahi is None else ahi] - self._equal[alo]
        if self._steps > MOST_STEPS:
            raise _TooManySteps
        return super().find_longest_match(alo, ahi, blo, bhi)


def _own(tokens: Sequence[_Token]) -> list[Piece]:
    """Words of one side as one mark; its last space and its line breaks stay unmarked."""
    pieces = _SPACE.split("".join(word + space for word, space in tokens))
    ends = len(pieces) - 2 if pieces[-1] == "" else len(pieces)
    return [
        (piece, place % 2 == 0 or ("\n" not in piece and place != ends))
        for place, piece in enumerate(pieces)
    ]


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """The same pieces, neighbours of a kind in one."""
    joined: list[Piece] = []
    for text, own in pieces:
        if text and joined and joined[-1][1] == own:
            joined[-1] = (joined[-1][0] + text, own)
        elif text:
            joined.append((text, own))
    return joined
