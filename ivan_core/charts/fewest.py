"""How much of what many models disagree on a few of them show, model by model."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.models.fewest import Fewest
from ivan_core.metrics.sentences import percent

MOST_STEPS = 8
_ROOM = 120


def fewest_bars(found: Fewest, *, dark: bool = False) -> palette.Drawing:
    """The share of all disagreements that the models up to each row show, at most 8 rows.

    The first row is of two models, which one alone cannot be; each other row adds a model.
    """
    lines = shown_steps(found)
    if lines.empty:
        return "The models do not disagree on any pair."
    ink = palette.ink(dark)
    left_out = len(lines) - MOST_STEPS
    lines = lines.head(MOST_STEPS)
    lines = lines.assign(
        line=range(len(lines)),
        name=[
            f"{'+ ' if place else ''}{row.models}" for place, row in enumerate(lines.itertuples())
        ],
        label=[f"{percent(row.share, row.n)} of {row.n:,}" for row in lines.itertuples()],
        start=0.0,
    )
    y = marks.places(lines)
    axis = alt.Axis(format=".0%", tickCount=5, gridOpacity=0.5, labelFlush=True)
    x = alt.X("start:Q", title="disagreements shown", scale=alt.Scale(domain=[0, 1]), axis=axis)
    bars = (
        alt.Chart(lines)
        .mark_bar(height=9, yOffset=8, color=palette.COUNT)
        .encode(
            y=y,
            x=x,
            x2="share:Q",
            tooltip=[
                alt.Tooltip("name:N", title="Model"),
                alt.Tooltip("label:N", title="Shown so far"),
            ],
        )
    )
    chart = alt.layer(bars, *marks.words(lines, y, ink, _ROOM)).properties(
        height=marks.height(lines)
    )
    told = "; ".join(f"{row.name}: {row.label}" for row in lines.itertuples())
    subtitle = f"{left_out} more models show the rest." if left_out > 0 else ""
    title = "How few models show what all disagree on"
    described = f"Disagreements shown by the models so far. {told}."
    return palette.framed(chart, title, described, subtitle, dark=dark)


def shown_steps(found: Fewest) -> pd.DataFrame:
    """One row a step: models (the first two in one), shown, share and n, all disagreements."""
    steps = found.steps
    first = [(f"{steps[0].model}, {steps[1].model}", steps[1].shown)] if steps else []
    rows = [*first, *((step.model, step.shown) for step in steps[2:])]
    return pd.DataFrame(
        [(models, shown, shown / found.n, found.n) for models, shown in rows],
        columns=["models", "shown", "share", "n"],
    )
