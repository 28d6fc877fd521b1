"""Leaving parts of a reply out: the dialogue without them, and the shortest deletion that flips.

Nothing here scores a text: the search says which deletions it wants to know about and is told. The
parts are the reply's sentences or words: pieces that, joined, give it back byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

from ivan_core.domain.errors import BadInput
from ivan_core.domain.transcripts import Dialogue, Turn

BUDGET = 120
"""Deletions a search may have scored: all of one and two pieces of a reply of fifteen."""

_TURN_STARTS = re.compile(r"\n{2,}(?=(?:Human|Assistant):)")

Deletion = frozenset[int]
"""The numbers of the pieces left out; the first is 0."""


@dataclass(frozen=True, slots=True)
class ReplyInPieces:
    """A dialogue whose last reply lies in pieces; the white space around it is not theirs."""

    dialogue: Dialogue
    pieces: tuple[str, ...]

    def without(self, left_out: Collection[int]) -> Dialogue:
        """The dialogue with some pieces left out; with all of them its last reply is empty."""
        kept = [piece for i, piece in enumerate(self.pieces) if i not in left_out]
        return with_reply(self.dialogue, "".join(kept).strip())


def in_pieces(dialogue: Dialogue, cut: Callable[[str], list[str]] | None = None) -> ReplyInPieces:
    """A dialogue with its last reply in sentences, or as `cut` takes it apart.

    Raises:
        BadInput: it has no reply, or an empty one.
    """
    reply = last_reply(dialogue)
    if reply is None:
        raise BadInput("This side has no reply: the dialogue ends in a Human turn.")
    if not reply:
        raise BadInput("This side's reply is empty: there is nothing to leave out.")
    return ReplyInPieces(dialogue, tuple((cut or sentences)(reply)))


def last_reply(dialogue: Dialogue) -> str | None:
    """The last turn where it is a reply, the whole text where there are no turns; else None."""
    if not dialogue.turns:
        return dialogue.printed.strip()
    last = dialogue.turns[-1]
    return last.words if last.role == "Assistant" else None


def with_reply(dialogue: Dialogue, words: str) -> Dialogue:
    """The dialogue with these words as its last reply; the white space around the old one stays.

    Where a dialogue ends in a Human turn the words are added as a reply. They never become a turn
    of their own: blank lines before what a transcript would read as one are taken out.
    """
    preamble, turns = dialogue.preamble, dialogue.turns
    if not turns:
        text = _in_place_of(dialogue.printed, words)
        return dialogue.with_turns(_TURN_STARTS.sub("\n", text), ())
    if turns[-1].role != "Assistant":
        turns = (*turns, Turn("Assistant", " "))
    content = _in_place_of(turns[-1].content, words)
    if not dialogue.exact:
        content = _TURN_STARTS.sub("\n", content)
    return dialogue.with_turns(preamble, (*turns[:-1], Turn("Assistant", content)))


def _in_place_of(content: str, words: str) -> str:
    if not words:
        return ""
    old = content.strip()
    if not old:
        return f" {words}"
    at = content.index(old)
    return content[:at] + words + content[at + len(old) :]


def holds_a_turn(words: str) -> bool:
    """Whether a reply would be read as more than one turn."""
    return bool(Dialogue(words).turns)


@dataclass(frozen=True, slots=True)
class Flip:
    """What a search found.

    `left_out` is None where no deletion that was tried flips the verdict. `tried` of the `possible`
    deletions (some pieces, not all of them) were scored. `shortest` tells that every deletion of
    fewer pieces, and every one of as many, was among them.
    """

    left_out: tuple[int, ...] | None
    reward: float | None
    tried: int
    possible: int
    shortest: bool


Rewards = Mapping[Deletion, float | None]
Search = Generator[list[Deletion], Rewards, Flip]


def search_flip(
    lengths: tuple[int, ...], reward: float, other: float, budget: int = BUDGET
) -> Search:
    """Look for the shortest deletion from one reply after which the model prefers the other side.

    `lengths` are the characters of each piece, `reward` that of the whole reply, `other` that of
    the other side; equal rewards have no verdict to flip. The generator yields lists of deletions
    and is sent the reward of each (None: it could not be scored); it returns what it found.

    First all deletions of one piece, then all of two and so on, while a whole round fits into the
    budget. Then ever longer ones, the pieces that help most first, and from the first of these that
    flips, pieces are put back one at a time. Shorter means fewer pieces, then fewer characters.
    """
    n = len(lengths)
    possible = max(2**n - 2, 0)
    if reward == other or n < 2:
        return Flip(None, None, 0, possible, reward != other)
    known: dict[Deletion, float | None] = {}

    def flips(deletion: Deletion) -> bool:
        found = known[deletion]
        return found is not None and (found < other if reward > other else found > other)

    def size(deletion: Deletion) -> tuple[int, int, list[int]]:
        return len(deletion), sum(lengths[i] for i in deletion), sorted(deletion)

    def best(flipping: Iterable[Deletion], shortest: bool) -> Flip:
        found = min(flipping, key=size, default=None)
        if found is None:
            return Flip(None, None, len(known), possible, shortest)
        return Flip(tuple(sorted(found)), known[found], len(known), possible, shortest)

    whole_rounds = 0
    for count in range(1, n):
        if len(known) + comb(n, count) > budget:
            break
        asked = [frozenset(chosen) for chosen in combinations(range(n), count)]
        known.update((yield asked))
        whole_rounds = count
        if any(map(flips, asked)):
            return best(filter(flips, asked), shortest=True)
    if whole_rounds in (0, n - 1):
        return best((), shortest=whole_rounds == n - 1)

    def help_given(piece: int) -> float:
        found = known[frozenset((piece,))]
        change = 0.0 if found is None else found - reward
        return change if reward > other else -change

    order = sorted(range(n), key=lambda piece: (help_given(piece), lengths[piece], piece))
    chain = [frozenset(order[:count]) for count in range(whole_rounds + 1, n)]
    chain = chain[: budget - len(known)]
    known.update((yield chain))
    current = next(filter(flips, chain), None)
    while current is not None and len(current) > whole_rounds + 1:
        smaller = [current - {piece} for piece in sorted(current)]
        smaller = [deletion for deletion in smaller if deletion not in known]
        smaller = smaller[: budget - len(known)]
        if smaller:
            known.update((yield smaller))
        current = min(filter(flips, smaller), key=size, default=None)
    longer = [deletion for deletion in known if len(deletion) > whole_rounds]
    return best(filter(flips, longer), shortest=False)


MOST_PIECES = 40
"""A longer text lies in longer pieces: neighbours are joined until there are no more than that."""

_CLOSING = "\"'”’»)\\]}*_」』）】》"
_OPENING = "\"'“‘«([{*_「『（【《¿¡ \t"
# A span of code is one match, so that nothing inside it is taken for the end of a sentence.
_ENDS = re.compile(
    rf"(?P<code>`[^`\n]+`)|(?P<marks>[.!?…؟।۔]+)(?P<closed>[{_CLOSING}]*)(?=\s)"
    rf"|(?P<wide>[。！？｡]+)[{_CLOSING}]*"
)
_SPACED = re.compile(r"\s*\S+\s*")
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


def words(text: str, most: int = MOST_PIECES) -> list[str]:
    """The words of a text, each with the white space after it; at most `most` pieces.

    Of a text of more words a piece holds two, three or more of them, as few as will do, and never
    words of two sentences. What is written without spaces is one word, at most a sentence long.
    """
    cut = [_SPACED.findall(sentence) for sentence in sentences(text, most)]
    size, longest = 1, max(map(len, cut), default=0)
    while size < longest and sum(-(-len(found) // size) for found in cut) > most:
        size += 1
    return [
        "".join(found[start : start + size])
        for found in cut
        for start in range(0, len(found), size)
    ]


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
