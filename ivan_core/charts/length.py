"""Is it just length? Agreement where the longer reply was chosen, beside where the shorter was."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import palette
from ivan_core.charts.interval_tips import label, told
from ivan_core.metrics.summary import ModelSummary

_KINDS = {"chosen": "the longer reply was chosen", "rejected": "the shorter reply was chosen"}
"""What a bar counts, by the reply that is longer."""
_MOST_MODELS = 12
_STEP = 46


def length_bars(summaries: Sequence[ModelSummary], *, dark: bool | None = None) -> alt.LayerChart:
    """Two bars a model with their 95% intervals; a model that only sees length has bars far apart.

    At most the first 12 models are drawn. A click fills the selection "longer" with which reply was
    the longer one, and the model.
    """
    ink = palette.ink(dark)
    rows = _rows(summaries[:_MOST_MODELS])
    bars = rows[rows["kind"] == "bar"]
    y = alt.Y("line:O", title=None, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    x = alt.X(
        "rate:Q",
        title="Agreement",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, grid=False, labelFlush=True),
    )
    base = alt.Chart(bars).encode(
        y=y,
        tooltip=[
            alt.Tooltip("model:N"),
            alt.Tooltip("where:N"),
            alt.Tooltip("told:N", title="Agreement"),
        ],
    )
    selection = alt.selection_point(name="longer", fields=["longer", "model"], on="click")
    drawn = (
        base.mark_bar(height=12, yOffset=9, color=palette.COUNT, opacity=0.75, cursor="pointer")
        .encode(x=x)
        .add_params(selection)
    )
    half = base.mark_tick(
        orient="vertical", size=20, thickness=1.5, yOffset=9, color=ink.faint
    ).encode(x=alt.datum(0.5))
    ends = base.mark_rule(strokeWidth=2, yOffset=9, y2Offset=9, color=ink.text).encode(
        x="low:Q", x2="high:Q"
    )
    rates = base.mark_text(
        align="right", baseline="middle", yOffset=-8, fontSize=12, color=ink.text
    ).encode(x=alt.value("width"), text="label:N")
    chart = alt.layer(drawn, half, ends, *_names(rows, y, ink), rates).properties(
        height=_STEP * max(1, len(rows))
    )
    words = "; ".join(f"{bar.model}, where {bar.where}: {bar.told}" for bar in bars.itertuples())
    return palette.framed(
        chart, "Is it just length?", f"Agreement by which reply was longer. {words}."
    )


def _rows(summaries: Sequence[ModelSummary]) -> pd.DataFrame:
    """One line of the chart a row: the model's name, then its two bars."""
    found: list[dict[str, object]] = []
    for summary in summaries:
        balanced = summary.length_balanced
        found.append({"kind": "model", "model": summary.model, "name": summary.model})
        for (longer, where), rate in zip(
            _KINDS.items(), (balanced.longer_chosen, balanced.shorter_chosen), strict=True
        ):
            if rate is not None:
                found.append(
                    {
                        "kind": "bar",
                        "model": summary.model,
                        "longer": longer,
                        "where": where,
                        "name": f"{where[0].upper()}{where[1:]}",
                        "rate": rate.rate,
                        "low": rate.low,
                        "high": rate.high,
                        "n": rate.n,
                        "label": label(rate),
                        "told": told(rate),
                    }
                )
    columns = ["kind", "model", "longer", "where", "name", "rate", "low", "high", "n", "label"]
    columns += ["told"]
    rows = pd.DataFrame(found, columns=columns)
    return rows.assign(line=range(len(rows)))


def _names(rows: pd.DataFrame, y: alt.Y, ink: palette.Ink) -> list[alt.Chart]:
    """The models' names, and what each bar counts, cut where the rates begin."""
    text = alt.Chart(rows).encode(text="name:N", x=alt.value(0), y=y, tooltip="name:N")
    model = text.transform_filter("datum.kind == 'model'").mark_text(
        align="left",
        baseline="middle",
        yOffset=8,
        fontSize=14,
        fontWeight="bold",
        color=ink.text,
        limit={"expr": "width"},
    )
    bar = text.transform_filter("datum.kind == 'bar'").mark_text(
        align="left",
        baseline="middle",
        yOffset=-8,
        fontSize=12,
        color=ink.text,
        limit={"expr": "max(60, width - 130)"},
    )
    return [model, bar]
