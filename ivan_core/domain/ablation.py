"""Leaving parts of a reply out: the dialogue without them, and the shortest deletion that flips.

Nothing here scores a text: the search says which deletions it wants to know about and is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import comb

from ivan_core.domain.errors import BadInput
from ivan_core.domain.pieces import sentences
from ivan_core.domain.transcripts import Dialogue, Turn

BUDGET = 120
"""Deletions a search may have scored: all of one and two pieces of a reply of fifteen."""

_TURN_STARTS = re.compile(r"\n{2,}(?=(?:Human|Assistant):)")

Deletion = frozenset[int]
"""The numbers of the pieces left out; the first is 0."""


@dataclass(frozen=True, slots=True)
class ReplyInPieces:
    """A dialogue whose last reply lies in sentences; the white space around it is not theirs."""

    dialogue: Dialogue
    pieces: tuple[str, ...]

    def without(self, left_out: Collection[int]) -> Dialogue:
        """The dialogue with some pieces left out; with all of them its last reply is empty."""
        kept = [piece for i, piece in enumerate(self.pieces) if i not in left_out]
        return with_reply(self.dialogue, "".join(kept).strip())


def in_pieces(dialogue: Dialogue) -> ReplyInPieces:
    """A dialogue with its last reply in sentences.

    Raises:
        BadInput: it has no reply, or an empty one.
    """
    reply = last_reply(dialogue)
    if reply is None:
        raise BadInput("This side has no reply: the dialogue ends in a Human turn.")
    if not reply:
        raise BadInput("This side's reply is empty: there is nothing to leave out.")
    return ReplyInPieces(dialogue, tuple(sentences(reply)))


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
