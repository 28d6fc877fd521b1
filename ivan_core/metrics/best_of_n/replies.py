"""The replies of each prompt, from the pairs that were made of them: every right against every
wrong one. Only prompts all of whose pairs are there can be told of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Replies:
    """Prompts with their replies, those of a prompt in the order of their row of the source.

    `items`: the number of each prompt's row in the source; `first`: the place of its first pair.
    `starts`: where the replies of each prompt begin, and the end of the last.
    `right`, `lengths`: one a reply; lengths in characters.
    `pairs`: the places of the pairs of these prompts; `chosen`, `rejected`: each pair's replies;
    `of_pair`: the prompt of each.
    """

    items: Ints
    first: Ints
    starts: Ints
    right: Bools
    lengths: Ints
    pairs: Ints
    chosen: Ints
    rejected: Ints
    of_pair: Ints

    @property
    def sizes(self) -> Ints:
        """How many replies each prompt has."""
        return np.diff(self.starts)

    @property
    def rights(self) -> Ints:
        """How many of them are right."""
        return np.add.reduceat(self.right.astype(np.int64), self.starts[:-1])

    @property
    def chance(self) -> Floats:
        """How often one of them drawn at random would be right, a prompt."""
        chance: Floats = self.rights / self.sizes
        return chance

    def of_prompts(self, which: Bools) -> Ints:
        """The places of the pairs of some prompts."""
        pairs: Ints = self.pairs[which[self.of_pair]]
        return pairs

    def rewards(self, chosen: Floats, rejected: Floats) -> Floats:
        """One reward a reply, of those of all pairs of the run; NaN where no pair tells it.

        A pair with equal texts has no rewards: then what another pair says of one is that of both.
        """
        found = np.full(len(self.right), np.nan)
        for rewards, replies in ((chosen, self.chosen), (rejected, self.rejected)):
            own = rewards[self.pairs]
            known = ~np.isnan(own)
            found[replies[known]] = own[known]
        return found

    def alike(self, rewards: Floats, identical: Bools) -> Floats:
        """The rewards with those of replies that have the text of another one."""
        same = np.flatnonzero(identical[self.pairs])
        one, other = self.chosen[same], self.rejected[same]
        found = rewards.copy()
        for here, there in ((one, other), (other, one)):
            lacks = np.isnan(found[here]) & ~np.isnan(found[there])
            found[here[lacks]] = found[there[lacks]]
        return found


def whole_prompts(places: Mapping[str, Ints], lengths: tuple[Ints, Ints]) -> Replies | None:
    """The prompts of some pairs, as far as all of a prompt's pairs are among them.

    `places` has one array a column, one place a pair: item, replies, right, chosen_reply and
    rejected_reply; `lengths` are those of the chosen and the rejected reply. None where no prompt
    is whole, or all have two replies.
    """
    item, size, right = (np.asarray(places[name]) for name in ("item", "replies", "right"))
    _, numbered, pairs_there = np.unique(item, return_inverse=True, return_counts=True)
    whole = (right > 0) & (pairs_there[numbered] == right * (size - right))
    pairs = np.flatnonzero(whole)
    if not len(pairs) or not (size[pairs] > 2).any():
        return None
    items, first, of_pair = np.unique(item[pairs], return_index=True, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(size[pairs][first])]).astype(np.int64)
    chosen = starts[of_pair] + np.asarray(places["chosen_reply"])[pairs]
    rejected = starts[of_pair] + np.asarray(places["rejected_reply"])[pairs]
    is_right, long = np.zeros(starts[-1], np.bool_), np.zeros(starts[-1], np.int64)
    is_right[chosen] = True
    for length, replies in zip(lengths, (chosen, rejected), strict=True):
        long[replies] = np.asarray(length)[pairs]
    return Replies(items, pairs[first], starts, is_right, long, pairs, chosen, rejected, of_pair)


def picked(values: Floats | Ints, found: Replies) -> Floats:
    """What each prompt is worth where the reply with the highest value is picked.

    1 where a right reply has it alone, 0 where a wrong one has; of several that share it, the share
    of right ones, as if one of them were drawn. NaN where a reply has no value.
    """
    starts = found.starts[:-1]
    if not len(starts):
        return np.zeros(0)
    top = np.maximum.reduceat(values, starts)
    is_top = values == np.repeat(top, found.sizes)
    of_all = np.add.reduceat(is_top.astype(np.int64), starts)
    of_right = np.add.reduceat((is_top & found.right).astype(np.int64), starts)
    worth = np.divide(of_right, of_all, out=np.full(len(starts), np.nan), where=of_all > 0)
    return np.where(np.isnan(np.add.reduceat(values.astype(np.float64), starts)), np.nan, worth)


def deciding(rewards: Floats, found: Replies) -> Ints:
    """The place of the pair that decides each prompt: its best right reply and its best wrong one.

    Of equal rewards the first reply counts. Prompts with a reply without a reward have none.
    """
    known = ~np.isnan(np.add.reduceat(rewards, found.starts[:-1]))
    best = _first_best(np.where(found.right, rewards, -np.inf), found)
    worst = _first_best(np.where(found.right, -np.inf, rewards), found)
    own = (found.chosen == best[found.of_pair]) & (found.rejected == worst[found.of_pair])
    pairs: Ints = found.pairs[own & known[found.of_pair]]
    return pairs


def _first_best(values: Floats, found: Replies) -> Ints:
    """Where the first of the highest values of each prompt stands."""
    prompt = np.repeat(np.arange(len(found.sizes)), found.sizes)
    order = np.lexsort([-values, prompt])
    firsts: Ints = np.asarray(order[found.starts[:-1]], np.int64)
    return firsts
