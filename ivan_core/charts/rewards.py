"""Where the rewards and the margins of one model lie; two models on the same pairs: their verdicts
as a table, and their margins against each other.

Of two models the first goes across and the second up or down. Both are named in a strip above the
plot, as text from the data: names never enter the specification itself.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.domain.words import short_names
from ivan_core.metrics.agreement import VERDICTS
from ivan_core.metrics.paired import FURTHEST
from ivan_core.metrics.sentences import percent

HEIGHT = 380
HISTOGRAM_HEIGHT = 200


def reward_cells(cells: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """Pairs counted by the reward of each reply; the diagonal is where both are equal.

    `cells` is the table of `metrics.bins.reward_bins`. Below the diagonal the model agrees, above
    it disagrees. A click fills the selection "cell" with the cell's id.
    """
    if cells.empty:
        return palette.NOTHING_RATED
    ink = palette.ink(dark)
    selection = marks.selection("cell", ["cell"])
    shown = cells.assign(
        chosen=marks.spans(cells, "x0", "x1", ".4g"), rejected=marks.spans(cells, "y0", "y1", ".4g")
    )
    low, high = _extent(cells)
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    axis = alt.Axis(grid=False, tickCount=6)
    x = alt.X("x0:Q", title="Reward of the chosen reply", scale=scale, axis=axis)
    y = alt.Y("y0:Q", title="Reward of the rejected reply", scale=scale, axis=axis)
    tips = [
        alt.Tooltip("count:Q", title="Pairs", format=","),
        alt.Tooltip("share_agree:Q", title="Model agrees in", format=".0%"),
        alt.Tooltip("chosen:N", title="Reward of the chosen reply"),
        alt.Tooltip("rejected:N", title="Reward of the rejected reply"),
    ]
    squares = alt.Chart(shown).encode(x=x, x2=alt.X2("x1:Q"), y=y, y2=alt.Y2("y1:Q"))
    layers = marks.count_squares(squares, marks.most_in(cells), tips, selection, ink)
    ends = pd.DataFrame({"at": [low, high]})
    diagonal = (
        alt.Chart(ends)
        .mark_line(strokeDash=[5, 4], strokeWidth=1.5, color=ink.text, tooltip=None)
        .encode(
            x=alt.X("at:Q", title="Reward of the chosen reply", scale=scale, axis=axis),
            y=alt.Y("at:Q", title="Reward of the rejected reply", scale=scale, axis=axis),
        )
    )
    above, below = "likes the rejected reply more: disagree", "likes the chosen reply more: agree"
    layers += [
        diagonal,
        *marks.corner_note(above, ink.disagree, ink, left=True, top=True),
        *marks.corner_note(below, ink.agree, ink, left=False, top=False),
    ]
    chart = alt.layer(*layers, height=HEIGHT)
    title = "The rewards of both replies, pair by pair"
    return palette.framed(chart, title, _cells_description(cells), dark=dark)


def margin_bars(histogram: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """A histogram of one model's margins, coloured by verdict.

    `histogram` is the table of `metrics.bins.margin_histogram`. A click fills the selection
    "margin" with the bin and the verdict.
    """
    if histogram.empty:
        return palette.NOTHING_RATED
    selection = marks.selection("margin", ["bin", "verdict"])
    ink = palette.ink(dark)
    reach = float(histogram[["x0", "x1"]].abs().to_numpy().max())
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    shown = histogram.assign(margin=marks.spans(histogram, "x0", "x1", ".4g"))
    x = alt.X(
        "x0:Q",
        title="Reward of chosen minus reward of rejected",
        scale=scale,
        axis=alt.Axis(grid=False, tickCount=7),
    )
    y = alt.Y("start:Q", title="Pairs", axis=alt.Axis(gridOpacity=0.5, tickCount=5))
    bars = (
        alt.Chart(shown)
        .mark_bar(x2Offset=-1, cursor="pointer")
        .encode(
            x=x,
            x2="x1:Q",
            y=y,
            y2="end:Q",
            color=palette.verdict_colour(),
            tooltip=[
                alt.Tooltip("verdict:N", title="Verdict"),
                alt.Tooltip("margin:N", title="Margin"),
                alt.Tooltip("count:Q", title="Pairs", format=","),
            ],
        )
        .add_params(selection)
    )
    picked = (
        alt.Chart(shown)
        .mark_bar(x2Offset=-1, filled=False, stroke=ink.text, strokeWidth=2)
        .encode(x=x, x2="x1:Q", y=y, y2="end:Q", tooltip=alt.value(None))
        .transform_filter({"param": "margin", "empty": False})
    )
    chart = alt.layer(bars, picked, marks.zero_line(x, ink), height=HISTOGRAM_HEIGHT)
    title = "How much more the model likes the chosen reply"
    return palette.framed(chart, title, _margins_description(histogram), dark=dark)


def _extent(cells: pd.DataFrame) -> tuple[float, float]:
    """The range of both axes: all cells and a little room, more of it around only a few cells."""
    low = float(min(cells["x0"].min(), cells["y0"].min()))
    high = float(max(cells["x1"].max(), cells["y1"].max()))
    side = float((cells["x1"] - cells["x0"]).max())
    room = side if high - low > 4 * side else 3 * side
    return low - room, high + room


def _cells_description(cells: pd.DataFrame) -> str:
    n = int(cells["count"].sum())
    agree = int(cells["agree"].sum())
    return (
        f"Cells counting {n:,} pairs by the reward of the chosen reply (across) and of the"
        f" rejected reply (up). {agree:,} lie below the diagonal, where the model agrees."
    )


def _margins_description(histogram: pd.DataFrame) -> str:
    n = int(histogram["count"].sum())
    counts = histogram.groupby("verdict")["count"].sum()
    told = ", ".join(f"{int(counts.get(name, 0)):,} {name}" for name in palette.VERDICT_COLOURS)
    return f"Histogram of the margins of {n:,} pairs: {told}."


_STRIP = 50
_ROW = 92
_LETTER = 6.8
_MARGINS_HEIGHT = 380
_SAYS = {"agree": "agrees", "tie": "ties", "disagree": "disagrees"}


def verdict_cells(
    table: pd.DataFrame, first: str, second: str, *, dark: bool = False
) -> palette.Drawing:
    """Pairs counted by the verdicts of both models, the darker the more.

    `table` is that of `metrics.paired.verdict_table`; ties are left out of the picture only if
    neither model has any. A click on a cell or its words fills the selection "verdicts" with first
    and second.
    """
    if not table["count"].sum():
        return _none_shared(first, second)
    ink = palette.ink(dark)
    shown, order = _cells(table, first, second)
    selection = marks.selection("verdicts", ["first", "second"])
    height = _STRIP + _ROW * len(order)
    words = "{agree: 'agrees', tie: 'ties', disagree: 'disagrees'}[datum.label]"
    band = {"paddingInner": 0.05, "paddingOuter": 0.0}
    x = alt.X(
        "first:N",
        sort=order,
        title=None,
        scale=alt.Scale(domain=order, **band),
        axis=alt.Axis(orient="bottom", labelAngle=0, labelExpr=words, labelFontSize=12),
    )
    y = alt.Y(
        "second:N",
        sort=order,
        title=None,
        scale=alt.Scale(domain=order, range=[_STRIP, height], **band),
        axis=alt.Axis(labelExpr=words, labelFontSize=12),
    )
    base = alt.Chart(shown).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("words:N", title="On these pairs"),
            alt.Tooltip("count:Q", title="Pairs", format=","),
            alt.Tooltip("share:Q", title="Of the pairs both rated", format=".1%"),
        ],
    )
    most = int(shown["count"].max())
    shades = (0.05, palette.DARKEST_CELL)
    cells = marks.shaded_cells(base, "count", most, shades, selection, ink)
    style = {"cursor": "pointer", "color": ink.text, "align": "center", "baseline": "middle"}
    counts = base.mark_text(fontSize=19, fontWeight="bold", dy=-27, **style).encode(
        text=alt.Text("number:N")
    )
    shares = base.mark_text(fontSize=12, dy=-8, **style).encode(text=alt.Text("percent:N"))
    room = f"width / {len(order)} - 16"
    told = base.mark_text(fontSize=11, dy=10, **_fitting(room), **style)
    heads = marks.heads(f"→ across: {first}", f"↓ down: {second}", ink)
    chart = alt.layer(*cells, counts, shares, told, heads, height=height)
    described = _verdicts_description(shown, first, second)
    return palette.framed(chart, "Where the two models part", described, dark=dark)


def margin_squares(
    cells: pd.DataFrame, first: str, second: str, *, dark: bool = False
) -> palette.Drawing:
    """Pairs counted by the margins of both models in their own typical margins.

    `cells` is the table of `metrics.paired.margin_cells`. Right of the middle the first model
    agrees, above the middle the second. A click fills the selection "margins" with the cell's id.
    """
    if cells.empty:
        return _none_shared(first, second)
    ink = palette.ink(dark)
    selection = marks.selection("margins", ["cell"])
    shown = cells.assign(
        across=marks.spans(cells, "x0", "x1", "+.2f"),
        up=marks.spans(cells, "y0", "y1", "+.2f"),
        first=first,
        second=second,
    )
    reach = float(cells[["x0", "x1", "y0", "y1"]].abs().to_numpy().max())
    height = _STRIP + _MARGINS_HEIGHT
    signs = "datum.value == 0 ? 'equal' : format(datum.value, '+.2~f')"
    axis = alt.Axis(grid=False, tickCount=5, labelExpr=signs)
    x = alt.X(
        "x0:Q",
        title="Typical margins of the model across",
        scale=alt.Scale(domain=[-reach, reach], nice=False),
        axis=axis,
    )
    y = alt.Y(
        "y0:Q",
        title="Typical margins of the model going up",
        scale=alt.Scale(domain=[-reach, reach], nice=False, range=[height, _STRIP]),
        axis=axis,
    )
    base = alt.Chart(shown).encode(x=x, x2=alt.X2("x1:Q"), y=y, y2=alt.Y2("y1:Q"))
    tips = [
        alt.Tooltip("count:Q", title="Pairs", format=","),
        alt.Tooltip("share_same:Q", title="Same verdict in", format=".0%"),
        alt.Tooltip("first:N", title="Across"),
        alt.Tooltip("across:N", title="by typical margins"),
        alt.Tooltip("second:N", title="Up"),
        alt.Tooltip("up:N", title="by typical margins"),
    ]
    layers = marks.count_squares(base, marks.most_in(cells), tips, selection, ink, "bottom")
    layers += [*_cross(reach, x["scale"], y["scale"], ink), *_quadrants(first, second, ink)]
    layers.append(marks.heads(f"→ across: {first}", f"↑ up: {second}", ink))
    subtitle = (
        f"Outer cells hold all beyond {FURTHEST:g} typical margins." if reach >= FURTHEST else ""
    )
    chart = alt.layer(*layers, height=height)
    title = "How far each model leans to the choice"
    return palette.framed(
        chart, title, _two_margins_description(cells, first, second), subtitle, dark=dark
    )


def _none_shared(first: str, second: str) -> str:
    return f"{first} and {second} rated no pair in common."


def _cells(table: pd.DataFrame, first: str, second: str) -> tuple[pd.DataFrame, list[str]]:
    """The cells to draw with their words, and the verdicts in order."""
    tied = table[(table["first"] == "tie") | (table["second"] == "tie")]
    order = [name for name in VERDICTS if name != "tie" or tied["count"].sum() > 0]
    shown = table[table["first"].isin(order) & table["second"].isin(order)]
    n = int(table["n"].iloc[0])
    pairs = list(zip(shown["first"], shown["second"], strict=True))
    short = short_names((first, second))
    words = [_both(one, other, short[first], short[second]) for one, other in pairs]
    return shown.assign(
        number=[f"{count:,}" for count in shown["count"]],
        percent=[percent(count / n, n) for count in shown["count"]],
        words=words,
        lines=[_in_lines(one) for one in words],
    ), order


def _fitting(room: str) -> dict[str, Any]:
    """The words of a place in one line if there is room for them in pixels, else in several."""
    fits = f"length(datum.words) * {_LETTER} < {room}"
    text = {"expr": f"{fits} ? datum.words : datum.lines"}
    return {"text": text, "lineBreak": "\n", "lineHeight": 13, "limit": {"expr": room}}


def _in_lines(words: str) -> str:
    """The same with a name on a line of its own: "only", the model, "agrees"."""
    first, _, rest = words.partition(" ")
    return "\n".join([first, *rest.rsplit(" ", 1)])


def _both(one: str, other: str, first: str, second: str) -> str:
    if one == other:
        return {"agree": "both agree", "tie": "both tie", "disagree": "both disagree"}[one]
    if one == "agree":
        return f"only {first} agrees"
    if other == "agree":
        return f"only {second} agrees"
    return f"only {first if one == 'tie' else second} ties"


def _cross(reach: float, x: alt.Scale, y: alt.Scale, ink: palette.Ink) -> list[alt.Chart]:
    """The two lines on which a model likes both replies the same."""
    ends = pd.DataFrame({"low": [-reach], "high": [reach], "zero": [0.0]})
    base = alt.Chart(ends).mark_rule(strokeWidth=1.5, color=ink.text, tooltip=None)
    return [
        base.encode(x=alt.X("low:Q", scale=x), x2=alt.X2("high:Q"), y=alt.Y("zero:Q", scale=y)),
        base.encode(x=alt.X("zero:Q", scale=x), y=alt.Y("low:Q", scale=y), y2=alt.Y2("high:Q")),
    ]


def _quadrants(first: str, second: str, ink: palette.Ink) -> list[alt.Chart]:
    """The names of the four quadrants in their outer corners."""
    short = short_names((first, second))
    across, up = short[first], short[second]
    named = (
        (f"only {up} agrees", True, True, ink.text),
        ("both agree", False, True, ink.agree),
        ("both disagree", True, False, ink.disagree),
        (f"only {across} agrees", False, False, ink.text),
    )
    drawn: list[alt.Chart] = []
    for words, left, top, colour in named:
        base = alt.Chart(pd.DataFrame({"words": [words], "lines": [_in_lines(words)]})).encode(
            x=alt.XValue(0 if left else "width"), y=alt.YValue(0 if top else "height")
        )
        style = marks.corner(left, top, 6, _STRIP + 6 if top else 6)
        drawn += marks.over_cells(base, colour, ink, **_fitting("width / 2 - 14"), **style)
    return drawn


def _verdicts_description(shown: pd.DataFrame, first: str, second: str) -> str:
    n = int(shown["n"].iloc[0])
    told = "; ".join(
        f"{first} {_SAYS[cell.first]} and {second} {_SAYS[cell.second]}: {cell.number} pairs"
        f" ({cell.percent})"
        for cell in shown.itertuples()
    )
    return f"Table of the verdicts of two models on {n:,} pairs. {told}."


def _two_margins_description(cells: pd.DataFrame, first: str, second: str) -> str:
    n = int(cells["count"].sum())
    return (
        f"Cells counting {n:,} pairs by the margin of {first} (across) and of {second} (up), each"
        f" in its own typical margins. Both have the same verdict in {int(cells['same'].sum()):,}."
    )
