"""What reward models reward: one row a feature, one mark a model, with 95% intervals."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.intervals import interval_text, number_text

_NOTHING = "No feature differs in enough pairs, so there is nothing to draw."
_ROOM = 150
_NAME = 30
"""Pixels of a row for its name; each model takes so many more below it."""
_MARK = 13


def imprint_dots(
    effects: pd.DataFrame, titles: Mapping[str, str], *, dark: bool = False
) -> palette.Drawing:
    """A dot and an interval for each model in each feature's row, the largest effects first.

    `effects` has model, feature, estimate, low, high, clear, differs and n; features without an
    estimate are left out. A dot is filled where the effect is clear. A press fills the selection
    "effect" with feature and model.
    """
    known = effects[effects["estimate"].notna()]
    if known.empty:
        return _NOTHING
    ink = palette.ink(dark)
    models = list(dict.fromkeys(known["model"]))
    size = known["estimate"].abs().groupby(known["feature"]).max().sort_values(ascending=False)
    lines = pd.DataFrame({"feature": size.index, "line": range(len(size))})
    lines["name"] = [titles.get(one, one) for one in lines["feature"]]
    dots = known.merge(lines, on="feature").assign(
        told=[_told(row) for row in known.merge(lines, on="feature").to_dict("records")],
        filled=lambda table: table["clear"].eq("clear"),
    )
    differs = dots.groupby("feature")["differs"].max()
    n = dots.groupby("feature")["n"].max()
    lines["label"] = [f"{differs[one]:,} of {n[one]:,} differ" for one in lines["feature"]]
    step = _NAME + _MARK * len(models)
    reach = 1.05 * float(dots[["low", "high", "estimate"]].abs().max().max())
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    axis = alt.Axis(tickCount=5, gridOpacity=0.5)
    title = "Typical margins more for the reply that has it"
    x = alt.X("low:Q", title=title, scale=scale, axis=axis)
    y = marks.places(lines)
    selection = marks.selection("effect", ["feature", "model"])
    colour = alt.Color(
        "model:N",
        sort=None,
        scale=alt.Scale(domain=models, range=palette.model_colours(len(models))),
        legend=alt.Legend(title=None, orient="top"),
    )
    tips = [
        alt.Tooltip("name:N", title="Feature"),
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("told:N", title="Typical margins"),
        alt.Tooltip("differs:Q", title="Pairs that differ", format=","),
        alt.Tooltip("n:Q", title="Of pairs", format=","),
    ]
    opacity = alt.condition(selection, alt.value(1), alt.value(0.35))
    layers: list[alt.Chart] = [marks.zero_line(x, ink)]
    for place, model in enumerate(models):
        own = alt.Chart(dots[dots["model"] == model]).encode(
            y=y, color=colour, tooltip=tips, opacity=opacity
        )
        offset = _NAME / 2 + _MARK * (place + 0.5) - step / 2 + _NAME / 2
        rule = own.mark_rule(strokeWidth=2, yOffset=offset, y2Offset=offset, cursor="pointer")
        hollow = own.transform_filter("!datum.filled").mark_point(
            size=70, yOffset=offset, cursor="pointer", fill=ink.page, strokeWidth=2
        )
        full = own.transform_filter("datum.filled").mark_point(
            filled=True, size=80, yOffset=offset, cursor="pointer"
        )
        layers += [
            rule.transform_filter(marks.HAS_ENDS).encode(x=x, x2="high:Q"),
            hollow.encode(x="estimate:Q"),
            full.encode(x="estimate:Q"),
        ]
    layers[1] = layers[1].add_params(selection)
    layers += _names(lines, y, ink, step)
    chart = alt.layer(*layers).properties(height=step * len(lines))
    subtitle = "filled: clear, with every labeler at hand"
    return palette.framed(chart, "What does it reward?", _description(dots), subtitle, dark=dark)


def _names(lines: pd.DataFrame, y: alt.Y, ink: palette.Ink, step: int) -> list[alt.Chart]:
    base = alt.Chart(lines).encode(y=y)
    style = {"baseline": "middle", "yOffset": _NAME / 2 - step / 2, "fontSize": 12}
    names = base.mark_text(
        align="left", color=ink.text, limit={"expr": f"max(60, width - {_ROOM})"}, **style
    ).encode(text="name:N", x=alt.value(0))
    labels = base.mark_text(align="right", color=ink.faint, **style).encode(
        text="label:N", x=alt.value("width")
    )
    return [names, labels]


def _told(row: Mapping[str, float]) -> str:
    ends = interval_text(row["low"], row["high"], 2, signed=True)
    return f"{number_text(row['estimate'], 2, signed=True)} {ends}"


def _description(dots: pd.DataFrame) -> str:
    told = "; ".join(
        f"{row['name']}, {row['model']}: {row['told']}" for row in dots.to_dict("records")
    )
    return f"By how many typical margins a model likes the reply with a feature more. {told}."
