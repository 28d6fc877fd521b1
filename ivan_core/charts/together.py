"""Which labels go together, as a grid of squares."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ivan_core.charts import named_rows, palette
from ivan_core.metrics.sentences import PROMPTS_SHARED, as_if_n, interval_ends, percent

MOST_LABELS = 20
_CELL = 24
_COLOURS = {"more": palette.MODEL_COLOURS[0], "less": palette.MODEL_COLOURS[1]}
_WORDS = "{more: 'more often than in all texts', less: 'less often'}[datum.label] || datum.label"
_NAMED = 5
_DOT = " · "
# Where names would overlap, columns have the numbers that stand before the names of the rows.
_NUMBER_OR_NAME = f"width < 460 ? split(datum.label, '{_DOT}')[0] : datum.label"
_FIELDS = ["first_key", "first_value", "second_key", "second_value", "too_few"]


def together_squares(
    table: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    title: str = "Which labels go together",
    dark: bool | None = None,
) -> alt.LayerChart:
    """One square for each two labels: of the texts with the row's label, those with the column's.

    `table` is that of `metrics.labels.shares.co_occurrence`; `titles` are the names of the keys.
    The stronger a square, the further its share lies from that in all texts; hollow ones rest on
    few texts. A click fills the selection "together" with the keys and values of both labels. At
    most the first 20 labels are drawn.
    """
    ink = palette.ink(dark)
    shown, left_out = _squares(table, titles)
    selection = alt.selection_point(name="together", fields=_FIELDS[:4], on="click")
    # Names come from the data and are sorted by a column, so that none stands in the spec.
    band = alt.Scale(paddingInner=0.08, paddingOuter=0)
    x = alt.X(
        "second_name:N",
        title="also have this label",
        scale=band,
        sort=alt.EncodingSortField("second_at", op="min"),
        axis=alt.Axis(orient="top", labelAngle=-90, labelLimit=150, labelExpr=_NUMBER_OR_NAME),
    )
    y = alt.Y(
        "first_name:N",
        title="Of the texts with this label",
        scale=band,
        sort=alt.EncodingSortField("first_at", op="min"),
        axis=alt.Axis(labelLimit=150),
    )
    tips = [
        alt.Tooltip("first_name:N", title="Of the texts with"),
        alt.Tooltip("second_name:N", title="those also with"),
        alt.Tooltip("told:N", title="are"),
        alt.Tooltip("of_all:N", title="Of all texts"),
    ]
    base = alt.Chart(shown).encode(x=x, y=y, tooltip=tips)
    furthest = float(shown["strength"].max()) if len(shown) else 1.0
    rects = (
        base.mark_rect(cursor="pointer", cornerRadius=2)
        .encode(
            color=alt.Color(
                "way:N",
                scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
                legend=alt.Legend(
                    title=None, orient="bottom", direction="vertical", labelExpr=_WORDS
                ),
            ),
            opacity=alt.Opacity(
                "strength:Q",
                scale=alt.Scale(domain=[0, furthest or 1.0], range=[0.06, 1]),
                legend=None,
            ),
        )
        .add_params(selection)
    )
    few = base.transform_filter("datum.too_few").mark_rect(
        filled=False, stroke=ink.faint, strokeDash=[2, 2], cornerRadius=2
    )
    picked = base.mark_rect(filled=False, stroke=ink.text, strokeWidth=2).transform_filter(
        {"param": "together", "empty": False}
    )
    labels = shown["first_name"].nunique() if len(shown) else 1
    chart = alt.layer(rects, few, picked).properties(height=_CELL * labels)
    notes = ["dashed: few texts"] if len(shown) and shown["too_few"].any() else []
    notes += [f"{left_out} more labels not drawn"] if left_out else []
    return palette.framed(chart, title, _description(shown), " · ".join(notes), dark)


def _squares(table: pd.DataFrame, titles: Mapping[str, str]) -> tuple[pd.DataFrame, int]:
    """The squares to draw with their words, and how many labels are left out."""
    pairs = zip(table["first_key"], table["first_value"], strict=True)
    items = {item: at for at, item in enumerate(dict.fromkeys(pairs))}
    rows = []
    for row in table.to_dict("records"):
        first = items[row["first_key"], row["first_value"]]
        second = items[row["second_key"], row["second_value"]]
        if max(first, second) >= MOST_LABELS:
            continue
        known = row["first"] > 0
        beyond = row["share"] - row["overall"] if known else 0.0
        rows.append(
            {name: row[name] for name in _FIELDS}
            | {
                "first_at": first,
                "second_at": second,
                "first_name": _numbered(first, row["first_key"], row["first_value"], titles),
                "second_name": _numbered(second, row["second_key"], row["second_value"], titles),
                # What rests on few texts is not coloured as if it were known.
                "strength": 0.0 if row["too_few"] else abs(beyond),
                "way": "less" if beyond < 0 else "more",
                "told": _told(row) if known else "none",
                "of_all": percent(row["overall"], row["n"]) if row["n"] else "none",
            }
        )
    columns = [*_FIELDS, "strength", "first_name"]
    return pd.DataFrame(rows, columns=None if rows else columns), max(0, len(items) - MOST_LABELS)


def _numbered(at: int, key: str, value: str, titles: Mapping[str, str]) -> str:
    return f"{at + 1}{_DOT}{named_rows.name_of(key, value, titles)}"


def _told(row: dict[str, float]) -> str:
    both, first = int(row["both"]), int(row["first"])
    ends = interval_ends(row["low"], row["high"], first)
    wide = as_if_n(first, int(row["effective_n"]), PROMPTS_SHARED)
    return f"{both:,} of {first:,} ({percent(row['share'], first)} {ends}{wide})"


def _description(shown: pd.DataFrame) -> str:
    known = shown[~shown["too_few"].astype(bool)] if len(shown) else shown
    if known.empty:
        return "Which labels go together; no label has enough texts to tell."
    order = known["strength"].sort_values(ascending=False, kind="stable").index[:_NAMED]
    told = "; ".join(
        f"of the texts with {row.first_name}, {row.told} also have {row.second_name}, against"
        f" {row.of_all} of all"
        for row in known.loc[order].itertuples()
    )
    return f"Which labels go together; furthest from all texts: {told}."
