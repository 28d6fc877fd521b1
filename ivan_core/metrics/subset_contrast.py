"""The subset on which two models part as they do not elsewhere, and the sentences that say so.

Two models with near equal agreement over all pairs may side with the choice in quite different
ones. That is worth saying first, if it is more than the luck of looking at several subsets. The
rule: the models differ on the subset (McNemar's mid-p), their difference there is not that on the
other pairs (a z-test of the two differences), and the larger of both p-values, after Holm's
correction for every subset and every two models looked at, is under 5%. The larger of two p-values
tests that both hold: Berger (1982), Technometrics 24:295-300. A clear difference on one subset
beside an unclear one on another is no difference of the two: Gelman and Stern (2006), The American
Statistician 60:328-331.

Model ids and names of subsets are other people's text: a page escapes the sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import NormalDist

import pandas as pd

from ivan_core.domain.words import number_of
from ivan_core.metrics.agreement import NO_SUBSET, agreement_of, subset_label
from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.margin_words import MOST_TOLD
from ivan_core.metrics.paired import SIGNIFICANT, Difference, holm, paired_difference, shared_rows
from ivan_core.metrics.sentences import (
    as_if,
    as_if_apart,
    difference_ends,
    interval,
    percent,
    rate_words,
    the,
)
from ivan_core.metrics.training import Training, fair_pairs, never_clear

LEAST_PAIRS = 20
"""Pairs that a subset must have for its difference to be looked at."""
MOST_SUBSETS = 12
"""More of them are too many to look for the widest."""
_MOST_OTHERS = 2
"""Other subsets that are told of one by one."""


@dataclass(frozen=True, slots=True)
class OnSubset:
    """Two models on the pairs of one subset that both rated; `clear` is after Holm's correction."""

    subset: str
    first: Rate
    second: Rate
    found: Difference
    clear: bool


@dataclass(frozen=True, slots=True)
class Contrast:
    """Where two models part: `first` is the one that is ahead on the subset `here`.

    `elsewhere` is their difference on all other pairs, `others` those subsets one by one; `p` is
    corrected for `looked_at` differences.
    """

    first: str
    second: str
    here: OnSubset
    elsewhere: Difference
    others: tuple[OnSubset, ...]
    p: float
    looked_at: int


@dataclass(frozen=True, slots=True)
class _Looked:
    """One subset and two models, before any correction."""

    models: tuple[str, str]
    subset: str
    rates: tuple[Rate, Rate]
    here: Difference
    elsewhere: Difference

    @property
    def p(self) -> float:
        """The p-value of differing here and not as elsewhere."""
        return max(self.here.mid_p, _p_apart(self.here, self.elsewhere))


def subset_contrast(table: pd.DataFrame, training: Mapping[str, Training]) -> Contrast | None:
    """The widest clear contrast of two models in a scores table; None if there is none.

    More than four models or twelve subsets have none: too many differences would be looked at.
    Pairs that a model was trained on are left out, and two models of which no difference may be
    called clear.
    """
    if len(training) > MOST_TOLD:
        return None
    looked = [
        one
        for first, second in combinations(training, 2)
        for one in _looked(table, training[first], training[second])
    ]
    adjusted = holm([one.p for one in looked])
    clear = [
        (abs(one.here.difference), -place)
        for place, one in enumerate(looked)
        if adjusted[place] < SIGNIFICANT and one.here.excludes_zero
    ]
    if not clear:
        return None
    place = -max(clear)[1]
    widest, on_subset = looked[place], holm([one.here.mid_p for one in looked])
    told = [
        _on_subset(one, bool(p < SIGNIFICANT and one.here.excludes_zero))
        for one, p in zip(looked, on_subset, strict=True)
    ]
    turned = widest.here.difference < 0
    others = (i for i, one in enumerate(looked) if i != place and one.models == widest.models)
    first, second = widest.models[::-1] if turned else widest.models
    return Contrast(
        first,
        second,
        _facing(told[place], turned),
        _turned(widest.elsewhere) if turned else widest.elsewhere,
        tuple(_facing(told[i], turned) for i in others),
        float(adjusted[place]),
        len(looked),
    )


def _looked(table: pd.DataFrame, first: Training, second: Training) -> Iterator[_Looked]:
    """Two models on every subset that is large enough and has others beside it."""
    shared = fair_pairs(shared_rows(table, first.model, second.model))
    if shared.empty or never_clear(shared, first, second):
        return
    labels = shared["subset"].astype(object).map(subset_label, na_action=None)
    sizes = labels.value_counts()
    names = sorted(sizes[sizes >= LEAST_PAIRS].index)
    for subset in names if len(names) <= MOST_SUBSETS else ():
        inside = labels.eq(subset)
        here, elsewhere = paired_difference(shared[inside]), paired_difference(shared[~inside])
        if here is None or elsewhere is None or elsewhere.n < LEAST_PAIRS:
            continue
        rates = [
            agreement_of(shared[inside].rename(columns={f"{place}_verdict": "verdict"}))
            for place in ("first", "second")
        ]
        if rates[0] and rates[1]:
            models = (first.model, second.model)
            yield _Looked(models, str(subset), (rates[0], rates[1]), here, elsewhere)


def _p_apart(one: Difference, other: Difference) -> float:
    """Two-sided p-value of two differences on separate pairs being the same.

    Newcombe's intervals are those of a normal distribution on either side: half their width is 1.96
    standard errors, also where no pair is discordant.
    """
    reach = [(found.high - found.low) / 2 for found in (one, other)]
    normal = NormalDist()
    error = sqrt(reach[0] ** 2 + reach[1] ** 2) / normal.inv_cdf(0.975)
    return 2 * (1 - normal.cdf(abs(one.difference - other.difference) / error))


def _on_subset(one: _Looked, clear: bool) -> OnSubset:
    return OnSubset(one.subset, *one.rates, one.here, clear)


def _facing(one: OnSubset, turned: bool) -> OnSubset:
    """The same with the models the other way round, if they are to be."""
    if not turned:
        return one
    return OnSubset(one.subset, one.second, one.first, _turned(one.found), one.clear)


def _turned(found: Difference) -> Difference:
    return Difference(
        found.both,
        found.second_only,
        found.first_only,
        found.neither,
        found.second,
        found.first,
        -found.difference,
        -found.high,
        -found.low,
        found.mid_p,
        found.design,
    )


def subset_pairs(subset: str) -> str:
    """What the pairs of a subset are called."""
    return "pairs of no subset" if subset == NO_SUBSET else f"{subset} pairs"


def contrast_sentence(found: Contrast, choice: str) -> str:
    """Where two models part, and whether they do elsewhere; `choice` is what they are held against.

    As in "On helpful pairs a sides with people's choice in 60% [54, 66] of 240, b in 39% [33, 45].
    On harmless pairs the difference may be chance: …".
    """
    here = found.here
    told = (
        f"On {subset_pairs(here.subset)} {found.first} sides with {the(choice)} in"
        f" {rate_words(here.first)}, {found.second} in {_share(here.second)}."
    )
    if len(found.others) <= _MOST_OTHERS:
        return " ".join([told, *map(_other, found.others)])
    clear = sum(one.clear for one in found.others)
    others = f"the {len(found.others):,} other subsets"
    return f"{told} On {clear or 'none'} of {others} the two differ clearly."


def _other(one: OnSubset) -> str:
    """What becomes of a difference on another subset."""
    on = f"On {subset_pairs(one.subset)}"
    rates = f"{_share(one.first)} against {rate_words(one.second)}"
    if not one.clear:
        return f"{on} the difference may be chance: {rates}."
    if one.found.difference < 0:
        return f"{on} it is the other way round: {rates}."
    return f"{on} they differ clearly too: {rates}."


def contrast_test_sentence(found: Contrast) -> str:
    """How sure a contrast is: both differences, the tests and for how many looks they hold."""
    p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.2g}"
    return (
        f"The lead of {found.first} over {found.second} is {_points(found.here.found)} on"
        f" {subset_pairs(found.here.subset)}, which is clear, and {_points(found.elsewhere)} on all"
        f" others, which is not the same (McNemar's test, and a z-test of the two; {p} after Holm's"
        f" correction for {number_of(found.looked_at, 'difference')})."
    )


def _share(rate: Rate) -> str:
    """A rate on as many pairs as the one beside it, which tells how many."""
    wide = as_if_apart(rate.n, rate.effective_n)
    return f"{percent(rate.rate, rate.n)} {interval(rate)}{wide}"


def _points(found: Difference) -> str:
    share = percent(abs(found.difference), found.n).removesuffix("%")
    sign = "−" if found.difference < 0 else ""
    ends = difference_ends(found.low, found.high, found.n)
    return f"{sign}{share} points {ends}{as_if(found)}"
