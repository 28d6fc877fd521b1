"""Tooltips that tell an interval as sentences do, so that rounding cannot turn its verdict."""

from __future__ import annotations

from math import isnan

import altair as alt
import pandas as pd

from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.sentences import as_if, as_if_n, interval, interval_ends, percent

TIP = alt.Tooltip("ends:N", title="95% interval, in percent")


def with_ends(points: pd.DataFrame) -> pd.DataFrame:
    """The points with their interval in words, column `ends`; empty where nothing was rated.

    Columns used: low and high (shares), n (what they are shares of), and, where it is there,
    effective_n, which is told where repeated prompts made the interval wider.
    """
    alone = points["effective_n"] if "effective_n" in points.columns else points["n"]
    ends = [
        ""
        if pd.isna(low)
        else interval_ends(float(low), float(high), int(n)) + as_if_n(int(n), int(wide))
        for low, high, n, wide in zip(
            points["low"], points["high"], points["n"], alone, strict=True
        )
    ]
    return points.assign(ends=ends)


def told(rate: Rate) -> str:
    """A share with its interval, its n, and as if of how many where prompts repeat."""
    return f"{label(rate)}{as_if(rate)}"


def label(rate: Rate) -> str:
    """A share with its interval and its n; without ends (NaN) there is no interval."""
    ends = "" if isnan(rate.low) else f" {interval(rate)}"
    return f"{percent(rate.rate, rate.n)}{ends} of {rate.n:,}"
