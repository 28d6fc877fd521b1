"""The margins of one pair: which side each model likes more, and by how much."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import palette


def margin_strip(
    margins: Sequence[tuple[str, float | None]], *, dark: bool | None = None
) -> alt.LayerChart:
    """One lollipop a model on a common axis of typical margins; left is A, the chosen reply.

    `margins` holds a model and its margin in typical margins: positive where it likes the chosen
    reply more. Models that did not rate the pair (None) are left out.
    """
    ink = palette.ink(dark)
    records = [
        {
            "model": model,
            "margin": -margin,
            "zero": 0.0,
            "line": i,
            "verdict": "agree" if margin > 0 else "tie" if margin == 0 else "disagree",
            "amount": abs(margin),
            "label": f"{model}: {abs(margin):.1f}",
        }
        for i, (model, margin) in enumerate(margins)
        if margin is not None
    ]
    columns = ["model", "margin", "zero", "line", "verdict", "amount", "label"]
    table = pd.DataFrame.from_records(records, columns=columns)
    reach = max(2.0, float(table["amount"].max()) * 1.1) if len(table) else 2.0
    y = alt.Y("line:O", axis=None)
    by = "format(abs(datum.value), '.1f')"
    words = f"datum.value == 0 ? 'equal' : (datum.value < 0 ? 'A by ' : 'B by ') + {by}"
    x = alt.X(
        "margin:Q",
        title="Prefers, in typical margins",
        scale=alt.Scale(domain=[-reach, reach], nice=False),
        axis=alt.Axis(grid=False, tickCount=5, labelExpr=words),
    )
    tips = [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("amount:Q", title="Typical margins", format=".2f"),
    ]
    base = alt.Chart(table).encode(y=y, tooltip=tips)
    middle = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=ink.faint).encode(x="zero:Q")
    stems = base.mark_rule(strokeWidth=3, yOffset=8, y2Offset=8).encode(
        x=x, x2="zero:Q", color=palette.verdict_colour()
    )
    heads = base.mark_point(filled=True, size=110, opacity=1, yOffset=8).encode(
        x="margin:Q", color=palette.verdict_colour()
    )
    names = base.mark_text(
        align="left",
        baseline="middle",
        yOffset=-9,
        fontSize=12,
        color=ink.text,
        limit={"expr": "width"},
    ).encode(x=alt.value(0), text="label:N")
    chart = alt.layer(middle, stems, heads, names).properties(height=alt.Step(42))
    told = "; ".join(_told(model, margin) for model, margin in margins if margin is not None)
    return palette.framed(chart, "", f"Margins of this pair. {told or 'No model rated it'}.")


def _told(model: str, margin: float) -> str:
    if margin == 0:
        return f"{model} likes both the same"
    return f"{model} prefers {'A' if margin > 0 else 'B'} by {abs(margin):.1f}"
