"""Texts that begin alike, as trees: what they share stands once, then each one's own end.

Found from the token ids themselves, so that a pair, several replies to one prompt and rewordings
come out alike, and a template or a cut that changes the prompt costs speed, never a score.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_TAILS = 32
"""Texts of one tree: with more, hiding them from each other costs more than it saves."""
LONGEST_TREE = 8_192
"""Tokens of one tree: a mask of this width takes 256 MiB in float32."""
LEAST_GAIN = 1.1
"""Below this, what is saved is less than what trees themselves cost."""

TokenIds = list[int]


@dataclass(frozen=True, slots=True)
class Tree:
    """Texts by their places, whose first `prefix` tokens are the same; `tokens` are computed."""

    prefix: int
    places: tuple[int, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Which texts are read as trees and which `alone`, and what that gains.

    `gain` is how many times the work of reading every text by itself is more.
    """

    trees: list[Tree]
    alone: list[int]
    gain: float


def plan_trees(texts: Sequence[TokenIds], hidden_size: int, longest: int | None = None) -> Plan:
    """The partition into trees that computes least, by neighbours in sorted order.

    Texts are to differ from each other. One longer than `longest` tokens is read alone. The work
    of n tokens is n (1 + n / 6h) for a model of `hidden_size` h: a layer's products take about
    24 h² and its attention 4 h n operations a token. A tree of one text is no tree.
    """
    fits = [i for i, ids in enumerate(texts) if longest is None or len(ids) <= longest]
    order = sorted(fits, key=lambda place: texts[place])
    common = [_common(texts[a], texts[b]) for a, b in pairwise(order)]

    def work(tokens: int) -> float:
        return tokens * (1 + tokens / (6 * hidden_size))

    least = [0.0]
    last: list[Tree] = []
    for end in range(1, len(order) + 1):
        best: tuple[float, Tree] | None = None
        prefix = shortest = total = len(texts[order[end - 1]])
        for start in range(end - 1, max(end - 1 - MOST_TAILS, -1), -1):
            if start < end - 1:
                length = len(texts[order[start]])
                shortest, total = min(shortest, length), total + length
                # A tail has a token at least: the score is read at its last one.
                prefix = min(prefix, common[start], shortest - 1)
                if prefix <= 0:
                    break
            tokens = total - (end - start - 1) * prefix
            if start < end - 1 and tokens > LONGEST_TREE:
                break
            cost = least[start] + work(tokens)
            if best is None or cost < best[0]:
                best = cost, Tree(prefix, tuple(order[start:end]), tokens)
            # Each text more saves the prefix once at most: a template's opening alone never pays.
            elif cost - best[0] > prefix * (MOST_TAILS - (end - start)):
                break
        assert best is not None  # Each text can be read by itself.
        least.append(best[0])
        last.append(best[1])
    chosen: list[Tree] = []
    end = len(order)
    while end:
        chosen.append(last[end - 1])
        end -= len(last[end - 1].places)
    trees = [tree for tree in reversed(chosen) if len(tree.places) > 1]
    shared = {place for tree in trees for place in tree.places}
    alone = [place for place in range(len(texts)) if place not in shared]
    singly = sum(work(len(ids)) for ids in texts)
    computed = sum(work(tree.tokens) for tree in trees) + sum(work(len(texts[i])) for i in alone)
    return Plan(trees, alone, singly / computed if computed else 1.0)


def distinct(texts: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """The places of the first of equal texts, and for each text the number of the one it equals."""
    seen: dict[Hashable, int] = {}
    firsts: list[int] = []
    which: list[int] = []
    for place, text in enumerate(texts):
        number = seen.setdefault(text, len(firsts))
        if number == len(firsts):
            firsts.append(place)
        which.append(number)
    return firsts, which


def _common(one: TokenIds, other: TokenIds) -> int:
    """How many tokens both begin with, by halving: comparing slices is quicker than tokens."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
