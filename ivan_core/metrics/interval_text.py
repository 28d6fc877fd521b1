"""Intervals as text, whose printed ends never contradict what is said of them.

An interval that begins just above zero and one that begins just below would both be printed as
`[0.00, +0.10]`. Here an end gets more decimals until it stands in print on the side of the null on
which it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, isnan

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
