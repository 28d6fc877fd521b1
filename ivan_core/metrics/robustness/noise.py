"""Is a change more than noise? Rewording beside the surface change and beside a second rewording.

Reward models are deterministic, so nothing moves unless the text does. What a change of punctuation
and space moves, and how far two rewordings of one text lie apart, are the two references; both are
taken on the same pairs as the rewording. A second rewording that is the first one over again lies
near it whatever rewording does: it is no reference, and `twice` tells whether that is so.

Last, the rewordings of two runs beside each other: how many verdicts each flips, how alike texts
stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import (
    PROMPT,
    Rate,
    design_in,
    mean_interval,
    mean_p,
    rate_in,
    share_in,
    units_in,
    with_minus,
)
from ivan_core.metrics.paired import SIGNIFICANT, Difference, difference_of_counts, holm
from ivan_core.metrics.robustness.changes import (
    REWORDED,
    SECOND,
    SURFACE,
    Bools,
    Correlation,
    MeanChange,
    changes,
    correlation,
    flipped,
    mean_change,
    unit_of,
)
from ivan_core.metrics.sentences import as_if, interval, percent

Reference = Literal["surface", "second"]
FLIPS_WANTED = 20
"""Below so many flipped verdicts a share of flips says little."""
LEAST_TWICE = 20
"""Below so many pairs reworded twice nothing can be said of how alike the two are."""
MOST_EQUAL = 0.1
"""From this share of replies on that come out the same twice, they are no two rewordings."""
MOST_ALIKE = 0.8
"""Above this correlation of what two rewordings move, the second one repeats the first."""
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Beyond:
    """Rewording against a reference, on the pairs that have both.

    `flips` compares the shares of flipped verdicts (first: reworded). `change` and
    `reference_change` are mean absolute changes of the margin in typical margins, `excess` their
    difference with its 95% interval (Student's t by pair, as wide as the design effect `design` of
    repeated prompts asks). `flips_p` and `margins_p` are the
    two-sided p-values of both, adjusted for their family where `judged_together` gave them.
    """

    reference: Reference
    n: int
    flips: Difference
    change: float
    reference_change: float
    excess: float
    low: float
    high: float
    flips_p: float
    margins_p: float
    design: float = 1.0

    @property
    def more_flips(self) -> bool:
        """Whether clearly more verdicts flip than in the reference: by interval and by test."""
        return self.flips.low > 0 and self.flips_p < SIGNIFICANT

    @property
    def larger(self) -> bool:
        """Whether margins clearly move further than in the reference."""
        return self.excess > 0 and self.margins_p < SIGNIFICANT


@dataclass(frozen=True, slots=True)
class Twice:
    """How alike two rewordings of the same texts are to one model.

    `equal` is the share of replies that came out the same twice (both of a pair, and all of a
    prompt, are one group), `alike` the correlation over pairs of what the two move the margin by;
    None where too few vary.
    """

    n: int
    equal: Rate
    alike: Correlation | None

    @property
    def is_floor(self) -> bool:
        """Whether the spread of the two can tell of noise: enough pairs, and not the same twice."""
        if self.n < LEAST_TWICE or self.equal.rate >= MOST_EQUAL or self.alike is None:
            return False
        return self.alike.r <= MOST_ALIKE


def twice(table: pd.DataFrame, model: str) -> Twice | None:
    """How alike the two rewordings of a run are; None without a pair that has both.

    A text is scored once, so texts that are the same have the same reward to the last bit and the
    same length, and texts that differ in all likelihood have not.
    """
    first, second = changes(table, model, REWORDED), changes(table, model, SECOND)
    row_ids = np.intersect1d(first["row_id"].to_numpy(), second["row_id"].to_numpy())
    if not len(row_ids):
        return None
    first, second = (moved.set_index("row_id").loc[row_ids] for moved in (first, second))
    own = table[table["model"].eq(model)].set_index("row_id")
    one, other = (own[own["variant"].eq(variant)].loc[row_ids] for variant in (REWORDED, SECOND))
    equal: list[Bools] = []
    for side in ("chosen", "rejected"):
        told = [f"{side}_reward", f"{side}_ratio"]
        same = one[told].eq(other[told]) | (one[told].isna() & other[told].isna())
        equal.append(same.all(axis=1).to_numpy(bool))
    rate = share_in(np.concatenate(equal), np.tile(units_in(first.reset_index()), 2))
    if rate is None:
        return None
    moves = [moved["margin_after"] - moved["margin_before"] for moved in (first, second)]
    return Twice(len(row_ids), rate, correlation(*moves))


def beyond_noise(
    table: pd.DataFrame, model: str, reference: Reference, unit: float | None = None
) -> Beyond | None:
    """Compare one model's rewording with a reference, pair by pair; None without a common pair.

    The reference "surface" is the change from the original to the surface variant; "second" is the
    change from one rewording to the other. `unit` is the typical margin to report in; by default
    that of the table's originals.
    """
    ours = changes(table, model, REWORDED)
    theirs = (
        changes(table, model, SURFACE)
        if reference == "surface"
        else changes(table, model, SECOND, before=REWORDED)
    )
    _, at_ours, at_theirs = np.intersect1d(
        ours["row_id"].to_numpy(), theirs["row_id"].to_numpy(), return_indices=True
    )
    ours, theirs = ours.iloc[at_ours], theirs.iloc[at_theirs]
    difference = _difference(ours, flipped(ours), flipped(theirs))
    if difference is None:
        return None
    scale = (unit_of(table, model) if unit is None else unit) or float("nan")
    change, reference_change = (
        (part["margin_after"] - part["margin_before"]).abs().to_numpy(float) / scale
        for part in (ours, theirs)
    )
    excess = change - reference_change
    design = design_in(ours, excess)
    low, high = mean_interval(excess, design=design)
    return Beyond(
        reference,
        len(ours),
        difference,
        float(change.mean()),
        float(reference_change.mean()),
        float(excess.mean()),
        low,
        high,
        difference.mid_p,
        mean_p(excess, design),
        design,
    )


def judged_together(found: Mapping[Key, Beyond]) -> dict[Key, Beyond]:
    """The same comparisons with p-values adjusted by Holm for all their tests: two each."""
    both = [(one.flips_p, one.margins_p) for one in found.values()]
    adjusted = holm(np.asarray(both, dtype=np.float64).ravel()).reshape(-1, 2)
    return {
        key: replace(one, flips_p=float(flips_p), margins_p=float(margins_p))
        for (key, one), (flips_p, margins_p) in zip(found.items(), adjusted, strict=True)
    }


def pairs_for_flips(rate: Rate) -> int | None:
    """How many pairs would show `FLIPS_WANTED` flips at this rate; None where none flipped."""
    return ceil(FLIPS_WANTED * rate.n / rate.count) if rate.count else None


def least_pairs_for_flips(rate: Rate) -> int:
    """How many pairs it takes at the very least: at the upper end of the rate's interval."""
    return ceil(FLIPS_WANTED / rate.high)


def _difference(pairs: pd.DataFrame, ours: Bools, theirs: Bools) -> Difference | None:
    return difference_of_counts(
        int((ours & theirs).sum()),
        int((ours & ~theirs).sum()),
        int((~ours & theirs).sum()),
        int((~ours & ~theirs).sum()),
        design=design_in(pairs, ours.astype(np.float64) - theirs),
    )


_SIDES = ["chosen_similarity", "rejected_similarity"]


@dataclass(frozen=True, slots=True)
class TwoRewordings:
    """One reward model on the pairs that two rewordings both have.

    `first` and `second` are the shares of pairs whose verdict each flips, `both` counts those that
    flip in both, `same` is the share of pairs with the same verdict after both.
    """

    model: str
    n: int
    first: Rate | None
    second: Rate | None
    both: int
    same: Rate | None


@dataclass(frozen=True, slots=True)
class Similarity:
    """How like the originals two rewordings of the same pairs are, by the less similar side.

    `apart` is the mean of second minus first, by pair.
    """

    first: MeanChange
    second: MeanChange
    apart: MeanChange


def two_rewordings(first: pd.DataFrame, second: pd.DataFrame, model: str) -> TwoRewordings:
    """Set two rewordings beside each other for one model, on the rows that are in both.

    `first` and `second` are tables as `changes` reads them, past a gate on meaning.
    """
    ours, theirs = changes(first, model, REWORDED), changes(second, model, REWORDED)
    _, at, other = np.intersect1d(ours["row_id"], theirs["row_id"], return_indices=True)
    ours, theirs = ours.iloc[at].reset_index(drop=True), theirs.iloc[other].reset_index(drop=True)
    turned, turned_too = flipped(ours), flipped(theirs)
    same = ours["verdict_after"].to_numpy(object) == theirs["verdict_after"].to_numpy(object)
    return TwoRewordings(
        model,
        len(ours),
        rate_in(ours, turned),
        rate_in(ours, turned_too),
        int((turned & turned_too).sum()),
        rate_in(ours, np.asarray(same, dtype=np.bool_)),
    )


def two_similarities(first: pd.DataFrame, second: pd.DataFrame) -> Similarity | None:
    """The same of similarities, whatever the model; None where no pair has both."""
    ours, theirs = _alike(first), _alike(second)
    both = ours.merge(theirs[["row_id", "alike"]], on="row_id", suffixes=("", "_second"))
    before, after = (both[name].to_numpy(float) for name in ("alike", "alike_second"))
    means = [mean_change(both, values) for values in (before, after, after - before)]
    if means[0] is None or means[1] is None or means[2] is None:
        return None
    return Similarity(means[0], means[1], means[2])


def _alike(table: pd.DataFrame) -> pd.DataFrame:
    """The similarity of the less similar side by row, of rows that have both."""
    own = table[table["variant"].eq(REWORDED)].drop_duplicates("row_id")
    own = own[own[_SIDES].notna().all(axis=1)]
    prompts = [PROMPT] if PROMPT in own.columns else []
    return own[["row_id", *prompts]].assign(alike=own[_SIDES].min(axis=1))


def two_rewordings_sentence(found: TwoRewordings, first: str, second: str) -> str:
    """The same in words, to be copied; `first` and `second` name the runs."""
    if not found.n:
        return f"{found.model}: no pair has both rewordings."
    told = (
        f"{found.model}: of {number_of(found.n, 'pair')} {first} flips the verdict in "
        f"{_share(found.first)}, {second} in {_share(found.second)}; {found.both:,} in both."
    )
    return f"{told} After both the verdict is the same in {_share(found.same)}."


def two_similarities_sentence(found: Similarity | None, first: str, second: str) -> str:
    """The same in words, to be copied."""
    if found is None:
        return "How like the originals both are is not known for any pair."
    pairs = number_of(found.first.n, "pair")
    return (
        f"Similarity with the original, of the less similar side of {pairs}: "
        f"{_mean(found.first)} in {first}, {_mean(found.second)} in {second}; the second minus the "
        f"first {_mean(found.apart, signed=True)}."
    )


def _share(rate: Rate | None) -> str:
    if rate is None:
        return "none"
    return (
        f"{rate.count:,} ({percent(rate.rate, rate.n)}, 95% interval {interval(rate)}{as_if(rate)})"
    )


def _mean(found: MeanChange, signed: bool = False) -> str:
    form = "+.3f" if signed else ".3f"
    mean, low, high = (with_minus(one, form) for one in (found.mean, found.low, found.high))
    return (
        f"{mean} [{low}, {high}]" if np.isfinite(found.low) else f"{mean} (one pair: no interval)"
    )
