"""How often each model rewards a right reply most, beside chance and the two rules of length."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.sentences import as_if_n, interval_ends, percent

MOST_SUBSETS = 12
_STEP = 46
_BAR = {"yOffset": 9}
_RULES = {"longest": "always the longest reply", "shortest": "always the shortest reply"}
"""What is marked below a bar, and the words for it."""
_SHAPES = {"longest": "triangle-up", "shortest": "diamond"}
_RULE_AT = 21


def best_bars(
    rates: pd.DataFrame, *, every: str = "All prompts", dark: bool = False
) -> palette.Drawing:
    """A bar a model and subset with its 95% interval, chance, and the rules of length below.

    `rates` is the table of `metrics.best_of_n.rates` (RATES). A click fills the selection "best"
    with model and subset. At most 12 subsets are drawn, the largest.
    """
    if not (rates["n"] > 0).any():
        return "No prompt has all its replies rated, so there is nothing to draw."
    shown, left_out = _largest(rates)
    rows = _rows(shown, every)
    ink = palette.ink(dark)
    bars = rows[rows["kind"] == "bar"]
    y = alt.Y("line:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    x = alt.X(
        "rate:Q",
        title="a right reply on top (upright line: at random)",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, grid=False, labelFlush=True),
    )
    selection = marks.selection("best", ["model", "subset"])
    base = alt.Chart(bars).encode(
        y=y,
        tooltip=[
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("name:N", title="Prompts"),
            alt.Tooltip("told:N", title="A right reply on top"),
            alt.Tooltip("chance:Q", title="Drawn at random", format=".1%"),
            alt.Tooltip("pairs:Q", title="Its pairs right", format=".1%"),
        ],
    )
    drawn = base.mark_bar(height=12, color=palette.COUNT, cursor="pointer", **_BAR)
    chance = base.mark_tick(orient="vertical", size=20, thickness=2, color=ink.faint, **_BAR)
    ends = base.mark_rule(strokeWidth=2, y2Offset=9, color=ink.text, **_BAR)
    words = base.mark_text(
        align="right", baseline="middle", yOffset=-8, fontSize=12, color=ink.text
    )
    chart = alt.layer(
        drawn.encode(
            x=x, opacity=alt.condition(selection, alt.value(0.75), alt.value(0.3))
        ).add_params(selection),
        chance.encode(x=alt.X("chance:Q")),
        ends.transform_filter(marks.HAS_ENDS).encode(x="low:Q", x2="high:Q"),
        _rules(bars, y, ink),
        *marks.group_names(rows, y, ink, 150),
        words.encode(x=alt.value("width"), text="label:N"),
    ).properties(height=_STEP * len(rows))
    told = "; ".join(
        f"{row['model']}, {row['name']}: {row['told']}" for row in bars.head(40).to_dict("records")
    )
    subtitle = f"The {MOST_SUBSETS} largest subsets; {left_out} more are in the first bar."
    return palette.framed(
        chart,
        "How often a right reply is rewarded most",
        f"Bars of prompts for which a model rewards a right reply most. {told}.",
        subtitle if left_out else "",
        dark=dark,
    )


def _largest(rates: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rates of the largest subsets, and how many are left out."""
    sizes = rates[rates["subset"] != ALL_SUBSETS].groupby("subset")["n"].max()
    kept = sizes.sort_values(ascending=False, kind="stable").index[:MOST_SUBSETS]
    shown = rates[rates["subset"].isin([ALL_SUBSETS, *kept]) & (rates["n"] > 0)]
    return shown, max(0, len(sizes) - MOST_SUBSETS)


def _rows(rates: pd.DataFrame, every: str) -> pd.DataFrame:
    """One line of the chart a row: a model's name, then its subsets; without any, the model."""
    several = rates["subset"].nunique() > 1
    found: list[dict[str, object]] = []
    for model, own in rates.groupby("model", sort=False):
        if several:
            found.append({"kind": "model", "model": model, "name": model})
        for row in own.to_dict("records"):
            name = every if row["subset"] == ALL_SUBSETS else row["subset"]
            words = {"label": _label(row), "told": _label(row, as_if=True)}
            found.append({**row, "kind": "bar", "name": name if several else model, **words})
    columns = ["kind", "model", "subset", "name", "label", "told", "rate", "low", "high"]
    rows = pd.DataFrame(found, columns=[*columns, "chance", "pairs", *_RULES])
    return rows.assign(line=range(len(rows)))


def _label(row: dict[str, object], as_if: bool = False) -> str:
    n, rate = int(str(row["n"])), float(str(row["rate"]))
    if pd.isna(row["low"]):
        return f"{percent(rate, n)} of {n:,}"
    low, high, chance = (float(str(row[name])) for name in ("low", "high", "chance"))
    wide = as_if_n(n, int(str(row["effective_n"]))) if as_if else ""
    return f"{percent(rate, n)} {interval_ends(low, high, n, (chance,))} of {n:,}{wide}"


def _rules(bars: pd.DataFrame, y: alt.Y, ink: palette.Ink) -> alt.Chart:
    """Both rules of length below each bar, with a legend."""
    points = bars.melt(["model", "name", "line"], list(_RULES), "rule", "reached")
    words = ", ".join(f"{name}: '{told}'" for name, told in _RULES.items())
    shape = alt.Shape(
        "rule:N",
        scale=alt.Scale(domain=list(_RULES), range=[_SHAPES[name] for name in _RULES]),
        legend=alt.Legend(
            title=None,
            orient="bottom",
            direction="vertical",
            labelExpr=f"{{{words}}}[datum.label]",
            symbolStrokeColor=ink.text,
            symbolFillColor=ink.text,
        ),
    )
    return (
        alt.Chart(points)
        .mark_point(filled=True, yOffset=_RULE_AT, size=45, color=ink.text, opacity=1)
        .encode(
            x=alt.X("reached:Q"),
            y=y,
            shape=shape,
            tooltip=[
                alt.Tooltip("rule:N", title="Always picking the reply that is"),
                alt.Tooltip("reached:Q", title="would be right", format=".1%"),
            ],
        )
    )
