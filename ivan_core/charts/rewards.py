"""Where the rewards and the margins of one model lie."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette

HEIGHT = 380
HISTOGRAM_HEIGHT = 200


def reward_cells(cells: pd.DataFrame, *, dark: bool | None = None) -> alt.LayerChart:
    """Pairs counted by the reward of each reply; the diagonal is where both are equal.

    `cells` is the table of `metrics.bins.reward_bins`. Below the diagonal the model agrees, above
    it disagrees. A click fills the selection "cell" with the cell's id.
    """
    ink = palette.ink(dark)
    selection = alt.selection_point(name="cell", fields=["cell"], on="click")
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
    squares = alt.Chart(shown).encode(x=x, x2="x1:Q", y=y, y2="y1:Q")
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
        marks.corner_note(above, ink.disagree, left=True, top=True),
        marks.corner_note(below, ink.agree, left=False, top=False),
    ]
    chart = alt.layer(*layers).properties(height=HEIGHT)
    title = "The rewards of both replies, pair by pair"
    return palette.framed(chart, title, _cells_description(cells))


def margin_bars(histogram: pd.DataFrame, *, dark: bool | None = None) -> alt.LayerChart:
    """A histogram of one model's margins, coloured by verdict.

    `histogram` is the table of `metrics.bins.margin_histogram`. A click fills the selection
    "margin" with the bin and the verdict.
    """
    selection = alt.selection_point(name="margin", fields=["bin", "verdict"], on="click")
    ink = palette.ink(dark)
    reach = float(histogram[["x0", "x1"]].abs().to_numpy().max()) if len(histogram) else 1.0
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
    chart = alt.layer(bars, picked, marks.zero_line(x, ink)).properties(height=HISTOGRAM_HEIGHT)
    title = "How much more the model likes the chosen reply"
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
