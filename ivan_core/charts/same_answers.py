"""How often labelers or reviewers give the same answer, label by label."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.labels.sentences import same_rate
from ivan_core.metrics.sentences import PROMPTS_SHARED, as_if, percent, share_of

MOST_ROWS = 24
_LABEL_ROOM = 150


def same_answer_dots(
    agreements: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    title: str = "How often the labelers give the same answer",
    dark: bool = False,
) -> palette.Drawing:
    """A dot and a 95% interval of the share of texts with the same answer, one row a label.

    `agreements` is a table of `metrics.labels.agreement`, `agreement_table` or `class_agreement`;
    `titles` are the names of the keys. Labels come from the highest share to the lowest, at most
    24; hollow marks rest on an answer that few texts were given. A click fills the selection
    "feature" with key and value.
    """
    ink = palette.ink(dark)
    compared = agreements[agreements["n"] > 0]
    if compared.empty:
        return "No text has two answers to compare."
    lines = _lines(compared, titles)
    selection = marks.selection("feature", ["key", "value"])
    y = marks.places(lines)
    axis = alt.Axis(format=".0%", tickCount=5, gridOpacity=0.5, labelFlush=True)
    x = alt.X(
        "share:Q", title="texts with the same answer", scale=alt.Scale(domain=[0, 1]), axis=axis
    )
    tips = [
        alt.Tooltip("name:N", title="Label"),
        alt.Tooltip("told:N", title="The same answer"),
        alt.Tooltip("positives:N", title="Of the texts any called so, all did"),
        alt.Tooltip("left_out:Q", title="Without two answers", format=","),
    ]
    opacity = alt.condition(selection, alt.value(1), alt.value(0.35))
    hollow = alt.condition("datum.few", alt.value(0), alt.value(1))
    base = alt.Chart(lines).encode(y=y, tooltip=tips)
    ends = base.mark_rule(strokeWidth=2, yOffset=8, y2Offset=8, color=palette.COUNT)
    dots = base.mark_point(
        filled=True,
        size=80,
        yOffset=8,
        strokeWidth=2,
        fill=palette.COUNT,
        stroke=palette.COUNT,
        cursor="pointer",
    )
    layers = [
        ends.transform_filter("isValid(datum.share_low)").encode(
            x="share_low:Q", x2="share_high:Q", opacity=opacity
        ),
        dots.encode(x=x, fillOpacity=hollow, opacity=opacity).add_params(selection),
        *marks.words(lines, y, ink, _LABEL_ROOM),
    ]
    chart = alt.layer(*layers, height=marks.height(lines))
    return palette.framed(
        chart, title, _description(lines), _subtitle(lines, len(compared)), dark=dark
    )


def _lines(compared: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a label with what is said of it in words, the highest share first."""
    lines = compared.sort_values("share", ascending=False, kind="stable").head(MOST_ROWS)
    rows = lines.to_dict("records")
    return lines.assign(
        name=[marks.name_of(row["key"], row["value"], titles) for row in rows],
        label=[f"{percent(row['share'], row['n'])} of {row['n']:,}" for row in rows],
        told=[_told(row) for row in rows],
        positives=[f"{row['both']:,} of {row['either']:,}" for row in rows],
        line=range(len(lines)),
    )


def _told(row: dict[str, object]) -> str:
    """As in "67% [30, 90] of 6"."""
    rate = same_rate(row)
    return f"{share_of(rate)}{as_if(rate, PROMPTS_SHARED)}" if rate else "nothing to compare"


def _subtitle(lines: pd.DataFrame, n: int) -> str:
    told = ["hollow: an answer that few texts were given"] if lines["few"].any() else []
    told += [f"{n - len(lines)} lower ones not drawn"] if n > len(lines) else []
    return " · ".join(told)


def _description(lines: pd.DataFrame) -> str:
    told = "; ".join(
        f"{row['name']}: {row['told']}{', few' if row['few'] else ''}"
        for row in lines.to_dict("records")
    )
    ends = "" if lines["share_low"].isna().all() else ", with 95% intervals"
    return f"Share of texts with the same answer, by label{ends}. {told}."
