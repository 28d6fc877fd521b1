"""How sure the models are: agreement against sureness, and among the pairs they are surest of."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.charts.palette import TIP, with_ends
from ivan_core.metrics.comparison_sentences import reliability_sentence
from ivan_core.metrics.reliability import LEAST_IN_BIN, Reliability
from ivan_core.metrics.sentences import interval_ends, percent

HEIGHT = 340
CURVE_HEIGHT = 300
MOST_TIPS = 120
MOST_MODELS = 5
_SHARE = {"format": "%", "tickCount": 5}


def reliability_points(found: Reliability, model: str, *, dark: bool = False) -> palette.Drawing:
    """One point a bin of pairs: how sure the model is, and in how many it sides with the choice.

    Full points use the fitted temperature, hollow ones the scores as they are (T = 1); on the
    dashed line a model is exactly as right as it is sure. A click fills the selection "sure" with
    the number of the bin.
    """
    if found.bins.empty:
        return reliability_sentence(found, model)
    ink = palette.ink(dark)
    bins = with_ends(found.bins).assign(
        model=model,
        margins=[
            f"{low:.3g} to {high:.3g}"
            for low, high in zip(found.bins["margin_low"], found.bins["margin_high"], strict=True)
        ],
    )
    floor = max(0.0, min(0.4, np.floor(float(bins["low"].min()) * 10) / 10))
    x = alt.X(
        "sure:Q",
        title="How sure the model is",
        scale=alt.Scale(domain=[0.5, 1], nice=False),
        axis=alt.Axis(grid=False, **_SHARE),
    )
    y = alt.Y(
        "rate:Q",
        title="Sides with the choice",
        scale=alt.Scale(domain=[floor, 1], nice=False, zero=False),
        axis=alt.Axis(gridOpacity=0.5, **_SHARE),
    )
    base = alt.Chart(bins).encode(
        x=x,
        tooltip=[
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("sure:Q", title="How sure it is", format=".1%"),
            alt.Tooltip("rate:Q", title="Sides with the choice", format=".1%"),
            TIP,
            alt.Tooltip("n:Q", title="Pairs", format=","),
            alt.Tooltip("margins:N", title="Size of the margin"),
        ],
    )
    fitted = base.transform_filter("datum.scale == 'fitted'")
    # A line stands for no bin: a click on it, between two points, must not pick one.
    lines = alt.Chart(bins.drop(columns="bin")).encode(x=x, y=y)
    layers = [
        _diagonal(x, y, ink),
        lines.transform_filter("datum.scale == 'raw'").mark_line(
            strokeWidth=1.2, strokeDash=[2, 3], color=ink.faint, tooltip=None
        ),
        lines.transform_filter("datum.scale == 'fitted'").mark_line(
            strokeWidth=1.5, color=palette.COUNT, opacity=0.6, tooltip=None
        ),
        fitted.mark_rule(strokeWidth=2, color=palette.COUNT).encode(
            y=alt.Y("low:Q", title=y["title"], scale=y["scale"]), y2="high:Q"
        ),
        _scale_points(base, y, found.temperature or 1.0, ink),
    ]
    chart = alt.layer(*layers, height=HEIGHT)
    subtitle = "On the dashed line it is as right as it is sure."
    title = "When it is surer, is it right more often?"
    return palette.framed(chart, title, _points_described(found, model), subtitle, dark=dark)


def risk_coverage_curves(curves: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """Agreement among the pairs each model is surest of, from a few pairs to all of them.

    `curves` is the table of `metrics.reliability.risk_coverage`. A thin line marks the agreement of
    all pairs; intervals stand at about 10%, 25%, 50%, 75% and all. At most 5 models are drawn.
    """
    if curves.empty:
        return palette.NOTHING_RATED
    if curves["model"].is_unique:
        return _no_curve(int(curves["n"].max()))
    ink = palette.ink(dark)
    models = list(dict.fromkeys(curves["model"]))[:MOST_MODELS]
    curves = curves[curves["model"].isin(models)]
    colours = dict(zip(models, palette.model_colours(len(models)), strict=True))
    shown = with_ends(curves).assign(colour=curves["model"].map(colours), label=_labels(curves))
    x = alt.X(
        "coverage:Q",
        title="Pairs that count, the surest first",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(grid=False, **_SHARE),
    )
    y = alt.Y(
        "rate:Q",
        title="Sides with the choice",
        scale=alt.Scale(domain=_range(shown), nice=False, zero=False),
        axis=alt.Axis(gridOpacity=0.5, **_SHARE),
    )
    stroke = alt.Stroke("colour:N", scale=None)
    legend = alt.Legend(title=None, orient="bottom", direction="vertical", symbolSize=400)
    lines = marks.model_lines(len(models), legend)
    line = alt.Chart(shown).mark_line(strokeWidth=2.2).encode(x=x, y=y, **lines, order="coverage:Q")
    tips = (
        alt.Chart(marks.thinned(shown, MOST_TIPS))
        .mark_point(opacity=0, size=120, filled=True)
        .encode(x=x, y=y, tooltip=_CURVE_TIPS)
    )
    level = (
        alt.Chart(shown[shown["coverage"] == 1])
        .mark_rule(strokeWidth=1, strokeDash=[3, 4], opacity=0.8)
        .encode(y=y, stroke=stroke, tooltip=_CURVE_TIPS)
    )
    marked = _beside(shown[shown["marked"].astype(bool)], models)
    ends = (
        alt.Chart(marked)
        .mark_rule(strokeWidth=1.6, opacity=0.85)
        .encode(
            x=alt.X("at:Q", title=x["title"], scale=x["scale"]),
            y=alt.Y("low:Q", title=y["title"], scale=y["scale"]),
            y2="high:Q",
            stroke=stroke,
            tooltip=_CURVE_TIPS,
        )
    )
    dots = (
        alt.Chart(marked)
        .mark_point(size=42, opacity=1, strokeWidth=0)
        .encode(
            x=alt.X("at:Q", title=x["title"], scale=x["scale"]),
            y=y,
            fill=alt.Fill("colour:N", scale=None),
            tooltip=_CURVE_TIPS,
        )
    )
    layers = [*_half(shown, y, ink), level, line, ends, dots, tips]
    chart = alt.layer(*layers, height=CURVE_HEIGHT)
    title = "If only its surest pairs counted"
    return palette.framed(chart, title, _curves_described(shown), dark=dark)


def _no_curve(n: int) -> str:
    """Why the curve of each model is one point alone, that of all its pairs."""
    if n <= LEAST_IN_BIN:
        return f"{LEAST_IN_BIN} rated pairs or fewer are too few to tell sure from unsure."
    return "All margins of a model are of one size, so none of its pairs is surer than another."


_CURVE_TIPS = [
    alt.Tooltip("model:N", title="Model"),
    alt.Tooltip("coverage:Q", title="Pairs that count", format=".0%"),
    alt.Tooltip("n:Q", title="Pairs", format=","),
    alt.Tooltip("rate:Q", title="Sides with the choice", format=".1%"),
    TIP,
    alt.Tooltip("least_margin:Q", title="Margins from", format=".3g"),
]


def _diagonal(x: alt.X, y: alt.Y, ink: palette.Ink) -> alt.Chart:
    ends = pd.DataFrame({"at": [0.5, 1.0]})
    return (
        alt.Chart(ends)
        .mark_line(strokeDash=[5, 4], strokeWidth=1.5, color=ink.text, tooltip=None)
        .encode(
            x=alt.X("at:Q", title=x["title"], scale=x["scale"], axis=x["axis"]),
            y=alt.Y("at:Q", title=y["title"], scale=y["scale"], axis=y["axis"]),
        )
    )


def _scale_points(points: alt.Chart, y: alt.Y, fitted: float, ink: palette.Ink) -> alt.Chart:
    """Full points for the fitted temperature and hollow ones for T = 1, in one legend."""
    legend = alt.Legend(
        title=None,
        orient="bottom",
        direction="vertical",
        symbolSize=70,
        labelExpr=f"{{fitted: 'fitted T = {fitted:.3g}, with 95% interval',"
        " raw: 'scores as they are (T = 1)'}[datum.label]",
    )
    shapes, strokes, fills = (
        alt.Scale(domain=["fitted", "raw"], range=values)
        for values in (
            ["circle", "diamond"],
            [palette.COUNT, ink.text],
            [palette.COUNT, "transparent"],
        )
    )
    selection = marks.selection("sure", ["bin"])
    return (
        points.mark_point(size=70, opacity=1, strokeWidth=1.6, cursor="pointer")
        .encode(
            y=y,
            shape=alt.Shape("scale:N", scale=shapes, legend=legend),
            stroke=alt.Stroke("scale:N", scale=strokes, legend=legend),
            fill=alt.Fill("scale:N", scale=fills, legend=legend),
        )
        .add_params(selection)
    )


def _labels(curves: pd.DataFrame) -> pd.Series:
    """The name of each model with its agreement on all pairs, by row."""
    told = {
        str(line.model): f"{line.model}: {percent(line.rate, line.n)} of all {line.n:,}"
        for line in curves[curves["coverage"] == 1].itertuples()
    }
    return curves["model"].map(told)


def _range(curves: pd.DataFrame) -> list[float]:
    """Where the y axis begins and ends: all intervals at marks, every point, and 50%."""
    low = min(
        float(curves["rate"].min()), float(curves[curves["marked"].astype(bool)]["low"].min())
    )
    return [max(0.0, min(0.45, np.floor(low * 20) / 20)), 1.0]


def _beside(marked: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    """The marked points with those of different models drawn beside each other."""
    places = {model: i - (len(models) - 1) / 2 for i, model in enumerate(models)}
    shift = marked["model"].map(places).astype(float) * 0.008
    return marked.assign(at=np.clip(marked["coverage"].astype(float) + shift, 0.0, 1.0))


def _half(curves: pd.DataFrame, y: alt.Y, ink: palette.Ink) -> list[alt.Chart]:
    half = pd.DataFrame({"half": [0.5], "text": ["50%, a coin toss"]})
    base = alt.Chart(half).encode(y=alt.Y("half:Q", title=y["title"], scale=y["scale"]))
    return [
        base.mark_rule(strokeDash=[4, 3], color=ink.faint, tooltip=None),
        base.mark_text(
            align="left", baseline="bottom", dx=4, dy=-3, fontSize=11, color=ink.faint, tooltip=None
        ).encode(text="text:N", x=alt.value(0)),
    ]


def _points_described(found: Reliability, model: str) -> str:
    fitted = found.bins[found.bins["scale"] == "fitted"]
    told = "; ".join(
        f"{point.sure:.0%} sure, {percent(point.rate, point.n)}"
        f" {interval_ends(point.low, point.high, point.n)} of {point.n:,}"
        for point in fitted.itertuples()
    )
    return (
        f"How sure {model} is against how often it sides with the choice, with a temperature of"
        f" {found.temperature:.3g}: {told}."
    )


def _curves_described(curves: pd.DataFrame) -> str:
    parts = []
    for model, own in curves[curves["marked"].astype(bool)].groupby("model", sort=False):
        told = ", ".join(
            f"{percent(point.rate, point.n)} on the surest {point.coverage:.0%}"
            for point in own.itertuples()
        )
        parts.append(f"{model}: {told}")
    return f"Agreement among the pairs each model is surest of. {'; '.join(parts)}."
