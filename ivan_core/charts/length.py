"""Is it just length? Agreement where the longer reply was chosen, beside where the shorter was."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import palette
from ivan_core.metrics.sentences import interval, percent
from ivan_core.metrics.summary import ModelSummary

_KINDS = ("the longer reply was chosen", "the shorter reply was chosen")


def length_bars(summaries: Sequence[ModelSummary], *, dark: bool | None = None) -> alt.LayerChart:
    """Two bars a model with their 95% intervals; a model that only sees length has bars far apart.

    At most the first 12 models are drawn.
    """
    ink = palette.ink(dark)
    records = [
        {
            "model": summary.model,
            "where": where,
            "rate": rate.rate,
            "low": rate.low,
            "high": rate.high,
            "n": rate.n,
            "label": f"{percent(rate.rate, rate.n)} {interval(rate)} of {rate.n:,}",
        }
        for summary in summaries[:12]
        for where, rate in zip(
            _KINDS,
            (summary.length_balanced.longer_chosen, summary.length_balanced.shorter_chosen),
            strict=True,
        )
        if rate is not None
    ]
    columns = ["model", "where", "rate", "low", "high", "n", "label"]
    bars = pd.DataFrame.from_records(records, columns=columns)
    bars["line"] = range(len(bars))
    y = alt.Y("line:O", title=None, axis=None)
    x = alt.X(
        "rate:Q",
        title="Agreement",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, grid=False),
    )
    base = alt.Chart(bars).encode(
        y=y, tooltip=[alt.Tooltip("model:N"), alt.Tooltip("where:N"), alt.Tooltip("label:N")]
    )
    drawn = base.mark_bar(height=12, yOffset=9, color=palette.COUNT, opacity=0.75).encode(x=x)
    ends = base.mark_rule(strokeWidth=2, yOffset=9, y2Offset=9, color=ink.text).encode(
        x="low:Q", x2="high:Q"
    )
    half = alt.Chart(bars).mark_rule(strokeDash=[4, 3], color=ink.faint).encode(x=alt.datum(0.5))
    words = base.mark_text(
        align="left",
        baseline="middle",
        yOffset=-9,
        fontSize=12,
        color=ink.text,
        limit={"expr": "width"},
    ).encode(x=alt.value(0), text="name:N")
    bars["name"] = bars["model"] + ", where " + bars["where"] + ": " + bars["label"]
    chart = alt.layer(half, drawn, ends, words).properties(height=alt.Step(46))
    told = "; ".join(bars["name"])
    return palette.framed(
        chart, "Is it just length?", f"Agreement by which reply was longer. {told}."
    )
