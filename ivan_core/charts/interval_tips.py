"""Tooltips that tell an interval as sentences do, so that rounding cannot turn its verdict."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.metrics.sentences import interval_ends

TIP = alt.Tooltip("ends:N", title="95% interval, in percent")


def with_ends(points: pd.DataFrame) -> pd.DataFrame:
    """The points with their interval in words, column `ends`; empty where nothing was rated.

    Columns used: low and high (shares) and n (what they are shares of).
    """
    ends = [
        "" if pd.isna(low) else interval_ends(float(low), float(high), int(n))
        for low, high, n in zip(points["low"], points["high"], points["n"], strict=True)
    ]
    return points.assign(ends=ends)
