"""A text in sentences: pieces that, joined, give the text back byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

MOST_PIECES = 40
"""A longer text lies in longer pieces: neighbours are joined until there are no more than that."""

_CLOSING = "\"'”’»)\\]}*_」』）】》"
_OPENING = "\"'“‘«([{*_「『（【《¿¡ \t"
# A span of code is one match, so that nothing inside it is taken for the end of a sentence.
_ENDS = re.compile(
    rf"(?P<code>`[^`\n]+`)|(?P<marks>[.!?…؟।۔]+)(?P<closed>[{_CLOSING}]*)(?=\s)"
    rf"|(?P<wide>[。！？｡]+)[{_CLOSING}]*"
)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+•‣–—]\s|#{1,6}\s|>|\||\(?(?:\d{1,3}|[A-Za-z])[.)]\s)")
_HEADING = re.compile(r"\s*#{1,6}\s")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘«*_]*$")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_ENUMERATOR = re.compile(r"[\s*_(]*(?:\d{1,3}|[A-Za-z])")

_TITLES = re.compile("Dr|Mr|Mrs|Ms|Prof|St|Gen|Rep|Sen|Gov|Lt|Col|Capt|Sgt|Rev|Hon|Mt|Ft")
_NEVER_LAST = re.compile("e[.]?g|i[.]?e|vs|cf|viz|al|approx|resp|incl", re.IGNORECASE)
_BEFORE_NUMBERS = re.compile("nos?|figs?|pp?|vol|ch|sec|eq|art", re.IGNORECASE)
_MAY_BE_LAST = frozenset(("a.m", "p.m", "I"))
_WRAPPED_FROM = 50
"""A line at least this long may have been broken in the middle of a sentence."""


def sentences(text: str, most: int = MOST_PIECES) -> list[str]:
    """The sentences of a text, each with the white space after it; at most `most` of them.

    A piece ends after `.`, `!`, `?`, an ellipsis or a CJK full stop, and where a line ends that is
    not merely wrapped: list items, headings and paragraphs stand alone. A fenced block of code is
    one piece. Abbreviations, initials, decimals and numbers of a list end nothing; where that
    cannot be told, pieces stay whole.
    """
    pieces = [
        piece for block, code in _blocks(text) for piece in ([block] if code else _cut(block))
    ]
    return _at_most(_with_words(pieces), most)


def _blocks(text: str) -> Iterator[tuple[str, bool]]:
    """Parts that no sentence crosses, and whether each is a fenced block of code."""
    block: list[str] = []
    before, fence, worded = "", "", False
    for line in _LINE.findall(text):
        opened = _FENCE.match(line)
        if fence:
            block.append(line)
            if opened and opened[1] == fence:
                yield "".join(block), True
                block, fence, worded = [], "", False
        elif opened or (worded and line.strip() and _starts_anew(before, line)):
            if block:
                yield "".join(block), False
            block, fence, worded = [line], opened[1] if opened else "", True
        else:
            block.append(line)
            worded = worded or bool(line.strip())
        before = line
    if block:
        yield "".join(block), bool(fence)


def _starts_anew(before: str, line: str) -> bool:
    """Whether a line begins something of its own rather than going on with the line before it."""
    ended = before.rstrip()
    if not ended or _ITEM.match(line) or _HEADING.match(before):
        return True
    if line.lstrip()[0].islower():
        return False
    return len(ended) < _WRAPPED_FROM or ended.rstrip("\"'”’»)]}*_")[-1:] in tuple(".!?…:;。！？｡")


def _cut(block: str) -> Iterator[str]:
    start = 0
    for found in _ENDS.finditer(block):
        if found["code"]:
            continue
        after = found.end()
        while after < len(block) and block[after].isspace():
            after += 1
        if after == len(block):
            break
        if found["wide"] or _ends_here(block, start, found, after):
            yield block[start:after]
            start = after
    yield block[start:]


def _ends_here(block: str, start: int, found: re.Match[str], after: int) -> bool:
    marks = found["marks"]
    following = block[after : after + 8].lstrip(_OPENING)[:1]
    gentle = "." in marks or "…" in marks or found["closed"]
    if following.islower() and gentle:
        return False
    if marks != ".":
        return True
    if _ENUMERATOR.fullmatch(block, start, found.start()):
        return False
    return not _abbreviated(block[max(start, found.start() - 24) : found.start()], following)


def _abbreviated(before: str, following: str) -> bool:
    """Whether a full stop after these characters belongs to the word, not to the sentence."""
    found = _LAST_WORD.search(before)
    word = found.group() if found else ""
    if word in _MAY_BE_LAST:
        return False
    if _TITLES.fullmatch(word) or _NEVER_LAST.fullmatch(word):
        return True
    if _BEFORE_NUMBERS.fullmatch(word) and following.isdigit():
        return True
    return bool(_INITIALS.fullmatch(word))


def _with_words(pieces: list[str]) -> list[str]:
    """Pieces that hold at least a letter or digit; rulers and the like go with a neighbour."""
    kept: list[str] = []
    waiting = ""
    for piece in pieces:
        if any(character.isalnum() for character in piece):
            kept.append(waiting + piece)
            waiting = ""
        elif kept:
            kept[-1] += piece
        else:
            waiting += piece
    return [*kept, waiting] if waiting else kept


def _at_most(pieces: list[str], most: int) -> list[str]:
    while len(pieces) > 4 * most:
        pieces = ["".join(pieces[i : i + 2]) for i in range(0, len(pieces), 2)]
    while len(pieces) > most:
        sizes = [len(a) + len(b) for a, b in pairwise(pieces)]
        at = sizes.index(min(sizes))
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
    return pieces
