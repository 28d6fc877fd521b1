"""Shares and means with their intervals, by formula or by bootstrap, and intervals as text.

Means are by Student's t. The bootstrap draws by prompt: both sides of a pair are drawn together,
and pairs that share a prompt.

An interval that begins just above zero and one that begins just below would both be printed as
`[0.00, +0.10]`. Here an end gets more decimals until it stands in print on the side of the null on
which it lies.

Pairs that share a prompt are alike, so that shares of them vary more than those of others. Tables
may have the column `PROMPT`: equal numbers stand for pairs with the same first Human turn. It is
there only if a prompt repeats. The design effect is how many times the variance of a share is that
of as many independent pairs: both with the linearised variance of a mean over groups (Kish, 1965,
Survey Sampling, chapter 5; Cochran, 1977, Sampling Techniques, chapter 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, isfinite, isnan, nan, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.distributions import student_p, student_quantile


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `n` as a share, with the ends of its interval (all between 0 and 1).

    `design` is the design effect that widened the interval: it is that of n / design pairs.
    """

    count: int
    n: int
    rate: float
    low: float
    high: float
    design: float = 1.0

    @property
    def effective_n(self) -> int:
        """How many independent pairs would give an interval as wide."""
        return max(1, round(self.n / self.design))


@dataclass(frozen=True, slots=True)
class Share:
    """The mean of `n` values between 0 and 1 with the ends of its interval, as a `Rate` has them.

    What each value is may lie between the two: where three replies share the highest reward, a
    prompt is worth a third. So there is no count.
    """

    n: int
    rate: float
    low: float
    high: float
    design: float = 1.0

    @property
    def effective_n(self) -> int:
        """How many independent values would give an interval as wide."""
        return max(1, round(self.n / self.design))


def wilson(count: int, n: int, level: float = 0.95, design: float = 1.0) -> Rate | None:
    """Share of `count` in `n` with its Wilson score interval; None if `n` is 0.

    Wilson (1927), Journal of the American Statistical Association 22:209-212, without continuity
    correction; with a design effect (1 or more), that of n / design. Raises ValueError unless
    0 <= count <= n and 0 < level < 1.
    """
    if not 0 <= count <= n:
        raise ValueError(f"A share needs 0 <= count <= n, not {count} of {n}.")
    if not 0 < level < 1:
        raise ValueError(f"The level lies between 0 and 1, not at {level}.")
    if n == 0:
        return None
    share, design = count / n, max(1.0, design)
    low, high = _wilson_ends(share, n / design, level)
    return Rate(count, n, share, low, high, design)


def _wilson_ends(share: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """The ends of Wilson's interval of a share of `n`, which need be no whole number."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At the ends the formula gives exactly 0 or 1, which rounding would miss by a hair.
    low = 0.0 if share == 0 else max(0.0, centre - half)
    high = 1.0 if share == 1 else min(1.0, centre + half)
    return low, high


def bare(rate: Rate) -> Rate:
    """A share without its interval (ends are NaN), as of rows picked by what it counts."""
    return replace(rate, low=nan, high=nan, design=1.0)


def without_ends(rate: Rate | None) -> Rate | None:
    """The same of a share that may not be known."""
    return rate and bare(rate)


def rate_of_row(count: int, n: int, low: float, high: float, effective_n: float) -> Rate | None:
    """The share of a table's row again, with the ends it has there; None if `n` is 0."""
    return Rate(count, n, count / n, low, high, n / effective_n) if n else None


Floats = NDArray[np.float64]


def mean_interval(values: Floats, level: float = 0.95, design: float = 1.0) -> tuple[float, float]:
    """The interval of the mean of values; NaN for fewer than two of them.

    With a design effect (1 or more) it is that of n / design independent values.
    """
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) * sqrt(design / n)
    half = student_quantile(_freedom(n, design), level) * spread
    return mean - half, mean + half


def mean_p(values: Floats, design: float = 1.0) -> float:
    """Two-sided p-value of the mean against 0, in the same way; NaN for fewer than two values."""
    n = len(values)
    if n < 2:
        return float("nan")
    mean, spread = float(values.mean()), float(values.std(ddof=1)) * sqrt(design / n)
    if not spread:
        return 0.0 if mean else 1.0
    return student_p(mean / spread, _freedom(n, design))


def _freedom(n: int, design: float) -> int:
    """Degrees of freedom of so many values, or of as few as they are worth."""
    return max(1, round(n / design) - 1)


TIMES = 1_000
MOST_UNITS = 10_000
_AT_ONCE = 4_000_000
_LEAST_DEFINED = 0.95
_ROUNDING = 1e-9
"""Coefficients that are so near each other are the same, computed in another order."""


def resampled_sums(by_pair: Floats, generator: np.random.Generator, times: int = TIMES) -> Floats:
    """Column sums over pairs drawn with replacement, as many as there are, `times` times.

    `by_pair` has a row a pair, or a prompt where pairs share one. All columns see the same draws;
    what is drawn depends only on the generator, the number of pairs and `times`. Of more than
    10,000 pairs, every 10,000th are drawn together, which leaves the spread of sums over
    independent pairs as it is.
    """
    by_pair = _grouped(by_pair)
    n = len(by_pair)
    sums = np.zeros((times, by_pair.shape[1]))
    if n == 0:
        return sums
    step = max(1, _AT_ONCE // n)
    for start in range(0, times, step):
        size = min(step, times - start)
        drawn = generator.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        sums[start : start + size] = weights.astype(np.float64) @ by_pair
    return sums


def _grouped(by_pair: Floats) -> Floats:
    """Sums over every 10,000th pair where there are more pairs than that."""
    n, width = by_pair.shape
    if n <= MOST_UNITS:
        return by_pair
    padded = np.zeros((-(-n // MOST_UNITS) * MOST_UNITS, width))
    padded[:n] = by_pair
    return np.asarray(padded.reshape(-1, MOST_UNITS, width).sum(axis=0), dtype=np.float64)


def bca_interval(
    values: Floats, point: float, without: Floats, level: float = 0.95
) -> tuple[float, float]:
    """The interval of resampled values, corrected for bias and skewness (BCa).

    `without` are the values with each pair left out in turn. Efron (1987), Journal of the American
    Statistical Association 82:171-185: of small or skewed samples it covers 92-97% where the plain
    percentiles cover 89-93%. NaN if more than one in twenty resampled values does not exist.
    """
    defined = values[~np.isnan(values)]
    if not len(values) or len(defined) < _LEAST_DEFINED * len(values):
        return float("nan"), float("nan")
    normal, n = NormalDist(), len(defined)
    same = np.abs(defined - point) <= _ROUNDING
    below = (np.count_nonzero(~same & (defined < point)) + np.count_nonzero(same) / 2) / n
    bias = normal.inv_cdf(min(max(below, 0.5 / n), 1 - 0.5 / n))
    left = without[~np.isnan(without)]
    off = left.mean() - left if len(left) else np.zeros(1)
    squares = float((off**2).sum())
    varies = bool(np.abs(off).max() > _ROUNDING)
    skew = float((off**3).sum()) / (6 * squares**1.5) if varies else 0.0
    places = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        z = bias + normal.inv_cdf(tail)
        places.append(normal.cdf(bias + z / max(1 - skew * z, 1e-6)))
    low, high = np.quantile(defined, places)
    return float(low), float(high)


_MOST_MORE = 4
"""Decimals added at the most; an end still nearer to the null is told in words."""


def interval_text(
    low: float,
    high: float,
    decimals: int,
    *,
    nulls: Sequence[float] = (0.0,),
    scale: float = 1.0,
    signed: bool = False,
) -> str:
    """Both ends as in "[−0.001, +0.10]": in so many decimals or, where a null is near, in more.

    `nulls` are the values that the interval is held against, in the unit of its ends; what is
    printed is the end times `scale` (100 for a share in percent). An end nearer to a null than four
    more decimals can show is "over 0" or "under 0". `signed` prints a plus sign as well. One pair
    alone has no interval: its ends are not known.
    """
    if isnan(low) or isnan(high):
        return "[not known]"
    ends = [_end(value, decimals, nulls, scale, signed) for value in (low, high)]
    return f"[{', '.join(ends)}]"


def decimals_to_tell(
    value: float, decimals: int, *, nulls: Sequence[float], scale: float = 1.0
) -> int | None:
    """The fewest decimals, from `decimals` on, that show on which side of the nulls a value lies.

    None if four more are not enough.
    """
    for places in range(decimals, decimals + _MOST_MORE + 1):
        if all(_tells(value, null, places, scale) for null in nulls):
            return places
    return None


def number_text(value: float, decimals: int, *, scale: float = 1.0, signed: bool = False) -> str:
    """One number as intervals print theirs: halves rounded up, a real minus, no sign at zero."""
    return _shown(_number(value, decimals, scale), signed)


def with_minus(value: float, form: str) -> str:
    """A number in a form of Python's, such as ".3g", with a real minus instead of a hyphen."""
    return f"{value:{form}}".replace("-", "−")


def _end(value: float, decimals: int, nulls: Sequence[float], scale: float, signed: bool) -> str:
    """One end, or in words on which side of a null it is where its digits cannot show that."""
    places = decimals_to_tell(value, decimals, nulls=nulls, scale=scale)
    if places is not None:
        return number_text(value, places, scale=scale, signed=signed)
    null = next(null for null in nulls if not _tells(value, null, decimals, scale))
    word = "over" if value > null else "under"
    return f"{word} {number_text(null, decimals, scale=scale, signed=signed)}"


def _tells(end: float, null: float, places: int, scale: float) -> bool:
    """Whether the printed end is on its side of the null, as it is and as it would be printed."""
    printed, side = float(_number(end, places, scale)), _side(end, null)
    shown = float(_number(null, places, scale))
    return side == _side(printed, shown) and (
        shown == printed or side == _side(printed, scale * null)
    )


def _side(value: float, null: float) -> int:
    return int(value > null) - int(value < null)


def _number(value: float, decimals: int, scale: float) -> str:
    if not isfinite(value):
        return str(value)
    unit = 10**decimals
    # The small addend undoes binary fractions such as 0.285 * 100 = 28.499999999999996.
    rounded = floor(value * scale * unit + 0.5 + 1e-9) / unit
    return f"{rounded + 0.0:.{decimals}f}"


def _shown(text: str, signed: bool) -> str:
    sign = "−" if text.startswith("-") else "+" if signed and float(text) > 0 else ""
    return sign + text.removeprefix("-").replace("inf", "∞").replace("nan", "not known")


PROMPT = "prompt_group"
Groups = NDArray[np.int64]
"""A number for each row of a dataset, the same for rows with the same first Human turn."""
WIDENED_FROM = 1.05
"""A smaller design effect changes no interval that one could see."""


def design_effect(values: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """The design effect of the mean of values in groups; 1 where it is below 1.05.

    `groups` has a number from 0 on for each value. Where all values are the same, or of one group,
    nothing tells how alike a group is: then a group counts as one value.
    """
    n = len(values)
    if n < 2:
        return 1.0
    several = int(np.count_nonzero(np.bincount(groups)))
    if several == n:
        return 1.0
    off = values - values.mean()
    own = float((off**2).sum())
    if own <= 0 or several == 1:
        return effect_of_equals(several, n)
    between = float((np.bincount(groups, off) ** 2).sum())
    return effect_of_squares(between, own, several, n)


def effect_of_squares(between: float, own: float, groups: int, n: int) -> float:
    """The design effect from the squares of deviations, summed by group and one by one."""
    return _counts(between * groups / (groups - 1) / (own * n / (n - 1)))


def effect_of_equals(groups: int, n: int) -> float:
    """The design effect where nothing tells how alike a group is: it counts as one value."""
    return _counts(n / groups)


def rate_in(rows: pd.DataFrame, holds: NDArray[np.bool_]) -> Rate | None:
    """The share of rows for which something holds, its interval as wide as repeated prompts ask."""
    return wilson(int(holds.sum()), len(rows), design=design_in(rows, holds))


def units_of(row_ids: Sequence[int] | NDArray[np.int64], prompts: Groups | None) -> Groups:
    """From 0 on, what is drawn together: rows of one prompt; each row alone if none is known."""
    rows = np.asarray(row_ids, dtype=np.int64)
    found, _ = pd.factorize(rows if prompts is None else prompts[rows])
    return np.asarray(found, dtype=np.int64)


def units_in(rows: pd.DataFrame) -> Groups:
    """The same of a table that has the column row_id, and `PROMPT` if a prompt repeats."""
    named = rows[PROMPT if PROMPT in rows.columns else "row_id"]
    return units_of(named.to_numpy(np.int64), None)


def mean_share(values: NDArray[np.float64], units: Groups) -> Share | None:
    """The mean of values between 0 and 1, each of a group; None without a value.

    Its interval is Wilson's, which is at least as wide as the values ask for: of all with one mean,
    those that are 0 or 1 vary most.
    """
    n = len(values)
    if not n:
        return None
    design = design_effect(values, units)
    # A sum of thirds may miss 0 or 1 by a hair.
    share = min(1.0, max(0.0, float(values.mean())))
    return Share(n, share, *_wilson_ends(share, n / design), design)


def share_in(holds: NDArray[np.bool_], units: Groups) -> Rate | None:
    """The share of values for which something holds, each value of a group."""
    design = design_effect(holds.astype(np.float64), units)
    return wilson(int(holds.sum()), len(holds), design=design)


def prompts_in(rows: pd.DataFrame) -> Groups | None:
    """The groups of rows of the same prompt; None if no prompt repeats."""
    return rows[PROMPT].to_numpy(np.int64) if PROMPT in rows.columns else None


def design_in(rows: pd.DataFrame, values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    """The design effect of one value a row; 1 if no prompt repeats."""
    return design_among(prompts_in(rows), values)


def design_among(prompts: Groups | None, values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    """The same of the groups of `prompts_in`."""
    return 1.0 if prompts is None else design_effect(np.asarray(values, np.float64), prompts)


def _counts(effect: float) -> float:
    return effect if effect > WIDENED_FROM else 1.0
