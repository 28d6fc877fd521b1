"""Two rewordings of the same pairs: how many verdicts each flips, and how alike texts stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import PROMPT, Rate, rate_in
from ivan_core.metrics.robustness.changes import REWORDED, MeanChange, changes, flipped, mean_change
from ivan_core.metrics.sentences import as_if, interval, percent

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
    mean = f"{found.mean:+.3f}" if signed else f"{found.mean:.3f}"
    if not np.isfinite(found.low):
        return f"{mean} (one pair: no interval)"
    form = "+.3f" if signed else ".3f"
    return f"{mean} [{found.low:{form}}, {found.high:{form}}]"
