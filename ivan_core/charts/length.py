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
        {"model": summary.model, "where": where, "rate": rate.rate, "low": rate.low, "high": rate.high,
         "n": rate.n, "label": f"{percent(rate.rate, rate.n)} {interval(rate)} of {rate.n:,}"}
        for summary in summaries[:12]
        for where, rate in zip(
            _KINDS, (summary.length_balanced.longer_chosen, summary.length_balanced.shorter_chosen), strict=True
        )
        if rate is not None
    ]  # fmt: skip
    columns = ["model", "where", "rate", "low", "high", "n", "label"]
    bars = pd.DataFrame.from_records(records, columns=columns)
    y = alt.Y("where:N", title=None, sort=list(_KINDS), axis=alt.Axis(labelLimit=220, ticks=False, domain=False))
    x = alt.X("rate:Q", title="Agreement", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    tips = [alt.Tooltip("model:N", title="Model"), alt.Tooltip("where:N", title="Where"),
            alt.Tooltip("label:N", title="Agreement")]  # fmt: skip
    base = alt.Chart(bars).encode(y=y, tooltip=tips)
    drawn = base.mark_bar(height=16, color=palette.COUNT, opacity=0.75).encode(x=x)
    ends = base.mark_rule(strokeWidth=2, color=ink.text).encode(x="low:Q", x2="high:Q")
    half = alt.Chart(bars).mark_rule(strokeDash=[4, 3], color=ink.faint).encode(x=alt.datum(0.5))
    words = base.mark_text(align="left", dx=6, fontSize=12, color=ink.text).encode(x="high:Q", text="label:N")
    layered = alt.layer(drawn, half, ends, words, data=bars).properties(height=72, width="container")
    told = "; ".join(f"{r['model']}, where {r['where']}: {r['label']}" for r in records)
    return layered.facet(
        row=alt.Row("model:N", title=None, sort=None, header=alt.Header(labelAngle=0, labelOrient="top", labelAnchor="start",
                    labelFontWeight="bold", labelFontSize=13, labelLimit=600)), spacing=14,
    ).properties(title="Is it just length?", description=f"Agreement by which reply was longer. {told}.")  # fmt: skip
