"""Marks that several charts share: rows with a name and numbers in words, cells that count, and
what stands around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from ivan_core.charts import palette
from ivan_core.metrics.intervals import with_minus
from ivan_core.metrics.labels.answers import YES

STEP = 50
_TEXT_AT = -13
OFFSETS = (3, 14)
"""Where the two marks of a row lie, in pixels below its middle."""
HAS_ENDS = "isValid(datum.low)"
"""What filters the marks of intervals: shares that follow from a condition have none."""


def selection(name: str, fields: Sequence[str]) -> alt.Parameter:
    """What a press fills: the fields of the mark under the pointer.

    A mark that lacks one of them, such as a heading, takes no press; one beside all marks lets go.
    """
    # `datum` is not there in a filter of events where pages may not evaluate code, as Streamlit's.
    known = " && ".join(f"isValid(event.item.datum['{field}'])" for field in fields)
    beside = "!event.item || event.item.mark.marktype === 'group'"
    on = {"source": "scope", "type": "click", "filter": f"{beside} || ({known})"}
    return alt.selection_point(name=name, fields=list(fields), on=on)


def name_of(key: str, value: str, titles: Mapping[str, str]) -> str:
    """A label as a person reads it: its key's title, with the value where there are several."""
    title = titles.get(key, key)
    return title if value in ("", YES) else f"{title}: {value}"


def places(lines: pd.DataFrame) -> alt.Y:
    """Where the rows lie: from the first at the top to the last."""
    scale = alt.Scale(domain=list(range(len(lines))), paddingInner=0, paddingOuter=0)
    return alt.Y("line:O", axis=None, scale=scale)


def words(lines: pd.DataFrame, y: alt.Y, ink: palette.Ink, room: int) -> list[alt.Chart]:
    """Each row's name on the left, cut where its label on the right begins, `room` pixels wide."""
    tips = [alt.Tooltip("name:N", title="Label"), alt.Tooltip("label:N", title="In short")]
    base = alt.Chart(lines).encode(y=y, tooltip=tips)
    style = {"baseline": "middle", "yOffset": _TEXT_AT, "fontSize": 12, "cursor": "pointer"}
    names = base.mark_text(
        align="left", color=ink.text, limit={"expr": f"max(60, width - {room})"}, **style
    ).encode(text="name:N", x=alt.value(0))
    labels = base.mark_text(align="right", color=ink.text, **style).encode(
        text="label:N", x=alt.value("width")
    )
    return [names, labels]


def height(lines: pd.DataFrame) -> int:
    """The height of all rows in pixels."""
    return STEP * len(lines)


def interval_dots(
    base: alt.Chart,
    field: str,
    kinds: Iterable[str],
    x: alt.X,
    dot: str,
    shape: alt.Shape,
    selection: alt.Parameter,
) -> list[alt.Chart]:
    """A dot and its interval for each of two kinds of mark a row, one below the other.

    `x` is the low end of the interval, `dot` the field of the dot; `field` tells the kinds apart.
    """
    opacity = alt.condition(selection, alt.value(1), alt.value(0.35))
    layers: list[alt.Chart] = []
    for kind, offset in zip(kinds, OFFSETS, strict=True):
        own = base.transform_filter(f"datum.{field} == '{kind}'").encode(opacity=opacity)
        ends = own.mark_rule(strokeWidth=2, yOffset=offset, y2Offset=offset, cursor="pointer")
        point = own.mark_point(filled=True, size=75, yOffset=offset, cursor="pointer")
        layers += [
            ends.transform_filter(HAS_ENDS).encode(x=x, x2="high:Q"),
            point.encode(x=dot, shape=shape),
        ]
    layers[0] = layers[0].add_params(selection)
    return layers


def interval_bars(
    base: alt.Chart,
    field: str,
    kinds: Iterable[str],
    x: alt.X,
    colour: alt.Color,
    selection: alt.Parameter,
    ink: palette.Ink,
) -> list[alt.Chart]:
    """A bar from `x` to its share, and its interval, for each of two kinds of mark a row."""
    opacity = alt.condition(selection, alt.value(0.9), alt.value(0.35))
    layers: list[alt.Chart] = []
    for kind, offset in zip(kinds, OFFSETS, strict=True):
        own = base.transform_filter(f"datum.{field} == '{kind}'")
        bar = own.mark_bar(height=9, yOffset=offset, cursor="pointer")
        ends = own.mark_rule(strokeWidth=1.5, yOffset=offset, y2Offset=offset, color=ink.text)
        layers += [
            bar.encode(x=x, x2="share:Q", color=colour, opacity=opacity),
            ends.transform_filter(HAS_ENDS).encode(x="low:Q", x2="high:Q"),
        ]
    layers[0] = layers[0].add_params(selection)
    return layers


def group_names(rows: pd.DataFrame, y: alt.Y, ink: palette.Ink, room: int) -> list[alt.Chart]:
    """The names of models, and of their bars below them, cut `room` pixels from the right."""
    text = alt.Chart(rows).encode(
        text=alt.Text("name:N"), x=alt.XValue(0), y=y, tooltip=alt.Tooltip("name:N")
    )
    style = {"align": "left", "baseline": "middle", "color": ink.text}
    model = text.transform_filter("datum.kind == 'model'").mark_text(
        yOffset=8, fontSize=14, fontWeight="bold", limit={"expr": "width"}, **style
    )
    bar = text.transform_filter("datum.kind == 'bar'").mark_text(
        yOffset=-8, fontSize=12, limit={"expr": f"max(60, width - {room})"}, **style
    )
    return [model, bar]


def count_squares(
    squares: alt.Chart,
    most: int,
    tips: list[alt.Tooltip],
    selection: alt.Parameter,
    ink: palette.Ink,
    legend: str = "top",
) -> list[alt.Chart]:
    """Squares that count pairs, at most `most`, and a frame around the one that was clicked.

    Opacity rather than a colour scale: few pairs fade into the page, light or dark.
    """
    opacity = alt.Opacity(
        "count:Q",
        scale=alt.Scale(type="sqrt", domain=[0, most], range=[0.12, 1]),
        legend=alt.Legend(
            title="Pairs in a cell",
            orient=legend,
            symbolType="square",
            symbolFillColor=palette.COUNT,
            symbolStrokeWidth=0,
            format=",d",
            titleOrient="left",
            values=sorted({1, max(1, round(most / 4)), most}),
        ),
    )
    rects = squares.mark_rect(color=palette.COUNT, cursor="pointer")
    return [
        rects.encode(opacity=opacity, tooltip=tips).add_params(selection),
        picked(squares.encode(tooltip=alt.TooltipValue(None)), selection, ink),
    ]


def most_in(cells: pd.DataFrame) -> int:
    """The count of the fullest cell, and at least two."""
    return max(2, int(cells["count"].max()))


def shaded_cells(
    base: alt.Chart,
    field: str,
    most: float,
    shades: tuple[float, float],
    selection: alt.Parameter,
    ink: palette.Ink,
) -> tuple[alt.Chart, alt.Chart]:
    """Cells that are darker where a field is larger, and a frame around the one that was clicked.

    `shades` are the opacities at 0 and at `most`: never so dark that words on top cannot be read.
    """
    scale = alt.Scale(domain=[0, most], range=list(shades))
    rects = (
        base.mark_rect(color=palette.COUNT, cursor="pointer", cornerRadius=4)
        .encode(opacity=alt.Opacity(f"{field}:Q", scale=scale, legend=None))
        .add_params(selection)
    )
    return rects, picked(base, selection, ink, cornerRadius=4)


def picked(
    base: alt.Chart, selection: alt.Parameter, ink: palette.Ink, **style: float
) -> alt.Chart:
    """A frame around the cell that was clicked."""
    frame = base.mark_rect(filled=False, stroke=ink.text, strokeWidth=2, **style)
    return frame.transform_filter({"param": selection.name, "empty": False})


def heads(first: str, second: str, ink: palette.Ink) -> alt.Chart:
    """Two lines in the strip above a plot: who goes across, and who goes up or down."""
    lines = pd.DataFrame({"name": [first, second], "at": [8.0, 29.0]})
    return (
        alt.Chart(lines)
        .mark_text(
            align="left",
            baseline="middle",
            fontSize=13,
            fontWeight="bold",
            color=ink.text,
            limit={"expr": "width"},
        )
        .encode(
            text=alt.Text("name:N"),
            x=alt.XValue(0),
            y=alt.Y("at:Q", scale=None, axis=None),
            tooltip=alt.Tooltip("name:N"),
        )
    )


def over_cells(base: alt.Chart, colour: str, ink: palette.Ink, **style: Any) -> list[alt.Chart]:
    """Words that are read on whatever is drawn below them: the page shows around each letter."""
    # Vega draws the edge of a letter over its inside, so that the edge needs a mark of its own.
    edge = base.mark_text(
        color=ink.page,
        stroke=ink.page,
        strokeWidth=4,
        strokeJoin="round",
        tooltip=None,
        aria=False,
        **style,
    )
    return [edge, base.mark_text(color=colour, tooltip=None, **style)]


def corner_note(
    text: str, colour: str, ink: palette.Ink, *, left: bool, top: bool, gap: int = 6
) -> list[alt.Chart]:
    """Words in a corner of the plot."""
    base = alt.Chart(pd.DataFrame({"text": [text]})).encode(
        text="text:N", x=alt.value(0 if left else "width"), y=alt.value(0 if top else "height")
    )
    return over_cells(base, colour, ink, **corner(left, top, gap, gap))


def corner(left: bool, top: bool, across: int, down: int) -> dict[str, Any]:
    """How words stand in a corner of the plot, so many pixels away from its edges."""
    return {
        "align": "left" if left else "right",
        "baseline": "top" if top else "bottom",
        "dx": across if left else -across,
        "dy": down if top else -down,
        "fontSize": 12,
        "fontWeight": "bold",
    }


def zero_line(x: alt.X, ink: palette.Ink) -> alt.Chart:
    """A dashed line where `x` is 0."""
    return (
        alt.Chart(pd.DataFrame({"zero": [0.0]}))
        .mark_rule(strokeDash=[3, 3], strokeWidth=1.2, color=ink.text, tooltip=None)
        .encode(x=alt.X("zero:Q", title=x["title"], scale=x["scale"]))
    )


def spans(table: pd.DataFrame, start: str, end: str, digits: str) -> list[str]:
    """Two edges as words, in the format that tells the cells apart."""
    ends = zip(table[start], table[end], strict=True)
    return [f"{with_minus(a, digits)} to {with_minus(b, digits)}" for a, b in ends]


def model_lines(models: int, legend: alt.Legend) -> dict[str, alt.Color | alt.StrokeDash]:
    """The colour and the dash of each model's line, in one legend."""
    colours, dashes = palette.model_colours(models), palette.model_dashes(models)
    return {
        "color": alt.Color("label:N", sort=None, scale=alt.Scale(range=colours), legend=legend),
        "strokeDash": alt.StrokeDash(
            "label:N", sort=None, scale=alt.Scale(range=dashes), legend=legend
        ),
    }


def thinned(points: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many points of each model, the first and the last among them: to hover over."""
    parts = [
        own.iloc[np.unique(np.linspace(0, len(own) - 1, min(most, len(own))).round().astype(int))]
        for _, own in points.groupby("model", sort=False)
    ]
    return pd.concat(parts, ignore_index=True) if parts else points
