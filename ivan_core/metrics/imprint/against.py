"""Where a model goes against the choice, and how that changed from one model to another.

A model goes against the choice in a pair if it gives the chosen reply no higher reward, ties
included; these are also counted alone. Shares have Wilson's interval, as wide as repeated prompts
ask. What a labeler prefers tells pairs apart in which the labels speak for the choice, against it,
or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ivan_core.metrics.imprint.groups import Ints
from ivan_core.metrics.imprint.preference import FOR_NONE, PREFERS, UNLABELLED, Bools, Codes, Floats
from ivan_core.metrics.intervals import Rate, design_effect, share_in, units_of
from ivan_core.metrics.paired import Difference, difference_of_counts

ALL = "all"
REGIMES = ("stayed", "got", "resists", "reversed")
"""Agreeing before and after, after only, neither, before only; a tie does not agree."""


@dataclass(frozen=True, slots=True)
class Against:
    """On pairs in which a labeler prefers this: how many go against the choice, and are ties.

    Both are None without pairs.
    """

    prefers: str
    misaligned: Rate | None
    ties: Rate | None


@dataclass(frozen=True, eq=False)
class Regimes:
    """How two models side with the choice, and what a labeler prefers, pair by pair.

    `regime` has a place in `REGIMES` for each pair, -1 where a model rated none; `prefers` one in
    `PREFERS`. `net` is by how much more often the later model agrees, with Newcombe's paired
    interval and McNemar's mid-p; None if no pair has both ratings.
    """

    regime: Codes
    prefers: Codes
    net: Difference | None

    def rows(self, regime: str, prefers: str = ALL) -> Bools:
        """Which pairs these are, shape (n,)."""
        found = self.regime == REGIMES.index(regime)
        if prefers != ALL:
            found &= self.prefers == PREFERS.index(prefers)
        return np.asarray(found)

    def count(self, regime: str, prefers: str = ALL) -> int:
        """How many they are."""
        return int(self.rows(regime, prefers).sum())


def against_choice(margins: Floats, prefers: Codes | None, groups: Ints) -> tuple[Against, ...]:
    """How often a model goes against the choice: in all pairs, then by what a labeler prefers.

    `margins`, shape (n,), are chosen less rejected reward, NaN where a pair was not rated;
    `prefers` are places in `PREFERS`, None without a labeler; `groups` has a number for each pair,
    the same for pairs of one prompt. Pairs without labels are in `ALL` alone.
    """
    rated = ~np.isnan(margins)
    found = [_against(ALL, margins[rated], groups[rated])]
    for place, name in enumerate(PREFERS[:UNLABELLED] if prefers is not None else ()):
        rows = rated & (prefers == place)
        found.append(_against(name, margins[rows], groups[rows]))
    return tuple(found)


def without_preference(margins: Floats, prefers: Codes, groups: Ints) -> Rate | None:
    """Of the labelled pairs that go against the choice, those in which no reply is preferred.

    None if there are none. Arrays are those of `against_choice`.
    """
    rows = (margins <= 0) & (prefers != UNLABELLED)
    return _share(prefers[rows] == FOR_NONE, groups[rows])


def regimes(before: Floats, after: Floats, prefers: Codes | None, groups: Ints) -> Regimes:
    """The regime of each pair from the margins, shape (n,), of an earlier and a later model.

    The other arrays are those of `against_choice`.
    """
    rated = ~(np.isnan(before) | np.isnan(after))
    was, now = before > 0, after > 0
    cases = [was & now, ~was & now, ~was & ~now, was & ~now]
    regime = np.where(rated, np.select(cases, range(len(REGIMES))), -1).astype(np.int8)
    if prefers is None:
        prefers = np.full(len(regime), UNLABELLED, dtype=np.int8)
    stayed, got, resists, reversed_ = (int((rated & one).sum()) for one in cases)
    moved = (now.astype(np.float64) - was)[rated]
    design = design_effect(moved, units_of(groups[rated], None))
    net = difference_of_counts(stayed, got, reversed_, resists, design=design)
    return Regimes(regime, prefers, net)


def _against(prefers: str, margins: Floats, groups: Ints) -> Against:
    return Against(prefers, _share(margins <= 0, groups), _share(margins == 0, groups))


def _share(holds: Bools, groups: Ints) -> Rate | None:
    return share_in(holds, units_of(groups, None))
