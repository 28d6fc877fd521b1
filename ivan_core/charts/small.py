"""The small picture beside a finding: a few bars with their names and numbers, without axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import palette

STEP = 34
_BAR = 10
_COLOURS = {**palette.VERDICT_COLOURS, "share": palette.COUNT}
Named = tuple[str, str, Mapping[str, float]]
"""A bar: its name, its number in words, and its parts as shares of 1."""


def small_bars(bars: Sequence[Named], described: str, *, dark: bool = False) -> palette.Drawing:
    """A few bars below each other; `described` is the alt text.

    Parts are named as in `palette.VERDICT_COLOURS`, or "share"; what they leave to 1 is a track.
    """
    if not bars:
        return "There is nothing to draw."
    ink = palette.ink(dark)
    rows = pd.DataFrame(
        [(line, name, label) for line, (name, label, _) in enumerate(bars)],
        columns=["line", "name", "label"],
    )
    y = alt.Y("line:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    x = alt.X("start:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(rows).encode(y=y)
    words = {"baseline": "middle", "yOffset": -8, "fontSize": 12, "color": ink.text}
    bar = {"height": _BAR, "yOffset": 6, "tooltip": None}
    layers = [
        base.mark_bar(color=palette.TIE, opacity=0.25, **bar).encode(
            x=alt.XDatum(0, axis=None), x2=alt.X2Datum(1)
        ),
        alt.Chart(_parts(bars))
        .mark_bar(**bar)
        .encode(
            y=y,
            x=x,
            x2="end:Q",
            color=alt.Color("part:N", scale=palette.scale_of(_COLOURS), legend=None),
        ),
        base.mark_text(align="left", limit={"expr": "max(40, width - 46)"}, **words).encode(
            text="name:N", x=alt.value(0)
        ),
        base.mark_text(align="right", **words).encode(text="label:N", x=alt.value("width")),
    ]
    chart = alt.layer(*layers, height=STEP * len(bars))
    return chart.properties(
        description=described,
        width="container",
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        padding={"left": 0, "right": 0, "top": 0, "bottom": 0},
    ).configure_view(strokeWidth=0)


def _parts(bars: Sequence[Named]) -> pd.DataFrame:
    """The parts of each bar, one after the other, with the shares between which they lie."""
    found: list[tuple[int, str, float, float]] = []
    for line, (_, _, shares) in enumerate(bars):
        start = 0.0
        for part, share in shares.items():
            found.append((line, part, start, start + share))
            start += share
    return pd.DataFrame(found, columns=["line", "part", "start", "end"])
