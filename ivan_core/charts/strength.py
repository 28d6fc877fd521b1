"""Mean margins by how strongly a reply was preferred, model by model."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.intervals import interval_text, number_text

_STEP = 40
_MOST_MODELS = 12
_DOT = {"yOffset": 9}


def strength_dots(margins: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """A dot a model and strength with its 95% interval, the weakest preference at the top.

    `margins` is the table of `metrics.strength` (STRENGTHS). A click fills the selection "strength"
    with model and strength. At most the first 12 models are drawn.
    """
    if margins.empty:
        return "No pair with a strength is rated."
    rows = _rows(margins)
    ink = palette.ink(dark)
    dots = rows[rows["kind"] == "bar"]
    y = alt.Y("line:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    x = alt.X(
        "mean:Q",
        title="mean margin, in typical margins",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(grid=False, tickCount=5, labelFlush=True),
    )
    selection = marks.selection("strength", ["model", "strength"])
    base = alt.Chart(dots).encode(
        y=y,
        tooltip=[
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("name:N", title="Preference"),
            alt.Tooltip("told:N", title="Mean margin"),
        ],
    )
    ends = base.mark_rule(strokeWidth=2, y2Offset=9, color=ink.text, **_DOT)
    point = base.mark_point(filled=True, size=80, color=palette.COUNT, cursor="pointer", **_DOT)
    words = base.mark_text(
        align="right", baseline="middle", yOffset=-8, fontSize=12, color=ink.text
    )
    chart = alt.layer(
        marks.zero_line(x, ink),
        ends.transform_filter(marks.HAS_ENDS).encode(x=alt.X("low:Q"), x2="high:Q"),
        point.encode(
            x=x, opacity=alt.condition(selection, alt.value(1), alt.value(0.35))
        ).add_params(selection),
        *marks.group_names(rows, y, ink, 180),
        words.encode(x=alt.value("width"), text="label:N"),
    ).properties(height=_STEP * len(rows))
    told = "; ".join(
        f"{row['model']}, {row['name']}: {row['told']}" for row in dots.head(40).to_dict("records")
    )
    return palette.framed(
        chart,
        "Do margins grow with the preference?",
        f"Mean margins by the strength of the preference. {told}.",
        dark=dark,
    )


def _rows(margins: pd.DataFrame) -> pd.DataFrame:
    """One line of the chart a row: a model's name, then its strengths."""
    found: list[dict[str, object]] = []
    for model in list(dict.fromkeys(margins["model"]))[:_MOST_MODELS]:
        found.append({"kind": "model", "model": model, "name": model})
        for row in margins[margins["model"] == model].to_dict("records"):
            label, told = _label(row), _label(row, as_if=True)
            name = f"Strength {row['strength']}"
            found.append({**row, "kind": "bar", "name": name, "label": label, "told": told})
    columns = ["kind", "model", "strength", "name", "label", "told", "mean", "low", "high"]
    rows = pd.DataFrame(found, columns=columns)
    return rows.assign(line=range(len(rows)))


def _label(row: dict[str, object], as_if: bool = False) -> str:
    mean, low, high = (float(str(row[name])) for name in ("mean", "low", "high"))
    n, worth = int(str(row["n"])), int(str(row["effective_n"]))
    ends = "" if pd.isna(low) else f" {interval_text(low, high, 2, signed=True)}"
    wide = f", as if {worth:,}: prompts repeat" if as_if and worth < n else ""
    return f"{number_text(mean, 2, signed=True)}{ends} of {n:,}{wide}"
