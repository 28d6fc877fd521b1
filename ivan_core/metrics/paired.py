"""Two shares of the same pairs: their difference with interval and test, and the pairs it takes.

The two are models that agree with the choice or do not, or sides that a label is given to or is
not. Only discordant pairs, where one does and the other does not, tell their shares apart. Several
differences at once are tested as a family.

Agreement counts a tie as not siding with the choice, so a pair is discordant if exactly one of the
two models agrees. Margins stand in typical margins of their own model, the only unit in which two
models compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, log, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ivan_core.metrics.agreement import (
    VERDICTS,
    flags,
    narrow,
    rated,
    rows_of,
    says,
    typical_margin,
    where,
)
from ivan_core.metrics.bins import bin_of, within
from ivan_core.metrics.intervals import PROMPT, Rate, design_in, wilson

GAPS = (0.01, 0.02, 0.05)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more often the first model agrees than the second, on the pairs both rated.

    `first_only` and `second_only` are the discordant pairs, on which only that model agrees;
    `difference`, `low` and `high` are shares between -1 and 1; `mid_p` is McNemar's. With a
    `design` effect above 1, interval and test are those of n / design pairs.
    """

    both: int
    first_only: int
    second_only: int
    neither: int
    first: Rate
    second: Rate
    difference: float
    low: float
    high: float
    mid_p: float
    design: float = 1.0

    @property
    def n(self) -> int:
        """Pairs that both models rated."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def effective_n(self) -> int:
        """How many independent pairs would give an interval as wide."""
        return max(1, round(self.n / self.design))

    @property
    def discordance(self) -> float:
        """Share of pairs on which exactly one model agrees."""
        return (self.first_only + self.second_only) / self.n

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of no difference."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Needed:
    """How many pairs show a true difference of `gap`; `pairs` is None if it cannot be so large."""

    gap: float
    pairs: int | None


def difference_of_counts(
    both: int,
    first_only: int,
    second_only: int,
    neither: int,
    level: float = 0.95,
    design: float = 1.0,
) -> Difference | None:
    """The difference of two paired shares from the four counts; None if all are 0.

    The interval joins the Wilson limits of both shares by squaring and adding, with their
    correlation phi corrected for continuity: Newcombe (1998), Statistics in Medicine 17:2635-2650,
    method 10. `design` is the design effect of the difference (1 or more): interval and test are
    those of counts so many times as small. The test's are rounded towards each other.
    """
    n = both + first_only + second_only + neither
    first = wilson(both + first_only, n, level, design)
    second = wilson(both + second_only, n, level, design)
    if first is None or second is None:
        return None
    phi = _phi(both, first_only, second_only, neither, design)
    difference = (first_only - second_only) / n
    below = _joined(first.rate - first.low, second.high - second.rate, phi)
    above = _joined(first.high - first.rate, second.rate - second.low, phi)
    return Difference(
        both,
        first_only,
        second_only,
        neither,
        first,
        second,
        difference,
        max(-1.0, difference - below),
        min(1.0, difference + above),
        mcnemar_mid_p(*_effective(first_only, second_only, design)),
        design,
    )


def mcnemar_mid_p(first_only: int, second_only: int) -> float:
    """Two-sided mid-p value of McNemar's test, exact from the binomial distribution.

    2 P(X < m) + P(X = m) for the smaller discordant count m: Fagerland, Lydersen and Laake (2013),
    BMC Medical Research Methodology 13:91. Equal counts give 1.
    """
    n, smaller = first_only + second_only, min(first_only, second_only)
    k = np.arange(1, smaller + 1, dtype=float)
    # log C(n, k), each from the one before it, with log 2^n taken off.
    steps = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))]) - n * log(2)
    terms = np.exp(steps)
    return min(1.0, float(2 * terms[:-1].sum() + terms[-1]))


def pairs_needed(
    discordance: float, gaps: tuple[float, ...] = GAPS, design: float = 1.0
) -> list[Needed]:
    """How many pairs show true differences of these sizes with 80% power at a two-sided 5%.

    [z(.975) sqrt(d) + z(.8) sqrt(d - gap^2)]^2 / gap^2 for the discordance d: Connor (1987),
    Biometrics 43:207-211. Only the discordance comes from the data; the observed difference never
    enters. A difference cannot be larger than the discordance. With a `design` effect, so many
    times as many.
    """
    normal = NormalDist()
    z_alpha, z_beta = normal.inv_cdf(0.975), normal.inv_cdf(0.8)
    found = []
    for gap in gaps:
        if not 0 < gap <= discordance:
            found.append(Needed(gap, None))
            continue
        spread = z_alpha * sqrt(discordance) + z_beta * sqrt(discordance - gap**2)
        found.append(Needed(gap, ceil(design * spread**2 / gap**2)))
    return found


def _effective(first_only: int, second_only: int, design: float) -> tuple[int, int]:
    """The smaller and the larger discordant count, whole, as a test on fewer pairs has them.

    Rounded towards each other: rounding alone never makes a difference clear.
    """
    smaller, larger = sorted((first_only, second_only))
    least = ceil(smaller / design)
    return least, max(least, floor(larger / design))


def _phi(both: int, first_only: int, second_only: int, neither: int, design: float) -> float:
    """The correlation of the two verdicts, corrected for continuity; 0 if a margin is empty."""
    n = both + first_only + second_only + neither
    margins = [both + first_only, second_only + neither, both + second_only, first_only + neither]
    if 0 in margins:
        return 0.0
    excess: float = both * neither - first_only * second_only
    if excess > 0:
        # Half a pair in each of the n / design pairs' cells is half a design effect in these.
        excess = max(excess - n * design / 2, 0.0)
    return excess / sqrt(margins[0] * margins[1]) / sqrt(margins[2] * margins[3])


def _joined(one: float, other: float, phi: float) -> float:
    return sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))


SIGNIFICANT = 0.05


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """P-values adjusted for their family by Holm's step-down method; NaN is no test and stays NaN.

    The i-th smallest of m is multiplied by m - i + 1, and none is smaller than one before it: Holm
    (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted


Floats = NDArray[np.float64]

FURTHEST = 4.0
"""Margins beyond this many typical margins are counted in the outermost bins."""


def shared_rows(
    table: pd.DataFrame, first: str, second: str, units: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """The pairs that both models rated, one row a pair, in the order of row ids.

    Columns: row_id, subset, first_verdict, second_verdict, first_margin, second_margin (in typical
    margins of each model), first_seen and second_seen (whether each was trained on the pair,
    missing where nobody says), seen (either is known to have been), and the group of the prompt if
    prompts repeat. `units` are the typical margins by model; without them each is that of the
    model's rated rows in `table`, so give the run's own when the table is a filtered one.
    """
    needed = narrow(table, "model", "row_id", "subset", "verdict", "margin", "seen", PROMPT)
    ours, theirs = rows_of(needed, first), rows_of(needed, second)
    scales = [_unit(own, model, units) for own, model in ((ours, first), (theirs, second))]
    row_ids, others = ours["row_id"].to_numpy(), theirs["row_id"].to_numpy()
    if np.array_equal(row_ids, others) and (np.diff(row_ids) > 0).all():
        both = says(ours["verdict"], *VERDICTS) & says(theirs["verdict"], *VERDICTS)
        ours, theirs = where(ours, both), where(theirs, both)
        row_ids = ours["row_id"].to_numpy()
    else:
        ours, theirs = rated(ours), rated(theirs)
        row_ids, at_first, at_second = np.intersect1d(
            ours["row_id"], theirs["row_id"], return_indices=True
        )
        ours, theirs = ours.iloc[at_first], theirs.iloc[at_second]
    seen = [own["seen"].astype("boolean") for own in (ours, theirs)]
    prompts = {PROMPT: ours[PROMPT].to_numpy()} if PROMPT in ours.columns else {}
    return pd.DataFrame(
        {
            "row_id": row_ids,
            "subset": ours["subset"].array,
            "first_verdict": ours["verdict"].array,
            "second_verdict": theirs["verdict"].array,
            "first_margin": ours["margin"].to_numpy(float) / scales[0],
            "second_margin": theirs["margin"].to_numpy(float) / scales[1],
            "first_seen": seen[0].array,
            "second_seen": seen[1].array,
            "seen": flags(seen[0]) | flags(seen[1]),
            **prompts,
        }
    )


def verdict_table(shared: pd.DataFrame) -> pd.DataFrame:
    """Count the pairs by the verdicts of both models; ties keep their own row and column.

    Always nine rows: first, second (verdicts), count, share, n. Shares are missing if n is 0.
    """
    code = 3 * _codes(shared["first_verdict"]) + _codes(shared["second_verdict"])
    counts = np.bincount(code, minlength=9)
    n = len(shared)
    return pd.DataFrame(
        {
            "first": np.repeat(VERDICTS, 3),
            "second": np.tile(VERDICTS, 3),
            "count": counts,
            "share": counts / n if n else np.full(9, np.nan),
            "n": n,
        }
    )


def paired_difference(shared: pd.DataFrame) -> Difference | None:
    """The difference of agreements with its interval and test; None if no pair is shared."""
    ours = shared["first_verdict"].eq("agree").to_numpy(bool)
    theirs = shared["second_verdict"].eq("agree").to_numpy(bool)
    both, first_only = int((ours & theirs).sum()), int((ours & ~theirs).sum())
    second_only, neither = int((~ours & theirs).sum()), int((~ours & ~theirs).sum())
    design = design_in(shared, ours.astype(np.float64) - theirs)
    return difference_of_counts(both, first_only, second_only, neither, design=design)


def margin_cells(shared: pd.DataFrame, bins: int = 24) -> pd.DataFrame:
    """Count the pairs by the first model's margin (x) and the second's (y), in square cells.

    Returns one row per cell that holds a pair: cell (an id), x0, x1, y0, y1, count, same (pairs
    with the same verdict of both models), share_same. Both axes share their edges, which mirror
    each other around 0; `bins` is even, so that 0 is an edge and every cell lies in one quadrant. A
    cell takes its lower edge and not its upper one, except that the last cells take both. Margins
    beyond 4 typical margins count in the outermost cells.

    Raises:
        ValueError: `bins` is odd or not positive.
    """
    if bins < 2 or bins % 2:
        raise ValueError(f"An edge at 0 needs an even number of bins, not {bins}.")
    x, y, reach = _cut(
        shared["first_margin"].to_numpy(float), shared["second_margin"].to_numpy(float)
    )
    positive = np.linspace(0.0, reach, bins // 2 + 1)
    edges = np.concatenate([-positive[:0:-1], positive])
    cell = bin_of(y, edges) * bins + bin_of(x, edges)
    same = shared["first_verdict"].eq(shared["second_verdict"]).to_numpy(bool)
    counts = np.bincount(cell, minlength=bins**2)
    alike = np.bincount(cell[same], minlength=bins**2)
    found = np.flatnonzero(counts)
    column, row = found % bins, found // bins
    return pd.DataFrame(
        {
            "cell": found,
            "x0": edges[column],
            "x1": edges[column + 1],
            "y0": edges[row],
            "y1": edges[row + 1],
            "count": counts[found],
            "same": alike[found],
            "share_same": alike[found] / counts[found],
        }
    )


def in_margin_cell(
    first: Floats, second: Floats, x0: float, x1: float, y0: float, y1: float
) -> NDArray[np.bool_]:
    """Whether margins lie in the cell with these edges; all pairs of both models are needed.

    NaN, which stands for a pair that a model has not rated, lies in none.
    """
    x, y, reach = _cut(first, second)
    return within(x, x0, x1, reach) & within(y, y0, y1, reach)


def _unit(own: pd.DataFrame, model: str, units: Mapping[str, float] | None) -> float:
    """What the margins of a model are measured in."""
    unit = units.get(model) if units else typical_margin(rated(own)["margin"])
    return unit or 1.0


def _codes(verdicts: pd.Series) -> NDArray[np.int64]:
    return np.asarray(pd.Categorical(verdicts, VERDICTS).codes, dtype=np.int64)


def _cut(first: Floats, second: Floats) -> tuple[Floats, Floats, float]:
    """Both margins, cut at the furthest bins, and the outermost edge."""
    both = ~(np.isnan(first) | np.isnan(second))
    margins = np.concatenate([first[both], second[both]])
    reach = min(float(np.abs(margins).max(initial=0.0)), FURTHEST) or 1.0
    x, y = (np.where(both, np.clip(m, -reach, reach), np.nan) for m in (first, second))
    return x, y, reach
