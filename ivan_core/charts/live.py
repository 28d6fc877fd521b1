"""Agreement, flipped verdicts and moved rewards so far, drawn while a run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.charts.palette import TIP, with_ends
from ivan_core.metrics.agreement import BY_PAIR
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.sentences import interval_ends, percent

HEIGHT = 240
MOST_TIPS = 120
_NOT_YET = "No pair is rated yet."


def agreement_so_far(points: pd.DataFrame, planned: int, *, dark: bool = False) -> palette.Drawing:
    """A line and a light band a model, over the pairs rated so far, on axes that do not move.

    `points` is the table of `metrics.agreement.running_agreement` with its column model; `planned`
    is the number of pairs the run will come to. The current numbers stand in the legend.
    """
    if points.empty:
        return _NOT_YET
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
    lines = marks.model_lines(len(models), _LEGEND)
    band = (
        alt.Chart(shown)
        .mark_area(opacity=0.16)
        .encode(x=x, y=_share("low"), y2="high:Q", detail="model:N", fill=fill)
    )
    line = alt.Chart(shown).mark_line(strokeWidth=2.2).encode(x=x, y=_share("rate"), **lines)
    ends = (
        alt.Chart(last)
        .mark_point(size=60, opacity=1, strokeWidth=0)
        .encode(x=x, y=_share("rate"), fill=fill)
    )
    tips = (
        alt.Chart(marks.thinned(shown, max(2, MOST_TIPS // max(1, len(models)))))
        .mark_point(opacity=0, size=120, filled=True)
        .encode(x=x, y=_share("rate"), tooltip=_TIPS)
    )
    chart = alt.layer(band, *_half(palette.ink(dark)), line, ends, tips, height=HEIGHT)
    title = "How often each model agrees, so far"
    return palette.framed(chart, title, _description(last, planned), BY_PAIR, dark=dark)


def standing_so_far(points: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """A dot and its 95% interval for each of many models, whose lines nobody could tell apart.

    `points` as for `agreement_so_far`; models stay in its order, so that no row moves.
    """
    if points.empty:
        return _NOT_YET
    last = with_ends(points.groupby("model", sort=False).tail(1)).reset_index(drop=True)
    share = [percent(p.rate, p.n) for p in last.itertuples()]
    last = last.assign(
        row=range(len(last)),
        short=[f"{rate} of {n:,}" for rate, n in zip(share, last["n"], strict=True)],
        whole=[
            f"{rate} {ends} of {n:,}"
            for rate, ends, n in zip(share, last["ends"], last["n"], strict=True)
        ],
    )
    ink, height = palette.ink(dark), _ROW * len(last)
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(len(last))), padding=0.5))
    x = alt.X(
        "low:Q",
        title="Agreement so far",
        scale=alt.Scale(domain=[0, 1], range=[{"expr": _NAMES}, {"expr": f"width - {_ENDS}"}]),
        axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], gridOpacity=0.5),
    )
    base = alt.Chart(last).encode(y=y, tooltip=_TIPS)
    words = {"baseline": "middle", "fontSize": 12, "color": ink.text}
    half = alt.Chart(pd.DataFrame({"low": [0.5]})).mark_rule(
        strokeDash=[3, 3], color=ink.faint, strokeWidth=1.2, tooltip=None
    )
    layers = [
        half.encode(x=x),
        base.mark_rule(strokeWidth=2, color=palette.COUNT).encode(x=x, x2="high:Q"),
        base.mark_point(size=60, filled=True, opacity=1, color=palette.COUNT).encode(x="rate:Q"),
        # Names of models part at their ends, which are kept where one is cut.
        base.mark_text(align="left", dir="rtl", limit={"expr": f"{_NAMES} - 10"}, **words).encode(
            text="model:N", x=alt.value(0)
        ),
        base.mark_text(
            align="right",
            text={"expr": f"width < {_FOR_ENDS} ? datum.short : datum.whole"},
            **words,
        ).encode(x=alt.value("width")),
    ]
    chart = alt.layer(*layers, height=height)
    told = "; ".join(f"{p.model} {p.whole}" for p in last.head(40).itertuples())
    subtitle = [BY_PAIR, "The dashed line is 50%, a coin toss."]
    title = "How often each model agrees, so far"
    return palette.framed(chart, title, f"Agreement so far: {told}.", subtitle, dark=dark)


_ROW = 22
_NAMES = "min(280, width * 0.36)"
"""How much room the names on the left have, as an expression of the chart's width."""
_FOR_ENDS = 520
"""From this width on there is room for intervals in words."""
_ENDS = f"(width < {_FOR_ENDS} ? 84 : 150)"
"""The room on the right for numbers in words."""
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


_LEGEND = alt.Legend(
    title=None,
    orient="top",
    direction="vertical",
    symbolType="stroke",
    symbolOpacity=1,
    labelLimit={"expr": "width - 24"},
)
"""Of the models' lines, above the chart."""


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


def _description(last: pd.DataFrame, planned: int) -> str:
    told = [f"{p.model} {percent(p.rate, p.n)} of {p.n:,}" for p in last.itertuples()]
    return f"Agreement so far of {planned:,} planned pairs: {'; '.join(told)}."


FLIPS_HEIGHT = 190
_STEP = 0.1
Points = Mapping[str, Sequence[Sequence[float | None]]]
"""By model: pairs so far, verdicts flipped among them, mean size of a change of reward."""


def running_flips(points: Points) -> pd.DataFrame:
    """Flips after each chunk: model, n, rate, low, high (Wilson, looked at once), size."""
    found = []
    for model, own in points.items():
        for pairs, flips, size in own:
            rate = wilson(int(flips or 0), int(pairs or 0))
            if rate is not None:
                found.append((model, rate.n, rate.rate, rate.low, rate.high, size))
    return pd.DataFrame(found, columns=["model", "n", "rate", "low", "high", "size"])


def flips_so_far(found: pd.DataFrame, planned: int, *, dark: bool = False) -> palette.Drawing:
    """A line and a light band a model: how often its verdict flipped in the pairs so far."""
    if found.empty:
        return _NOT_YET
    highest = float(found["high"].max())
    top = min(1.0, max(2 * _STEP, _STEP * -(-highest // _STEP)))

    def share(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title="Verdicts flipped",
            axis=alt.Axis(format=".0%", tickCount=4),
            scale=alt.Scale(domain=[0, top], nice=False),
        )

    models = list(found["model"].drop_duplicates())
    base = alt.Chart(found.assign(label=found["model"].map(numbers_first(found)))).encode(
        x=_pairs_so_far(planned)
    )
    fill = alt.Fill(
        "model:N", sort=None, legend=None, scale=alt.Scale(range=palette.model_colours(len(models)))
    )
    band = base.mark_area(opacity=0.16, clip=True).encode(
        y=share("low"), y2="high:Q", fill=fill, detail="model:N"
    )
    lines = marks.model_lines(len(models), _LEGEND)
    line = base.mark_line(strokeWidth=2.2).encode(y=share("rate"), **lines)
    chart = alt.layer(band, line, height=FLIPS_HEIGHT)
    return palette.framed(
        chart, "How often the verdict flips, so far", _described(found, planned), BY_PAIR, dark=dark
    )


def changes_so_far(found: pd.DataFrame, planned: int, *, dark: bool = False) -> palette.Drawing:
    """A line a model: how far rewording moves a reward on average, in the model's own units."""
    known = found[found["size"].notna()]
    if known.empty:
        return _NOT_YET
    models = list(known["model"].drop_duplicates())
    shown = known.assign(label=known["model"].map(_sizes(known)))
    lines = marks.model_lines(len(models), _LEGEND)
    line = (
        alt.Chart(shown)
        .mark_line(strokeWidth=2.2)
        .encode(
            x=_pairs_so_far(planned),
            y=alt.Y("size:Q", title="Mean change, own units", axis=alt.Axis(tickCount=4)),
            **lines,
        )
    )
    described = f"Mean size of a change of reward so far: {'; '.join(_sizes(known).values())}."
    chart = alt.layer(line, height=FLIPS_HEIGHT)
    return palette.framed(chart, "How far rewards move, so far", described, dark=dark)


def _pairs_so_far(planned: int) -> alt.X:
    scale = alt.Scale(domain=[0, max(1, planned)], nice=False)
    axis = alt.Axis(grid=False, tickCount=5, format=",d")
    return alt.X("n:Q", title="Pairs reworded and scored", scale=scale, axis=axis)


def _last(found: pd.DataFrame) -> pd.DataFrame:
    return found.groupby("model", sort=False).tail(1)


def _sizes(found: pd.DataFrame) -> dict[str, str]:
    last = _last(found)
    return {
        model: f"{size:.3g} {model}"
        for model, size in zip(last["model"], last["size"], strict=True)
    }


def _described(found: pd.DataFrame, planned: int) -> str:
    told = "; ".join(
        f"{p.model} {percent(p.rate, p.n)} of {p.n:,}" for p in _last(found).itertuples()
    )
    return f"Flipped verdicts so far of {planned:,} planned pairs: {told}."
