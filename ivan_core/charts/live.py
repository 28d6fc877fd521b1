"""Agreement so far, drawn while a run goes on."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from ivan_core.charts import palette
from ivan_core.charts.interval_tips import TIP, with_ends
from ivan_core.metrics.agreement import BY_PAIR
from ivan_core.metrics.sentences import interval_ends, percent

HEIGHT = 240
MOST_TIPS = 120


def agreement_so_far(
    points: pd.DataFrame,
    planned: int,
    *,
    title: str = "How often each model agrees, so far",
    dark: bool | None = None,
) -> alt.LayerChart:
    """A line and a light band a model, over the pairs rated so far, on axes that do not move.

    `points` is the table of `metrics.agreement.running_agreement` with its column model; `planned`
    is the number of pairs the run will come to. The current numbers stand in the legend.
    """
    models = points["model"].drop_duplicates()
    # Colours as values: only the line has a colour scale, or its legend would be split in two.
    colours = dict(zip(models, palette.model_colours(len(models)), strict=True))
    shown = with_ends(points).assign(
        label=points["model"].map(numbers_first(points)), colour=points["model"].map(colours)
    )
    last = shown.groupby("model", sort=False).tail(1)
    x = alt.X(
        "n:Q",
        title="Pairs rated",
        scale=alt.Scale(domain=[0, max(1, planned)], nice=False),
        axis=alt.Axis(grid=False, tickCount=5, format=",d"),
    )
    fill = alt.Fill("colour:N", scale=None)
    colour, dash = model_lines(len(models))
    band = (
        alt.Chart(shown)
        .mark_area(opacity=0.16)
        .encode(x=x, y=_share("low"), y2="high:Q", detail="model:N", fill=fill)
    )
    line = (
        alt.Chart(shown)
        .mark_line(strokeWidth=2.2)
        .encode(x=x, y=_share("rate"), color=colour, strokeDash=dash)
    )
    ends = (
        alt.Chart(last)
        .mark_point(size=60, opacity=1, strokeWidth=0)
        .encode(x=x, y=_share("rate"), fill=fill)
    )
    tips = (
        alt.Chart(_thinned(shown))
        .mark_point(opacity=0, size=120, filled=True)
        .encode(x=x, y=_share("rate"), tooltip=_TIPS)
    )
    chart = alt.layer(band, *_half(palette.ink(dark)), line, ends, tips).properties(height=HEIGHT)
    return palette.framed(chart, title, _description(last, planned), BY_PAIR, dark)


_TIPS = [
    alt.Tooltip("model:N", title="Model"),
    alt.Tooltip("n:Q", title="Pairs rated", format=","),
    alt.Tooltip("rate:Q", title="Agreement so far", format=".1%"),
    TIP,
]


def _share(field: str) -> alt.Y:
    return alt.Y(
        f"{field}:Q",
        title="Agreement so far",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], gridOpacity=0.5),
    )


def model_lines(models: int) -> tuple[alt.Color, alt.StrokeDash]:
    """The colour and the dash of each model's line, in one legend."""
    legend = alt.Legend(
        title=None,
        orient="top",
        direction="vertical",
        symbolType="stroke",
        symbolOpacity=1,
        labelLimit={"expr": "width - 24"},
    )
    colours = alt.Scale(range=palette.model_colours(models))
    dashes = alt.Scale(range=palette.model_dashes(models))
    return (
        alt.Color("label:N", sort=None, scale=colours, legend=legend),
        alt.StrokeDash("label:N", sort=None, scale=dashes, legend=legend),
    )


def _half(ink: palette.Ink) -> tuple[alt.Chart, alt.Chart]:
    """The line at 50% and its words."""
    half = alt.Chart(pd.DataFrame({"share": [0.5]})).encode(y=_share("share"))
    line = half.mark_rule(strokeDash=[3, 3], color=ink.faint, strokeWidth=1.2)
    words = half.mark_text(
        align="right",
        baseline="bottom",
        dy=-3,
        fontSize=11,
        color=ink.faint,
        text="50%, a coin toss",
    )
    return line, words.encode(x=alt.value("width"))


def numbers_first(points: pd.DataFrame) -> dict[str, str]:
    """Each model's current numbers before its name, which may be long and is cut at its end."""
    last = points.groupby("model", sort=False).tail(1)
    return {
        str(p.model): f"{percent(p.rate, p.n)} {interval_ends(p.low, p.high, p.n)} {p.model}"
        for p in last.itertuples()
    }


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """Few enough points to hover over."""
    parts = []
    models = max(1, points["model"].nunique())
    most = max(2, MOST_TIPS // models)
    for _, own in points.groupby("model", sort=False):
        kept = np.unique(np.linspace(0, len(own) - 1, min(most, len(own))).round().astype(int))
        parts.append(own.iloc[kept])
    return pd.concat(parts, ignore_index=True) if parts else points


def _description(last: pd.DataFrame, planned: int) -> str:
    if last.empty:
        return f"Agreement so far; none of {planned:,} pairs is rated yet."
    told = [f"{p.model} {percent(p.rate, p.n)} of {p.n:,}" for p in last.itertuples()]
    return f"Agreement so far of {planned:,} planned pairs: {'; '.join(told)}."
