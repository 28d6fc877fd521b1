"""The charts of one pair: which side each model likes more, and what sentences of a reply add."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import palette
from ivan_core.metrics.margin_words import preference
from ivan_core.metrics.sentences import signed


def margin_strip(
    margins: Sequence[tuple[str, float | None]], *, dark: bool = False
) -> palette.Drawing:
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
            "says": preference(margin, "A", "B"),
            "label": f"{model} {preference(margin, 'A', 'B', unit=False)}",
        }
        for i, (model, margin) in enumerate(margins)
        if margin is not None
    ]
    columns = ["model", "margin", "zero", "line", "verdict", "amount", "says", "label"]
    table = pd.DataFrame.from_records(records, columns=columns)
    if table.empty:
        return "No model rated this pair."
    reach = max(2.0, float(table["amount"].max()) * 1.1)
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
        alt.Tooltip("says:N", title="It"),
        alt.Tooltip("amount:Q", title="Typical margins", format=".2f"),
    ]
    base = alt.Chart(table).encode(y=y, tooltip=tips)
    # One mark a model, beside its stem: a line through all of them would run through their names.
    middle = base.mark_tick(
        orient="vertical", size=16, thickness=1.2, yOffset=9, color=ink.faint, tooltip=None
    ).encode(x="zero:Q")
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
    chart = alt.layer(middle, stems, heads, names, height=alt.Step(42))
    rated = [(model, margin) for model, margin in margins if margin is not None]
    told = "; ".join(f"{model} {preference(margin, 'A', 'B')}" for model, margin in rated)
    return palette.framed(chart, "", f"Margins of this pair. {told}.", dark=dark)


RAISES, LOWERS = palette.MODEL_COLOURS[0], palette.MODEL_COLOURS[1]
"""Blue and amber, as the words that differ are marked: green and red stay for verdicts."""
_WORDS = "{raises: 'raises the reward', lowers: 'lowers the reward'}[datum.label] || datum.label"


def effect_bars(adds: Sequence[float | None], *, dark: bool = False) -> palette.Drawing:
    """One bar a sentence, from the first to the last, with its number; right raises the reward.

    `adds` holds the reward with a sentence minus that without it, in the model's own units; one
    that is not known (None) has a dash.
    """
    if all(value is None for value in adds):
        return "What each sentence adds to the reward is not known."
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
    reach = float(table["adds"].abs().max())
    # Room on both sides for the numbers at the ends of the bars.
    low = min(0.0, float(table["adds"].min())) - 0.3 * (reach or 1.0)
    high = max(0.0, float(table["adds"].max())) + 0.3 * (reach or 1.0)
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
    chart = alt.layer(bars, zero, *numbers, height=alt.Step(22))
    return palette.framed(chart, "", _description(adds), dark=dark)


def _description(adds: Sequence[float | None]) -> str:
    told = ", ".join(f"{i}: {label}" for i, label in enumerate(signed(adds), 1))
    return f"What each of {len(adds)} sentences adds to the reward. {told}."
