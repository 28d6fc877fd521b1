"""Where the rewards and the margins of one model lie."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.charts import palette

HEIGHT = 380
HISTOGRAM_HEIGHT = 200


def reward_cells(
    cells: pd.DataFrame,
    *,
    title: str = "The rewards of both replies, pair by pair",
    dark: bool | None = None,
) -> alt.LayerChart:
    """Pairs counted by the reward of each reply; the diagonal is where both are equal.

    `cells` is the table of `metrics.bins.reward_bins`. Below the diagonal the model agrees, above
    it disagrees. A click fills the selection "cell" with the cell's id.
    """
    ink = palette.ink(dark)
    selection = alt.selection_point(name="cell", fields=["cell"], on="click")
    shown = cells.assign(chosen=_span(cells, "x0", "x1"), rejected=_span(cells, "y0", "y1"))
    low, high = _extent(cells)
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    axis = alt.Axis(grid=False, tickCount=6)
    x = alt.X("x0:Q", title="Reward of the chosen reply", scale=scale, axis=axis)
    y = alt.Y("y0:Q", title="Reward of the rejected reply", scale=scale, axis=axis)
    most = max(2, int(cells["count"].max())) if len(cells) else 2
    rects = (
        alt.Chart(shown)
        .mark_rect(color=palette.COUNT, cursor="pointer")
        .encode(
            x=x,
            x2="x1:Q",
            y=y,
            y2="y1:Q",
            # Opacity rather than a colour scale: few pairs fade into the page, light or dark.
            opacity=alt.Opacity(
                "count:Q",
                scale=alt.Scale(type="sqrt", domain=[0, most], range=[0.12, 1]),
                legend=alt.Legend(
                    title="Pairs in a cell",
                    orient="top",
                    symbolType="square",
                    symbolFillColor=palette.COUNT,
                    symbolStrokeWidth=0,
                    values=_steps(most),
                    format=",d",
                    titleOrient="left",
                ),
            ),
            tooltip=[
                alt.Tooltip("count:Q", title="Pairs", format=","),
                alt.Tooltip("share_agree:Q", title="Model agrees in", format=".0%"),
                alt.Tooltip("chosen:N", title="Reward of the chosen reply"),
                alt.Tooltip("rejected:N", title="Reward of the rejected reply"),
            ],
        )
        .add_params(selection)
    )
    picked = (
        alt.Chart(shown)
        .mark_rect(filled=False, stroke=ink.text, strokeWidth=2)
        .encode(x=x, x2="x1:Q", y=y, y2="y1:Q", tooltip=alt.value(None))
        .transform_filter({"param": "cell", "empty": False})
    )
    ends = pd.DataFrame({"at": [low, high]})
    diagonal = (
        alt.Chart(ends)
        .mark_line(strokeDash=[5, 4], strokeWidth=1.5, color=ink.text, tooltip=None)
        .encode(
            x=alt.X("at:Q", title="Reward of the chosen reply", scale=scale, axis=axis),
            y=alt.Y("at:Q", title="Reward of the rejected reply", scale=scale, axis=axis),
        )
    )
    above = _note("likes the rejected reply more: disagree", ink.disagree, top=True)
    below = _note("likes the chosen reply more: agree", ink.agree, top=False)
    chart = alt.layer(rects, picked, diagonal, above, below).properties(height=HEIGHT)
    return palette.framed(chart, title, _cells_description(cells))


def margin_bars(
    histogram: pd.DataFrame,
    *,
    title: str = "How much more the model likes the chosen reply",
    dark: bool | None = None,
) -> alt.LayerChart:
    """A histogram of one model's margins, coloured by verdict.

    `histogram` is the table of `metrics.bins.margin_histogram`. A click fills the selection
    "margin" with the bin and the verdict.
    """
    selection = alt.selection_point(name="margin", fields=["bin", "verdict"], on="click")
    ink = palette.ink(dark)
    reach = float(histogram[["x0", "x1"]].abs().to_numpy().max()) if len(histogram) else 1.0
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    shown = histogram.assign(margin=_span(histogram, "x0", "x1"))
    title_x = "Reward of chosen minus reward of rejected"
    x = alt.X("x0:Q", title=title_x, scale=scale, axis=alt.Axis(grid=False, tickCount=7))
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
    zero = (
        alt.Chart(pd.DataFrame({"zero": [0.0]}))
        .mark_rule(strokeDash=[3, 3], strokeWidth=1.2, color=ink.text, tooltip=None)
        .encode(x=alt.X("zero:Q", title=title_x, scale=scale))
    )
    chart = alt.layer(bars, picked, zero).properties(height=HISTOGRAM_HEIGHT)
    return palette.framed(chart, title, _margins_description(histogram))


def _extent(cells: pd.DataFrame) -> tuple[float, float]:
    """The range of both axes: all cells and a little room, more of it around only a few cells."""
    if cells.empty:
        return 0.0, 1.0
    low = float(min(cells["x0"].min(), cells["y0"].min()))
    high = float(max(cells["x1"].max(), cells["y1"].max()))
    side = float((cells["x1"] - cells["x0"]).max())
    room = side if high - low > 4 * side else 3 * side
    return low - room, high + room


def _span(table: pd.DataFrame, start: str, end: str) -> list[str]:
    """Two edges as words, with the digits that tell the bins apart."""
    return [f"{a:.4g} to {b:.4g}" for a, b in zip(table[start], table[end], strict=True)]


def _steps(most: int) -> list[int]:
    """A few counts for the legend, from one pair to the fullest cell."""
    return sorted({1, max(1, round(most / 4)), most})


def _note(text: str, colour: str, *, top: bool) -> alt.Chart:
    return (
        alt.Chart(pd.DataFrame({"text": [text]}))
        .mark_text(
            align="left" if top else "right",
            baseline="top" if top else "bottom",
            dx=6 if top else -6,
            dy=6 if top else -6,
            fontSize=12,
            fontWeight="bold",
            color=colour,
            tooltip=None,
        )
        .encode(
            text="text:N", x=alt.value(0 if top else "width"), y=alt.value(0 if top else "height")
        )
    )


def _cells_description(cells: pd.DataFrame) -> str:
    n = int(cells["count"].sum())
    if n == 0:
        return "Rewards of the chosen and the rejected reply; no pair is rated yet."
    agree = int(cells["agree"].sum())
    return (
        f"Cells counting {n:,} pairs by the reward of the chosen reply (across) and of the"
        f" rejected reply (up). {agree:,} lie below the diagonal, where the model agrees."
    )


def _margins_description(histogram: pd.DataFrame) -> str:
    n = int(histogram["count"].sum())
    if n == 0:
        return "Margins of the rated pairs; no pair is rated yet."
    counts = histogram.groupby("verdict")["count"].sum()
    told = ", ".join(f"{int(counts.get(name, 0)):,} {name}" for name in palette.VERDICT_COLOURS)
    return f"Histogram of the margins of {n:,} pairs: {told}."
