"""Pairs by how alike their rewording is and how far it moved the margin."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.charts import palette
from ivan_core.metrics.sentences import percent

HEIGHT = 320


def change_squares(
    cells: pd.DataFrame,
    *,
    title: str = "Does the margin move more where less is alike?",
    dark: bool | None = None,
) -> alt.LayerChart:
    """Pairs counted by similarity (across) and change of the margin (up), the fuller the darker.

    `cells` is the table of `metrics.robustness.changes.change_cells`. A click fills the selection
    "cell" with the cell's id.
    """
    ink = palette.ink(dark)
    selection = alt.selection_point(name="cell", fields=["cell"], on="click")
    shown = cells.assign(
        alike=_span(cells, "x0", "x1"),
        moved=_span(cells, "y0", "y1"),
        flips=[percent(k / n, n) for k, n in zip(cells["flipped"], cells["count"], strict=True)],
    )
    low, high = (float(cells["x0"].min()), float(cells["x1"].max())) if len(cells) else (0.0, 1.0)
    top = float(cells["y1"].max()) if len(cells) else 1.0
    most = max(2, int(cells["count"].max())) if len(cells) else 2
    grid = alt.Axis(grid=False, tickCount=6)
    x = alt.X(
        "x0:Q",
        title="Similarity of the less similar side",
        scale=alt.Scale(domain=[low, max(high, 1.0)], nice=False, zero=False),
        axis=grid,
    )
    y = alt.Y(
        "y0:Q",
        title="Change of the margin, typical margins",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=grid,
    )
    base = alt.Chart(shown).encode(x=x, x2="x1:Q", y=y, y2="y1:Q")
    legend = alt.Legend(
        title="Pairs in a cell", orient="top", symbolType="square",
        symbolFillColor=palette.COUNT, symbolStrokeWidth=0, format=",d", titleOrient="left",
        values=sorted({1, max(1, round(most / 4)), most}),
    )  # fmt: skip
    opacity = alt.Opacity(
        "count:Q",
        scale=alt.Scale(type="sqrt", domain=[0, most], range=[0.12, 1]),
        legend=legend,
    )
    tips = [
        alt.Tooltip("count:Q", title="Pairs", format=","),
        alt.Tooltip("flips:N", title="Verdict flipped in"),
        alt.Tooltip("alike:N", title="Similarity"),
        alt.Tooltip("moved:N", title="Change of the margin"),
    ]
    rects = (
        base.mark_rect(color=palette.COUNT, cursor="pointer")
        .encode(opacity=opacity, tooltip=tips)
        .add_params(selection)
    )
    picked = (
        base.mark_rect(filled=False, stroke=ink.text, strokeWidth=2)
        .encode(tooltip=alt.value(None))
        .transform_filter({"param": "cell", "empty": False})
    )
    chart = alt.layer(rects, picked).properties(height=HEIGHT)
    return palette.framed(chart, title, _cells_description(cells), dark=dark)


def _span(table: pd.DataFrame, start: str, end: str) -> list[str]:
    return [f"{a:.3f} to {b:.3f}" for a, b in zip(table[start], table[end], strict=True)]


def _cells_description(cells: pd.DataFrame) -> str:
    n = int(cells["count"].sum())
    if n == 0:
        return "Similarity and change of the margin; no reworded pair is rated yet."
    return (
        f"Cells counting {n:,} pairs by the similarity of the rewording (across) and the change of"
        f" the margin (up). The verdict flipped in {int(cells['flipped'].sum()):,}."
    )
