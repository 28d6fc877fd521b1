"""What each sentence of one reply adds to a reward."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import palette
from ivan_core.metrics.ablation import signed

RAISES, LOWERS = palette.MODEL_COLOURS[0], palette.MODEL_COLOURS[1]
"""Blue and amber, as the words that differ are marked: green and red stay for verdicts."""
_WORDS = "{raises: 'raises the reward', lowers: 'lowers the reward'}[datum.label] || datum.label"


def effect_bars(adds: Sequence[float | None], *, dark: bool | None = None) -> alt.LayerChart:
    """One bar a sentence, from the first to the last, with its number; right raises the reward.

    `adds` holds the reward with a sentence minus that without it, in the model's own units; one
    that is not known (None) has a dash.
    """
    ink = palette.ink(dark)
    records = [
        {
            "sentence": i,
            "adds": value or 0.0,
            "zero": 0.0,
            "effect": "lowers" if (value or 0.0) < 0 else "raises",
            "label": label,
        }
        for i, (value, label) in enumerate(zip(adds, signed(adds), strict=True), 1)
    ]
    columns = ["sentence", "adds", "zero", "effect", "label"]
    table = pd.DataFrame.from_records(records, columns=columns)
    reach = float(table["adds"].abs().max()) if len(table) else 0.0
    # Room on both sides for the numbers at the ends of the bars.
    low = min(0.0, float(table["adds"].min()) if len(table) else 0.0) - 0.3 * (reach or 1.0)
    high = max(0.0, float(table["adds"].max()) if len(table) else 0.0) + 0.3 * (reach or 1.0)
    x = alt.X(
        "adds:Q",
        title="Reward with the sentence minus without it",
        scale=alt.Scale(domain=[low, high], nice=False),
        axis=alt.Axis(grid=False, tickCount=5),
    )
    y = alt.Y("sentence:O", title="Sentence", axis=alt.Axis(labelOverlap=False, titleAngle=270))
    colour = alt.Color(
        "effect:N",
        scale=alt.Scale(domain=["raises", "lowers"], range=[RAISES, LOWERS]),
        legend=alt.Legend(title=None, orient="top", labelExpr=_WORDS, symbolType="square"),
    )
    tips = [
        alt.Tooltip("sentence:O", title="Sentence"),
        alt.Tooltip("label:N", title="Adds to the reward"),
    ]
    base = alt.Chart(table).encode(y=y, tooltip=tips)
    bars = base.mark_bar(height={"band": 0.7}).encode(x=x, x2="zero:Q", color=colour)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=ink.faint).encode(x="zero:Q")
    sides = (("datum.adds >= 0", "left", 5), ("datum.adds < 0", "right", -5))
    numbers = [
        base.transform_filter(where)
        .mark_text(align=align, dx=dx, fontSize=11, color=ink.text)
        .encode(x=x, text="label:N")
        for where, align, dx in sides
    ]
    chart = alt.layer(bars, zero, *numbers).properties(height=alt.Step(22))
    return palette.framed(chart, "", _description(adds))


def _description(adds: Sequence[float | None]) -> str:
    if not adds:
        return "What each sentence adds to the reward; there are none."
    told = ", ".join(f"{i}: {label}" for i, label in enumerate(signed(adds), 1))
    return f"What each of {len(adds)} sentences adds to the reward. {told}."
