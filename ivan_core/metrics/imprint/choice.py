"""What the choice rewards, beside what a model rewards: log odds that a reply with a feature wins.

P(chosen) = σ(Σ β_k D_k + λ L) without a constant, as of two replies whose worth adds up from their
features: Bradley and Terry (1952), Biometrika 39:324-345. The choice wins each of its pairs; a
model wins where it agrees, loses where it disagrees, and a tie is half of each. Both are fitted on
the same pairs by the same columns, so that their gap has its interval from what each pair does to
both. A gap of 0.4 takes about 5,000 labelled pairs to be seen (in 86% of studies; in 24% of those
of 1,500).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from ivan_core.metrics.imprint.groups import Floats, Groups, Ints
from ivan_core.metrics.imprint.least_squares import NOTHING, Estimate, independent
from ivan_core.metrics.imprint.logit import NoFit, chance_of, clustered, estimates, logit
from ivan_core.metrics.imprint.rows import LEAST_DIFFERING, LENGTH
from ivan_core.metrics.paired import holm

CHOICE = "choice"
LEAST_EACH_WAY = 5
"""Of the pairs that differ in a feature, so many are won and so many lost by the reply with it."""
_CHOSEN = ("chosen", "rejected")
_PREFERRED = ("preferred by the model", "not preferred by the model")
SIDES_ALWAYS = "the model sides with the choice in every pair"


@dataclass(frozen=True, slots=True)
class Rewarded:
    """How a feature (or log length) goes with winning, by the choice, a model, or their gap.

    `found` are log odds; `p_holm` is adjusted over the features and NaN for length. `differs` of
    `n` pairs differ in the feature; `wins` of these are won by the reply with more of it, a tie
    counting half, and `strength` is (2 wins / differs - 1) differs / n, as in Feedback Forensics.
    Both are NaN for a gap. Where there is no number, or no test, `why` says so.
    """

    who: str
    feature: str
    found: Estimate
    p_holm: float
    wins: float
    strength: float
    n: int
    differs: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Chances:
    """Of two replies alike in all else, how often the one with a feature wins, with its ends."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Kept:
    """Which columns can be told apart, and why the others are not among them."""

    places: tuple[int, ...]
    why: Mapping[int, str]


_Told = tuple[Floats, Floats]
"""Log odds by column, and how far each row pulls each of them."""


def choice(
    differences: Floats,
    features: Sequence[str],
    length: Floats,
    groups: Ints,
    wins: Mapping[str, Floats],
) -> tuple[Rewarded, ...]:
    """The log odds of the choice, then of each model and of its gap to the choice.

    `differences`, shape (n, k), are label of chosen minus label of rejected; `length`, shape (n,),
    is that of log length; `groups` has a number for each pair, the same for pairs of one prompt.
    `wins` has for each model 1 where it agrees with the choice, 1/2 at a tie and 0 where it
    disagrees. Each of them has an entry a feature and one for `LENGTH`, in this order.

    A feature is no column below 10 pairs that differ, or below 5 won or lost by the reply that has
    it. If that is so for a model alone, its gap is to the choice as fitted without that feature.
    """
    columns, names = np.column_stack([differences, length]), (*features, LENGTH)
    codes, people = Groups.of(groups, len(length)).codes, np.ones(len(length))
    usable = _usable(columns, names, [(_CHOSEN, people)])
    chosen = {usable.places: _fitted(columns, usable, people, codes)}
    entries = _entries(CHOICE, columns, names, usable, chosen[usable.places], codes, people)
    for model, won in wins.items():
        shared = _usable(columns, names, [(_CHOSEN, people), (_PREFERRED, won)])
        if shared.places not in chosen:
            chosen[shared.places] = _fitted(columns, shared, people, codes)
        ours, theirs = _fitted(columns, shared, won, codes), chosen[shared.places]
        entries += _entries(model, columns, names, shared, ours, codes, won)
        apart = _apart(ours, theirs)
        entries += _entries(f"{model} - {CHOICE}", columns, names, shared, apart, codes, None)
    return entries


def chances(found: Estimate) -> Chances:
    """σ of log odds and of the ends of their interval."""
    share, low, high = chance_of(np.array([found.estimate, found.low, found.high]))
    return Chances(float(share), float(low), float(high))


def _usable(
    columns: Floats, names: Sequence[str], outcomes: Sequence[tuple[tuple[str, str], Floats]]
) -> _Kept:
    """The columns with enough pairs that differ, won and lost in each of the outcomes.

    With each outcome come the words for a reply that wins and for one that loses.
    """
    why: dict[int, str] = {}
    for place, column in enumerate(columns.T):
        differs = int(np.count_nonzero(column))
        if differs < LEAST_DIFFERING:
            why[place] = f"too few: {differs} of at least {LEAST_DIFFERING}"
        elif names[place] != LENGTH:
            for words, outcome in reversed(outcomes):
                won = _wins(column, outcome)
                for word, count in zip(words, (won, differs - won), strict=True):
                    if count < LEAST_EACH_WAY:
                        why[place] = f"too few: {word} in {count:g} of at least {LEAST_EACH_WAY}"
    wanted = [place for place in range(len(names)) if place not in why]
    kept, dropped = independent(columns[:, wanted])
    for place, by in dropped.items():
        why[wanted[place]] = f"cannot be told apart from {names[wanted[by]]}"
    return _Kept(tuple(wanted[place] for place in kept), why)


def _wins(column: Floats, outcome: Floats) -> float:
    """How many pairs that differ the reply with more of it wins; a tie counts half."""
    return float(outcome[column > 0].sum() + (1 - outcome[column < 0]).sum())


def _fitted(columns: Floats, kept: _Kept, outcome: Floats, codes: Ints) -> _Told | NoFit:
    found = logit(columns[:, list(kept.places)], outcome, codes)
    return found if isinstance(found, NoFit) else (found.log_odds, found.influence)


def _apart(ours: _Told | NoFit, theirs: _Told | NoFit) -> _Told | NoFit:
    """One fit less another on the same rows by the same columns."""
    if isinstance(ours, NoFit):
        return ours
    if isinstance(theirs, NoFit):
        return theirs
    return ours[0] - theirs[0], ours[1] - theirs[1]


def _entries(
    who: str,
    columns: Floats,
    names: Sequence[str],
    kept: _Kept,
    told: _Told | NoFit,
    codes: Ints,
    outcome: Floats | None,
) -> tuple[Rewarded, ...]:
    """An entry a column; without an outcome there are no wins to count."""
    found = dict.fromkeys(range(len(names)), NOTHING)
    why = dict(kept.why)
    if isinstance(told, NoFit):
        why |= dict.fromkeys(kept.places, told.reason)
    else:
        values, influence = told
        if not influence.any():
            why |= dict.fromkeys(kept.places, SIDES_ALWAYS)
        found |= zip(kept.places, estimates(values, clustered(influence, codes)), strict=True)
    tested = [found[place].p if name != LENGTH else nan for place, name in enumerate(names)]
    adjusted, n = holm(tested), len(columns)
    entries = []
    for place, name in enumerate(names):
        column = columns[:, place]
        differs = int(np.count_nonzero(column))
        won = nan if outcome is None else _wins(column, outcome)
        strength = (2 * won - differs) / n if differs else nan
        p_holm = float(adjusted[place])
        reason = why.get(place, "")
        entries.append(Rewarded(who, name, found[place], p_holm, won, strength, n, differs, reason))
    return tuple(entries)
