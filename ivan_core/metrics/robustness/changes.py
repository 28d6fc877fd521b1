"""What moves when texts are reworded although their meaning did not: rewards, margins, verdicts.

Every function takes the long table of one run: a row a pair, model and variant, with the columns of
`COLUMNS`. Rewards are NaN where a text is missing or failed; such pairs enter no number. A verdict
agrees if the chosen reward is the larger one; a tie, like everywhere, does not side with the
choice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atanh, nan, sqrt, tanh

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.agreement import typical_margin
from ivan_core.metrics.bins import bin_of
from ivan_core.metrics.intervals import (
    PROMPT,
    Rate,
    bare,
    design_in,
    mean_interval,
    rate_in,
    without_ends,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ORIGINAL, REWORDED, SECOND, SURFACE = "original", "reworded", "second", "surface"
REWARDS = ("chosen_reward", "rejected_reward")
MEANING = ("chosen_similarity", "rejected_similarity", "chosen_ratio", "rejected_ratio")
COLUMNS = ("row_id", "model", "variant", *REWARDS, *MEANING)
"""`*_similarity` and `*_ratio` compare a side's text with its original: cosine and length, both 1
or missing where the side was not reworded."""
LEAST_FOR_CORRELATION = 4


@dataclass(frozen=True, slots=True)
class MeanChange:
    """A mean over pairs with its 95% interval (Student's t by pair; NaN for a single pair).

    In units of the rewards; `in_units` gives it in typical margins. `design` is the design effect
    of repeated prompts, which makes the interval that of `effective_n` pairs.
    """

    n: int
    mean: float
    low: float
    high: float
    design: float = 1.0

    @property
    def effective_n(self) -> int:
        """How many pairs without shared prompts would give an interval as wide."""
        return max(1, round(self.n / self.design))

    def in_units(self, unit: float) -> MeanChange:
        """The same in multiples of a typical margin."""
        ends = self.low / unit, self.high / unit
        return MeanChange(self.n, self.mean / unit, *ends, self.design)

    def without_ends(self) -> MeanChange:
        """The same without its interval, as of pairs picked by what it measures."""
        return MeanChange(self.n, self.mean, nan, nan)


@dataclass(frozen=True, slots=True)
class Flips:
    """Verdicts that turned. Only pairs that agreed before can become misaligned, and the reverse.

    `lost_to_tie` are those of `became_misaligned` that ended in a tie, `gained_from_tie` those of
    `became_aligned` that came from one; `other` moved between tie and disagreement, which is no
    flip. `misaligned_at_risk` and `aligned_at_risk` are shares of the pairs at risk.
    """

    n: int
    became_misaligned: Rate
    became_aligned: Rate
    either: Rate
    lost_to_tie: int
    gained_from_tie: int
    other: int
    misaligned_at_risk: Rate | None
    aligned_at_risk: Rate | None

    def without_ends(self) -> Flips:
        """The same without intervals, as of pairs picked by what it counts."""
        return replace(
            self,
            became_misaligned=bare(self.became_misaligned),
            became_aligned=bare(self.became_aligned),
            either=bare(self.either),
            misaligned_at_risk=without_ends(self.misaligned_at_risk),
            aligned_at_risk=without_ends(self.aligned_at_risk),
        )


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's correlation of rewards before and after, with its 95% interval."""

    n: int
    r: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Robustness:
    """What one variant does to one model. `unit` is the model's typical margin on the originals.

    Means and flips are None where no pair is known; `unit` is None or 0 where margins have no
    scale.
    """

    model: str
    variant: str
    n: int
    unit: float | None
    chosen: MeanChange | None
    rejected: MeanChange | None
    margin: MeanChange | None
    flips: Flips | None
    chosen_correlation: Correlation | None
    rejected_correlation: Correlation | None

    def without_ends(self) -> Robustness:
        """The same without intervals, as of pairs picked by what it tells."""
        correlations = (self.chosen_correlation, self.rejected_correlation)
        chosen, rejected = (one and replace(one, low=nan, high=nan) for one in correlations)
        return replace(
            self,
            chosen=self.chosen and self.chosen.without_ends(),
            rejected=self.rejected and self.rejected.without_ends(),
            margin=self.margin and self.margin.without_ends(),
            flips=self.flips and self.flips.without_ends(),
            chosen_correlation=chosen,
            rejected_correlation=rejected,
        )


def gate(table: pd.DataFrame, similarity: float, low_ratio: float, high_ratio: float) -> Bools:
    """Which rows of the table count: a mask to filter all numbers with at once.

    A pair counts if both sides of its reworded texts are at least so similar to their originals and
    of a length between the two ratios. A second rewording must pass too before its own row counts.
    Where a side was not reworded (its similarity and ratio are missing) its meaning is kept.
    """
    passes = np.ones(len(table), dtype=np.bool_)
    for side in ("chosen", "rejected"):
        alike = table[f"{side}_similarity"].fillna(1.0).to_numpy(float)
        ratio = table[f"{side}_ratio"].fillna(1.0).to_numpy(float)
        passes &= (alike >= similarity) & (ratio >= low_ratio) & (ratio <= high_ratio)
    variant = table["variant"].to_numpy(object)
    refused = table["row_id"].to_numpy()[(variant == REWORDED) & ~passes]
    dropped = np.isin(table["row_id"].to_numpy(), refused)
    return np.asarray(~dropped & (passes | (variant == ORIGINAL)), dtype=np.bool_)


def meaning_kept(
    table: pd.DataFrame, similarity: float, low_ratio: float, high_ratio: float
) -> Rate | None:
    """Share of reworded pairs that pass the gate; None if none was reworded."""
    reworded = table["variant"].eq(REWORDED) & table[list(REWARDS)].notna().all(axis=1)
    passed = pd.Series(gate(table, similarity, low_ratio, high_ratio), index=table.index)
    pairs = table[reworded].assign(passed=passed[reworded]).sort_values("row_id", kind="stable")
    counted = pairs.assign(passed=pairs.groupby("row_id")["passed"].transform("any"))
    counted = counted.drop_duplicates("row_id")
    return rate_in(counted, counted["passed"].to_numpy(bool))


def changes(table: pd.DataFrame, model: str, variant: str, before: str = ORIGINAL) -> pd.DataFrame:
    """One model's pairs of which all four rewards are known, by row id.

    Columns: row_id, chosen_change, rejected_change, margin_before, margin_after, verdict_before,
    verdict_after, similarity (of the less similar side), chosen_before, rejected_before,
    chosen_after, rejected_after.
    """
    first, then = _known(table, model, before), _known(table, model, variant)
    row_ids, at_first, at_then = np.intersect1d(
        first["row_id"].to_numpy(), then["row_id"].to_numpy(), return_indices=True
    )
    first, then = first.iloc[at_first], then.iloc[at_then]
    c0, r0 = (first[column].to_numpy(float) for column in REWARDS)
    c1, r1 = (then[column].to_numpy(float) for column in REWARDS)
    alike = then[["chosen_similarity", "rejected_similarity"]].fillna(1.0).min(axis=1)
    prompts = {PROMPT: first[PROMPT].to_numpy()} if PROMPT in first.columns else {}
    return pd.DataFrame(
        {
            "row_id": row_ids,
            "chosen_change": c1 - c0,
            "rejected_change": r1 - r0,
            "margin_before": c0 - r0,
            "margin_after": c1 - r1,
            "verdict_before": _verdicts(c0, r0),
            "verdict_after": _verdicts(c1, r1),
            "similarity": alike.to_numpy(float),
            "chosen_before": c0,
            "rejected_before": r0,
            "chosen_after": c1,
            "rejected_after": r1,
            **prompts,
        }
    )


def unit_of(table: pd.DataFrame, model: str) -> float | None:
    """A model's typical margin on the original texts; take it before the gate filters."""
    own = _known(table, model, ORIGINAL)
    return typical_margin(own["chosen_reward"] - own["rejected_reward"])


def robustness(
    table: pd.DataFrame,
    model: str,
    variant: str = REWORDED,
    unit: float | None = None,
    before: str = ORIGINAL,
) -> Robustness:
    """What a variant does to one model's rewards, margins and verdicts.

    From the first rewording (`before`) to the second one it is the spread of two rewordings.
    `unit` is the typical margin to report in; by default that of the table's own originals.
    """
    moved = changes(table, model, variant, before)
    margins = moved["margin_after"] - moved["margin_before"]
    return Robustness(
        model=model,
        variant=variant,
        n=len(moved),
        unit=unit_of(table, model) if unit is None else unit,
        chosen=mean_change(moved, moved["chosen_change"].to_numpy(float)),
        rejected=mean_change(moved, moved["rejected_change"].to_numpy(float)),
        margin=mean_change(moved, margins.to_numpy(float)),
        flips=flips(moved),
        chosen_correlation=correlation(moved["chosen_before"], moved["chosen_after"]),
        rejected_correlation=correlation(moved["rejected_before"], moved["rejected_after"]),
    )


def mean_change(pairs: pd.DataFrame, values: Floats) -> MeanChange | None:
    """The mean of one value a pair, its interval as wide as prompts ask; None without a pair."""
    if not len(values):
        return None
    design = design_in(pairs, values)
    low, high = mean_interval(values, design=design)
    return MeanChange(len(values), float(values.mean()), low, high, design)


def flips(moved: pd.DataFrame) -> Flips | None:
    """How many verdicts turned, from the table of `changes`; None without a pair."""
    n = len(moved)
    before, after = moved["verdict_before"], moved["verdict_after"]
    agreed, agrees = (one.eq("agree").to_numpy(bool) for one in (before, after))
    lost, gained = agreed & ~agrees, ~agreed & agrees
    misaligned, aligned, either = (rate_in(moved, one) for one in (lost, gained, lost | gained))
    if misaligned is None or aligned is None or either is None:
        return None
    return Flips(
        n=n,
        became_misaligned=misaligned,
        became_aligned=aligned,
        either=either,
        lost_to_tie=int((agreed & after.eq("tie")).sum()),
        gained_from_tie=int((agrees & before.eq("tie")).sum()),
        other=int((~agreed & ~agrees & before.ne(after)).sum()),
        misaligned_at_risk=rate_in(moved[agreed], lost[agreed]),
        aligned_at_risk=rate_in(moved[~agreed], gained[~agreed]),
    )


def flipped(moved: pd.DataFrame) -> Bools:
    """Whether a pair's verdict turned either way."""
    turned = moved["verdict_before"].eq("agree") != moved["verdict_after"].eq("agree")
    return np.asarray(turned, dtype=np.bool_)


def correlation(before: pd.Series, after: pd.Series) -> Correlation | None:
    """Pearson's correlation with Fisher's interval; None under 4 pairs or where nothing varies.

    tanh(atanh r -+ 1.96 / sqrt(n - 3)): Fisher (1921), Metron 1:3-32.
    """
    x, y = before.to_numpy(float), after.to_numpy(float)
    if len(x) < LEAST_FOR_CORRELATION:
        return None
    x, y = x - x.mean(), y - y.mean()
    size = sqrt(float(x @ x)) * sqrt(float(y @ y))
    if size <= 0:
        return None
    r = max(-1.0, min(1.0, float(x @ y) / size))
    if abs(r) > 1 - 1e-15:
        return Correlation(len(x), r, r, r)
    half = 1.959963984540054 / sqrt(len(x) - 3)
    return Correlation(len(x), r, tanh(atanh(r) - half), tanh(atanh(r) + half))


def _known(table: pd.DataFrame, model: str, variant: str) -> pd.DataFrame:
    own = table[table["model"].eq(model) & table["variant"].eq(variant)]
    return own[own[list(REWARDS)].notna().all(axis=1)]


def _verdicts(chosen: Floats, rejected: Floats) -> NDArray[np.object_]:
    """The verdicts; rewards are compared as float32, as models give them."""
    c, r = chosen.astype(np.float32), rejected.astype(np.float32)
    return np.where(c > r, "agree", np.where(c == r, "tie", "disagree")).astype(object)


CELLS = ["cell", "x0", "x1", "y0", "y1", "count", "flipped", "share_flipped"]
ACROSS, UP = 16, 14
_LEAST_WIDTH = 0.02


def change_cells(moved: pd.DataFrame, unit: float) -> pd.DataFrame:
    """Count pairs by similarity (x) and absolute change of the margin in typical margins (y).

    `moved` is one model's table of `changes`; the similarity is that of the less
    similar side. Returns a row per cell that holds a pair: cell (an id), x0, x1, y0, y1, count,
    flipped, share_flipped. A cell takes its lower edges and not its upper ones, the last ones both.
    """
    alike, change = _values(moved, unit)
    across, up = _edges(alike, change)
    cell = bin_of(change, up) * ACROSS + bin_of(alike, across)
    found = (
        pd.DataFrame({"cell": cell, "flipped": flipped(moved).astype("int64")})
        .groupby("cell")["flipped"]
        .agg(count="size", flipped="sum")
        .reset_index()
    )
    x, y = found["cell"].to_numpy(int) % ACROSS, found["cell"].to_numpy(int) // ACROSS
    found["x0"], found["x1"] = across[x], across[x + 1]
    found["y0"], found["y1"] = up[y], up[y + 1]
    found["share_flipped"] = found["flipped"] / found["count"]
    return found[CELLS]


def _values(moved: pd.DataFrame, unit: float) -> tuple[Floats, Floats]:
    change = (moved["margin_after"] - moved["margin_before"]).abs().to_numpy(float)
    return moved["similarity"].to_numpy(float), change / (unit or 1.0)


def _edges(alike: Floats, change: Floats) -> tuple[Floats, Floats]:
    """Similarities from the lowest up to 1, changes from none to the largest."""
    highest = max(1.0, float(alike.max())) if len(alike) else 1.0
    lowest = min(float(alike.min()), highest - _LEAST_WIDTH) if len(alike) else 0.0
    most = float(change.max()) if len(change) else 0.0
    return np.linspace(lowest, highest, ACROSS + 1), np.linspace(0.0, most or 1.0, UP + 1)
