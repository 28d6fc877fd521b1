"""How often labels are given to chosen and to rejected replies, and which of them go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.charts.sides import SIDE_COLOURS
from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.sentences import PROMPTS_SHARED, percent, share_ends

MOST_ROWS = 24
_SHAPES = {"chosen": "circle", "rejected": "diamond"}
_LABEL_ROOM = 190
_NO_ANSWER = "No text has an answer, so there is nothing to draw."


def prevalence_dots(
    prevalences: pd.DataFrame,
    differences: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    dark: bool = False,
) -> palette.Drawing:
    """A dot and a 95% interval for each side, one row a label, sorted by chosen minus rejected.

    `prevalences` and `differences` are the tables of `metrics.labels.shares`; `titles` are the
    names of the keys. An asterisk marks a clear difference. A click fills the selection "feature"
    with key and value. At most 24 labels are drawn, those with the largest differences.
    """
    ink = palette.ink(dark)
    lines, left_out = _sorted(_lines(prevalences, differences, titles))
    dots = _dots(prevalences, lines)
    if dots.empty:
        return _NO_ANSWER
    selection = marks.selection("feature", ["key", "value"])
    y = marks.places(lines)
    base = alt.Chart(dots).encode(y=y, tooltip=_tips(), color=_colour())
    x = _x("low", dots)
    layers = marks.interval_dots(base, "side", SIDES, x, "share:Q", _shape(), selection)
    layers += marks.words(lines, y, ink, _LABEL_ROOM)
    chart = alt.layer(*layers, height=marks.height(lines))
    subtitle = "* a clear difference, all these labels taken together"
    subtitle = subtitle if lines["clear"].any() else ""
    if left_out:
        subtitle = f"{subtitle} · {left_out} smaller differences not drawn".removeprefix(" · ")
    title = "How often each label is given"
    return palette.framed(chart, title, _description(lines, "Labels"), subtitle, dark=dark)


def word_bars(
    counts: pd.DataFrame, *, title: str = "Topics", dark: bool = False
) -> palette.Drawing:
    """Two bars with 95% intervals for each word of a list: chosen above, rejected below.

    `counts` is the table of `metrics.labels.shares.topic_counts`, in whose order the words are
    drawn, at most 24. A click fills the selection "word" with key, value and side; one on a name,
    with its chosen side.
    """
    ink = palette.ink(dark)
    kept = list(dict.fromkeys(counts["value"]))
    lines = _lines(counts[counts["value"].isin(kept[:MOST_ROWS])], None, {}).assign(side=SIDES[0])
    lines = lines.assign(name=lines["value"], line=range(len(lines)))
    bars = _dots(counts, lines).assign(zero=0.0)
    if bars.empty:
        return _NO_ANSWER
    selection = marks.selection("word", ["key", "value", "side"])
    y = marks.places(lines)
    base = alt.Chart(bars).encode(y=y, tooltip=_tips())
    x = _x("zero", bars)
    layers = marks.interval_bars(base, "side", SIDES, x, _colour("square"), selection, ink)
    layers += marks.words(lines, y, ink, _LABEL_ROOM)
    chart = alt.layer(*layers, height=marks.height(lines))
    left_out = len(kept) - len(lines)
    subtitle = f"{left_out} rarer ones not drawn" if left_out else ""
    return palette.framed(chart, title, _description(lines, title), subtitle, dark=dark)


def _lines(
    prevalences: pd.DataFrame, differences: pd.DataFrame | None, titles: Mapping[str, str]
) -> pd.DataFrame:
    """One row a label, with what is said of it in words."""
    shares: dict[tuple[str, str], dict[str, str]] = {}
    for row in prevalences.to_dict("records"):
        share = percent(row["share"], row["n"]) if row["n"] else "no answer"
        shares.setdefault((row["key"], row["value"]), {})[row["side"]] = share
    by_label: dict[tuple[str, str], Any] = {}
    if differences is not None:
        by_label = {(row["key"], row["value"]): row for row in differences.to_dict("records")}
    found = []
    for (key, value), told in shares.items():
        apart = by_label.get((key, value), {})
        clear = bool(apart.get("clear", False))
        label = ", ".join(f"{side} {told[side]}" for side in SIDES if side in told)
        found.append(
            {
                "key": key,
                "value": value,
                "name": marks.name_of(key, value, titles),
                "label": f"{label} *" if clear else label,
                "difference": apart.get("difference", float("nan")),
                "clear": clear,
            }
        )
    columns = ["key", "value", "name", "label", "difference", "clear"]
    return pd.DataFrame(found, columns=columns)


def _sorted(lines: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The lines to draw, what is said more of chosen replies first, and how many are left out."""
    size = lines["difference"].abs().fillna(-1.0)
    kept = lines.loc[
        size.sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
    ].sort_index()
    kept = kept.sort_values("difference", ascending=False, kind="stable", na_position="last")
    return kept.assign(line=range(len(kept))), len(lines) - len(kept)


def _dots(prevalences: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """The shares to draw, with the place of their row and their numbers in words."""
    known = prevalences[prevalences["n"].to_numpy(int) > 0]
    dots = known.merge(lines[["key", "value", "name", "line"]], on=["key", "value"])
    told = []
    for row in dots.to_dict("records"):
        ends = share_ends(row["low"], row["high"], row["n"], row["effective_n"])
        told.append(f"{percent(row['share'], row['n'])}{ends}")
    return dots.assign(told=told)


def _x(field: str, dots: pd.DataFrame) -> alt.X:
    furthest = dots[["share", "high"]].max().max()
    top = min(1.0, 1.05 * float(furthest))
    axis = alt.Axis(format="~%", tickCount=5, gridOpacity=0.5, labelFlush=True)
    scale = alt.Scale(domain=[0, top])
    return alt.X(f"{field}:Q", title="Share of the side's replies", scale=scale, axis=axis)


def _colour(symbol: str | None = None) -> alt.Color:
    scale = palette.scale_of(SIDE_COLOURS)
    shape = {"symbolType": symbol} if symbol else {}
    return alt.Color("side:N", scale=scale, legend=alt.Legend(title=None, orient="top", **shape))


def _shape() -> alt.Shape:
    return alt.Shape("side:N", scale=palette.scale_of(_SHAPES))


def _tips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="Label"),
        alt.Tooltip("side:N", title="Side"),
        alt.Tooltip("told:N", title="Given to"),
        alt.Tooltip("count:Q", title="Texts", format=","),
        alt.Tooltip("n:Q", title="Of texts with an answer", format=","),
    ]


def _description(lines: pd.DataFrame, what: str) -> str:
    told = "; ".join(f"{line.name_}: {line.label}" for line in _named(lines).itertuples())
    return f"{what} of chosen and rejected replies. {told}."


def _named(lines: pd.DataFrame) -> pd.DataFrame:
    return lines.rename(columns={"name": "name_"})


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
    table: pd.DataFrame, titles: Mapping[str, str], *, dark: bool = False
) -> palette.Drawing:
    """One square for each two labels: of the texts with the row's label, those with the column's.

    `table` is that of `metrics.labels.shares.co_occurrence`; `titles` are the names of the keys.
    The stronger a square, the further its share lies from that in all texts; hollow ones rest on
    few texts. A click fills the selection "together" with the keys and values of both labels. At
    most the first 20 labels are drawn.
    """
    ink = palette.ink(dark)
    shown, left_out = _squares(table, titles)
    if shown.empty or shown["too_few"].all():
        return "No label has enough texts to tell with which others it goes."
    selection = marks.selection("together", _FIELDS[:4])
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
    furthest = float(shown["strength"].max())
    rects = (
        base.mark_rect(cursor="pointer", cornerRadius=2)
        .encode(
            color=alt.Color(
                "way:N",
                scale=palette.scale_of(_COLOURS),
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
    picked = marks.picked(base, selection, ink)
    chart = alt.layer(rects, few, picked, height=_CELL * shown["first_name"].nunique())
    notes = ["dashed: few texts"] if shown["too_few"].any() else []
    notes += [f"{left_out} more labels not drawn"] if left_out else []
    title = "Which labels go together"
    return palette.framed(chart, title, _grid_description(shown), " · ".join(notes), dark=dark)


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
    return pd.DataFrame(rows), max(0, len(items) - MOST_LABELS)


def _numbered(at: int, key: str, value: str, titles: Mapping[str, str]) -> str:
    return f"{at + 1}{_DOT}{marks.name_of(key, value, titles)}"


def _told(row: dict[str, float]) -> str:
    both, first = int(row["both"]), int(row["first"])
    ends = share_ends(row["low"], row["high"], first, row["effective_n"], PROMPTS_SHARED)
    return f"{both:,} of {first:,} ({percent(row['share'], first)}{ends})"


def _grid_description(shown: pd.DataFrame) -> str:
    known = shown[~shown["too_few"].astype(bool)]
    order = known["strength"].sort_values(ascending=False, kind="stable").index[:_NAMED]
    told = "; ".join(
        f"of the texts with {row.first_name}, {row.told} also have {row.second_name}, against"
        f" {row.of_all} of all"
        for row in known.loc[order].itertuples()
    )
    return f"Which labels go together; furthest from all texts: {told}."
