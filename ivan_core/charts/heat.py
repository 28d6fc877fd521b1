"""Many models at one glance: agreement by subset, and how alike each two are, as shaded cells.

Names of models and subsets are data, drawn as text beside the cells; they never enter the
specification itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.intervals import with_minus
from ivan_core.metrics.models.likeness import Measure, both_ways
from ivan_core.metrics.models.sentences import (
    MEASURE_WORDS,
    alike_words,
    not_alike_sentence,
    rate_in_row,
)
from ivan_core.metrics.sentences import interval_ends, percent, share_in_full

MOST_SUBSETS = 12
_NAMES = "min(200, width * 0.36)"
"""How much room the names on the left have, as an expression of the chart's width."""
_HEAD = 78
"""Room for the names of columns above the cells, in pixels; they lean to the left."""
_NUMBERS = 22
_LEVEL = 3
"""So many names of columns have room beside each other."""
_ROW = 34
_FOR_ENDS = 56
"""How wide a cell is, in pixels, that has room for an interval."""
_LEAST_REACH = 0.1
"""Shares that span less than this are not spread over all shades."""
_AGAINST = "#C08A00"
_SHADES = (0.04, palette.DARKEST_CELL)


def agreement_cells(
    grid: pd.DataFrame,
    *,
    title: str = "How often each model sides with the choice",
    every: str = "All pairs",
    dark: bool = False,
) -> palette.Drawing:
    """The agreement of each model by subset with its 95% interval, darker away from a half.

    `grid` is the table of `metrics.models.grid.agreement_grid`. At most 12 subsets are drawn, the
    largest. A click fills the selection "cell" with model and subset. `every` is what the column of
    all pairs is called; without low and high there are no intervals.
    """
    rated = grid[grid["n"] > 0]
    if rated.empty:
        return palette.NOTHING_RATED
    ink = palette.ink(dark)
    rows = list(dict.fromkeys(grid["model"]))
    columns = list(dict.fromkeys(grid["subset"]))
    left_out = len(columns) - 1 - MOST_SUBSETS
    columns = columns[: MOST_SUBSETS + 1]
    shown = rated[rated["subset"].isin(columns)]
    told = [rate_in_row(row) for row in shown.to_dict("records")]
    away = (shown["rate"] - 0.5).abs()
    cells = shown.assign(
        row=shown["model"].map(rows.index),
        column=shown["subset"].map(columns.index),
        away=away,
        side=(shown["rate"] < 0.5).map({True: "below", False: "above"}),
        where=shown["subset"].where(shown["subset"] != ALL_SUBSETS, every),
        number=[percent(row.rate, row.n) for row in shown.itertuples()],
        ends=[
            "" if pd.isna(row.low) else interval_ends(row.low, row.high, row.n)
            for row in shown.itertuples()
        ],
        told=[share_in_full(rate) if rate else "" for rate in told],
    )
    selection = marks.selection("cell", ["model", "subset"])
    x, y, height = _bands(len(rows), len(columns), _ROW, _room_for(columns))
    tips = [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("where:N", title="Pairs"),
        alt.Tooltip("told:N", title="Agreement"),
    ]
    base = alt.Chart(cells).encode(x=x, y=y)
    colour = palette.scale_of({"above": palette.AGREE, "below": palette.DISAGREE})
    most = max(_LEAST_REACH, float(away.max()))
    across = f"(width - {_NAMES}) / {len(columns)}"
    texts = _words(base, tips, ink)
    layers = [
        *_shaded(
            base,
            "away",
            [0.0, most],
            alt.Color("side:N", scale=colour, legend=None),
            tips,
            selection,
            ink,
        ),
        texts.mark_text(
            dy={"expr": f"{across} < {_FOR_ENDS} ? 0 : -6"},
            fontSize=_if(across, 30, 12),
            fontWeight="bold",
            **_MIDDLE,
        ).encode(text="number:N"),
        texts.mark_text(dy=8, fontSize=_if(across, _FOR_ENDS, 10), **_MIDDLE).encode(text="ends:N"),
        *_row_names(pd.DataFrame({"row": range(len(rows)), "name": rows}), y, ink),
        _heads([every, *columns[1:]], x, ink),
    ]
    subtitle = ["Green: more often than not. Orange: less often than not."]
    if left_out > 0:
        subtitle.append(f"The {MOST_SUBSETS} largest subsets; {left_out} more are in “{every}”.")
    chart = alt.layer(*layers, height=height)
    return palette.framed(chart, title, _grid_description(cells), subtitle, dark=dark)


def likeness_cells(
    table: pd.DataFrame, order: Sequence[str], measure: Measure, *, dark: bool = False
) -> palette.Drawing:
    """How alike each two models are by one measure, the darker the more.

    `table` is that of `metrics.models.likeness.likeness`, `order` the models from the first row
    and column on. Columns have the numbers of the rows. A click fills the selection "alike" with
    first and second.
    """
    known = table[table[measure].notna()]
    if known.empty:
        return not_alike_sentence(table, measure)
    ink = palette.ink(dark)
    both = both_ways(known)
    place = {name: i for i, name in enumerate(order)}
    cells = pd.DataFrame(
        {
            "first": both["first"],
            "second": both["second"],
            "row": both["first"].map(place),
            "column": both["second"].map(place),
            "size": both[measure].abs(),
            "side": (both[measure] < 0).map({True: "below", False: "above"}),
            "number": [_short(value, measure) for value in both[measure]],
            "told": [alike_words(row, measure) for row in both.to_dict("records")],
        }
    )
    selection = marks.selection("alike", ["first", "second"])
    n = len(order)
    x, y, height = _bands(n, n, 34 if n <= 8 else 26 if n <= 16 else 20, _NUMBERS)
    tips = [
        alt.Tooltip("first:N", title="Model"),
        alt.Tooltip("second:N", title="Beside"),
        alt.Tooltip("told:N", title=MEASURE_WORDS[measure]),
    ]
    base = alt.Chart(cells).encode(x=x, y=y)
    colour = palette.scale_of({"above": palette.COUNT, "below": _AGAINST})
    least = float(known[measure].min()) if measure == "equal" else 0.0
    most = max(float(known[measure].abs().max()), least + _LEAST_REACH)
    across = f"(width - {_NAMES}) / {n}"
    names = pd.DataFrame(
        {"row": range(n), "name": [f"{i}  {name}" for i, name in enumerate(order, 1)]}
    )
    heads = pd.DataFrame({"column": range(n), "number": [str(i) for i in range(1, n + 1)]})
    seldom = f"{across} > 15 || (datum.column + 1) % 5 == 0 ? 11 : 0"
    layers = [
        *_shaded(
            base,
            "size",
            [least, most],
            alt.Color("side:N", scale=colour, legend=None),
            tips,
            selection,
            ink,
        ),
        _words(base, tips, ink)
        .mark_text(fontSize=_if(across, 26, 11), **_MIDDLE)
        .encode(text="number:N"),
        *_row_names(names, y, ink),
        alt.Chart(heads)
        .mark_text(color=ink.text, fontSize={"expr": seldom}, baseline="bottom", tooltip=None)
        .encode(x=x, y=alt.value(_NUMBERS - 5), text="number:N"),
    ]
    chart = alt.layer(*layers, height=height)
    subtitle = "Models that are alike stand beside each other."
    if bool((known[measure] < 0).any()):
        subtitle += " Ochre: below 0."
    title = f"{MEASURE_WORDS[measure]}, model by model"
    return palette.framed(chart, title, _alike_description(known, measure), subtitle, dark=dark)


_MIDDLE: dict[str, Any] = {"align": "center", "baseline": "middle", "cursor": "pointer"}


def _if(across: str, least: int, size: int) -> dict[str, str]:
    """A size of letters that is nothing where a cell is narrower than `least` pixels."""
    return {"expr": f"{across} < {least} ? 0 : {size}"}


def _bands(rows: int, columns: int, row: int, head: int) -> tuple[alt.X, alt.Y, int]:
    """Where cells lie: right of the names, below the heads; and how high the chart is."""
    height = head + row * rows
    band = {"paddingInner": 0.06, "paddingOuter": 0.0}
    across = alt.Scale(
        domain=list(range(columns)), range=[{"expr": _NAMES}, {"expr": "width"}], **band
    )
    down = alt.Scale(domain=list(range(rows)), range=[head, height], **band)
    return (
        alt.X("column:O", axis=None, scale=across),
        alt.Y("row:O", axis=None, scale=down),
        height,
    )


def _shaded(
    base: alt.Chart,
    field: str,
    domain: list[float],
    colour: alt.Color,
    tips: list[alt.Tooltip],
    selection: alt.Parameter,
    ink: palette.Ink,
) -> list[alt.Chart]:
    """Cells, never so dark that words on top cannot be read, and a frame around the clicked one."""
    scale = alt.Scale(domain=domain, range=list(_SHADES), clamp=True)
    rects = (
        base.mark_rect(cursor="pointer", cornerRadius=3)
        .encode(
            color=colour, opacity=alt.Opacity(f"{field}:Q", scale=scale, legend=None), tooltip=tips
        )
        .add_params(selection)
    )
    return [rects, marks.picked(base.encode(tooltip=tips), selection, ink, cornerRadius=3)]


def _words(base: alt.Chart, tips: list[alt.Tooltip], ink: palette.Ink) -> alt.Chart:
    return base.encode(tooltip=tips, color=alt.value(ink.text))


def _row_names(names: pd.DataFrame, y: alt.Y, ink: palette.Ink) -> list[alt.Chart]:
    """The names of the rows on the left, cut where the cells begin."""
    style = {"align": "left", "baseline": "middle", "fontSize": 12, "color": ink.text}
    return [
        alt.Chart(names)
        .mark_text(limit={"expr": f"{_NAMES} - 10"}, **style)
        .encode(y=y, x=alt.value(0), text="name:N", tooltip="name:N")
    ]


def _heads(columns: Sequence[str], x: alt.X, ink: palette.Ink) -> alt.Chart:
    """The names of the columns above them; many lean so that they fit beside each other."""
    heads = pd.DataFrame({"column": range(len(columns)), "name": list(columns)})
    style: dict[str, Any] = {"align": "right", "baseline": "middle", "angle": 35, "limit": 125}
    if len(columns) <= _LEVEL:
        room = {"expr": f"(width - {_NAMES}) / {len(columns)} - 4"}
        style = {"align": "center", "baseline": "bottom", "limit": room}
    return (
        alt.Chart(heads)
        .mark_text(fontSize=12, color=ink.text, **style)
        .encode(x=x, y=alt.value(_room_for(columns) - 9), text="name:N", tooltip="name:N")
    )


def _room_for(columns: Sequence[str]) -> int:
    return _NUMBERS + 4 if len(columns) <= _LEVEL else _HEAD


def _short(value: float, measure: Measure) -> str:
    if measure == "equal":
        return f"{value:.0%}"
    return with_minus(value, ".2f")


def _grid_description(cells: pd.DataFrame) -> str:
    told = "; ".join(f"{row.model}, {row.where}: {row.told}" for row in cells.head(40).itertuples())
    return f"Cells of agreement by model (down) and subset (across). {told}."


def _alike_description(known: pd.DataFrame, measure: Measure) -> str:
    told = "; ".join(
        f"{row['first']} and {row['second']}: {alike_words(row, measure)}"
        for row in known.head(40).to_dict("records")
    )
    return f"Cells of {MEASURE_WORDS[measure]} of each two models. {told}."
