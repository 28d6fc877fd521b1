"""How far labelers or reviewers agree: on each label, two of them against each other, and who
chooses and answers as the reviewers do.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.intervals import interval_text, number_text
from ivan_core.metrics.sentences import percent

MOST_ROWS = 24
_COLOURS = dict(zip(("coefficient", "ac1"), palette.MODEL_COLOURS[:2], strict=True))
_SHAPES = {"coefficient": "circle", "ac1": "diamond"}
_SHORT = {
    "kappa": "κ",
    "weighted kappa": "κ",
    "alpha": "α",
    "ordinal alpha": "α",
    "jaccard": "overlap",
}
_LABEL_ROOM = 150
_STRIP = 50
_ROW = 76


def agreement_dots(
    agreements: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    title: str = "How far the labelers agree beyond chance",
    dark: bool = False,
) -> palette.Drawing:
    """A dot and a 95% interval of the coefficient and of Gwet's AC1, one row a label.

    `agreements` is a table of `metrics.labels.agreement`, `agreement_table` or `class_agreement`;
    `titles` are the names of the keys. Labels come from the highest coefficient to the lowest, at
    most 24; hollow marks rest on few texts. A click fills the selection "feature" with key and
    value.
    """
    ink = palette.ink(dark)
    lines = _lines(agreements, titles)
    dots = _dots(lines)
    if dots.empty:
        return _nothing_compared(lines)
    selection = marks.selection("feature", ["key", "value"])
    y = marks.places(lines)
    low = min([0.0, *dots["low"].dropna(), *dots["point"]])
    x = alt.X(
        "point:Q",
        title="0: no better than chance, 1: always the same",
        scale=alt.Scale(domain=[max(-1.0, 1.05 * low), 1]),
        axis=alt.Axis(format="~", tickCount=5, gridOpacity=0.5, labelFlush=True),
    )
    tips = [
        alt.Tooltip("name:N", title="Label"),
        alt.Tooltip("told:N", title="Agreement"),
        alt.Tooltip("positives:N", title="Of the texts any called so, all did"),
        alt.Tooltip("n:Q", title="Texts compared", format=","),
        alt.Tooltip("left_out:Q", title="Without two answers", format=","),
    ]
    base = alt.Chart(dots).encode(y=y, tooltip=tips)
    opacity = alt.condition(selection, alt.value(1), alt.value(0.35))
    hollow = alt.condition("datum.few", alt.value(0), alt.value(1))
    legend = alt.Legend(title=None, orient="top", labelExpr=_words(lines))
    colour, shape = palette.scale_of(_COLOURS), palette.scale_of(_SHAPES)
    look = {
        "fill": alt.Fill("kind:N", scale=colour, legend=legend),
        "stroke": alt.Stroke("kind:N", scale=colour, legend=legend),
        "shape": alt.Shape("kind:N", scale=shape, legend=legend),
    }
    layers: list[alt.Chart] = []
    for kind, offset in zip(_COLOURS, marks.OFFSETS, strict=True):
        own = base.transform_filter(f"datum.kind == '{kind}'")
        ends = own.mark_rule(strokeWidth=2, yOffset=offset, y2Offset=offset, color=_COLOURS[kind])
        point = own.mark_point(
            filled=True, size=75, yOffset=offset, strokeWidth=2, cursor="pointer"
        )
        layers += [
            ends.transform_filter(marks.HAS_ENDS).encode(x="low:Q", x2="high:Q", opacity=opacity),
            point.encode(x=x, **look, fillOpacity=hollow, opacity=opacity),
        ]
    layers[1] = layers[1].add_params(selection)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=ink.faint, tooltip=None)
    layers += [zero.encode(x="zero:Q"), *marks.words(lines, y, ink, _LABEL_ROOM)]
    chart = alt.layer(*layers, height=marks.height(lines))
    return palette.framed(
        chart, title, _description(lines), _subtitle(lines, len(agreements)), dark=dark
    )


def answer_cells(
    table: pd.DataFrame,
    left: str,
    right: str,
    *,
    title: str = "The answers of both labelers",
    dark: bool = False,
) -> palette.Drawing:
    """Texts counted by the answers of two labelers, the darker the more.

    `table` is that of `metrics.labels.answers.cells`. A click on a cell or its words fills the
    selection "answers" with left and right.
    """
    ink = palette.ink(dark)
    n = int(table["n"].iloc[0]) if len(table) else 0
    if not n:
        return f"{left} and {right} answered no text in common."
    order = list(dict.fromkeys(table["left"]))
    shown = table.assign(
        number=[f"{count:,}" for count in table["count"]],
        percent=[percent(count / n, n) for count in table["count"]],
    )
    height = _STRIP + _ROW * len(order)
    band = {"paddingInner": 0.05, "paddingOuter": 0.0}
    x = alt.X(
        "left:N",
        title=None,
        scale=alt.Scale(domain=order, **band),
        axis=alt.Axis(orient="bottom", labelAngle=0, labelFontSize=12),
    )
    y = alt.Y(
        "right:N",
        title=None,
        scale=alt.Scale(domain=order, range=[_STRIP, height], **band),
        axis=alt.Axis(labelFontSize=12),
    )
    tips = [
        alt.Tooltip("left:N", title="Across"),
        alt.Tooltip("right:N", title="Down"),
        alt.Tooltip("number:N", title="Texts"),
        alt.Tooltip("percent:N", title="Of the texts both answered"),
    ]
    base = alt.Chart(shown).encode(x=x, y=y, tooltip=tips)
    selection = marks.selection("answers", ["left", "right"])
    most = int(table["count"].max())
    shades = (0.05, palette.DARKEST_CELL)
    cells = marks.shaded_cells(base, "count", most, shades, selection, ink)
    style = {"cursor": "pointer", "color": ink.text, "align": "center", "baseline": "middle"}
    counts = base.mark_text(fontSize=18, fontWeight="bold", dy=-9, **style).encode(text="number:N")
    shares = base.mark_text(fontSize=12, dy=12, **style).encode(text="percent:N")
    heads = marks.heads(f"→ across: {left}", f"↓ down: {right}", ink)
    chart = alt.layer(*cells, counts, shares, heads)
    described = _cells_description(shown, left, right, n)
    return palette.framed(chart.properties(height=height), title, described, dark=dark)


def _lines(agreements: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a label with what is said of it in words, the highest coefficient first."""
    lines = agreements.sort_values(
        "coefficient", ascending=False, kind="stable", na_position="last"
    ).head(MOST_ROWS)
    rows = lines.to_dict("records")
    return lines.assign(
        name=[marks.name_of(row["key"], row["value"], titles) for row in rows],
        label=[_label(str(row["measure"]), row["coefficient"], row["n"]) for row in rows],
        positives=[f"{row['both']:,} of {row['either']:,}" for row in rows],
        line=range(len(lines)),
    )


def _nothing_compared(lines: pd.DataFrame) -> str:
    """Why no label has a coefficient."""
    if not (lines["n"] > 0).any():
        return "No text has two answers to compare."
    return "Everybody gave one and the same answer to all texts, so no coefficient can be told."


def _label(measure: str, value: float, n: int) -> str:
    if isnan(value):
        return "answers never change" if n else "nothing to compare"
    return f"{_SHORT[measure]} {_decimal(value)}"


def _dots(lines: pd.DataFrame) -> pd.DataFrame:
    """The coefficients to draw, two for each label that has both."""
    found: list[dict[str, object]] = []
    for row in lines.to_dict("records"):
        for kind, prefix in (("coefficient", ""), ("ac1", "ac1_")):
            point, low, high = row[kind], row[f"{prefix}low"], row[f"{prefix}high"]
            if isnan(point):
                continue
            ends = "" if isnan(low) else f" {interval_text(low, high, 2)}"
            measure = "Gwet's AC1" if kind == "ac1" else str(row["measure"])
            names = ("key", "value", "name", "line", "n", "left_out", "positives", "few")
            found.append(
                {name: row[name] for name in names}
                | {"kind": kind, "point": point, "low": low, "high": high}
                | {"told": f"{measure} {_decimal(point)}{ends}"}
            )
    return pd.DataFrame(found)


def _decimal(value: float) -> str:
    return number_text(value, 2)


def _words(lines: pd.DataFrame) -> str:
    """The legend's words: which coefficient it is depends on how many labelers there are."""
    more = lines["measure"].isin(["alpha", "ordinal alpha"]).any()
    first = "Krippendorff’s alpha" if more else "Cohen’s kappa"
    lists = lines["measure"].eq("jaccard").any()
    first += " (lists: overlap)" if lists else ""
    return f"{{coefficient: '{first}', ac1: 'Gwet’s AC1'}}[datum.label] || datum.label"


def _subtitle(lines: pd.DataFrame, n: int) -> str:
    told = ["hollow: few texts"] if lines["few"].any() else []
    told += [f"{n - len(lines)} lower ones not drawn"] if n > len(lines) else []
    return " · ".join(told)


def _description(lines: pd.DataFrame) -> str:
    told = []
    for row in lines.to_dict("records"):
        ac1 = "" if isnan(row["ac1"]) else f", AC1 {_decimal(row['ac1'])}"
        few = ", few" if row["few"] else ""
        told.append(f"{row['name']}: {row['label']}{ac1}, all called so {row['positives']}{few}")
    return f"Agreement of labelers by label. {'; '.join(told)}."


def _cells_description(shown: pd.DataFrame, left: str, right: str, n: int) -> str:
    told = "; ".join(
        f"{left} {cell.left} and {right} {cell.right}: {cell.number}" for cell in shown.itertuples()
    )
    return f"Table of the answers of two labelers to {n:,} texts. {told}."


_ROOM = 190
_CELL = 44
KIND_COLOURS = {
    "person": palette.MODEL_COLOURS[0],
    "choice": palette.MODEL_COLOURS[1],
    "model": palette.MODEL_COLOURS[2],
    "labeler": palette.MODEL_COLOURS[3],
    "rule": palette.MODEL_COLOURS[4],
}
_KIND_SHAPES = {
    "person": "circle",
    "choice": "diamond",
    "model": "square",
    "labeler": "triangle",
    "rule": "cross",
}
_KIND_WORDS = (
    "{person: 'a person with the others', choice: 'the recorded choice', model: 'a model',"
    " labeler: 'a labeler', rule: 'a rule with the others'}[datum.label] || datum.label"
)

_KINDS_A_LINE = alt.ExprRef("width < 560 ? 2 : 4")
"""On a narrow screen all four in one line would be cut."""


def who_dots(table: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """A dot and its 95% interval for each who chose: the share of pairs chosen alike.

    `table` has who, name, kind (of KIND_COLOURS), n, same, rate, low, high and
    label. A click fills the selection "who" with who.
    """
    ink = palette.ink(dark)
    lines = table.assign(line=range(len(table)))
    drawn = lines[lines["n"] > 0]
    if drawn.empty:
        return "No two of them chose between the replies of the same pair."
    y = marks.places(lines)
    axis = alt.Axis(format=".0%", tickCount=5, gridOpacity=0.5, labelFlush=True)
    x = alt.X("rate:Q", title="pairs chosen alike", scale=alt.Scale(domain=[0, 1]), axis=axis)
    tips = [
        alt.Tooltip("name:N", title="Who"),
        alt.Tooltip("label:N", title="Chosen alike"),
        alt.Tooltip("same:Q", title="Pairs alike", format=","),
        alt.Tooltip("n:Q", title="Pairs on which both name a side", format=","),
    ]
    selection = marks.selection("who", ["who"])
    kinds = [kind for kind in KIND_COLOURS if lines["kind"].isin([kind]).any()]
    legend = alt.Legend(title=None, orient="top", labelExpr=_KIND_WORDS, columns=_KINDS_A_LINE)
    colour = palette.scale_of({kind: KIND_COLOURS[kind] for kind in kinds})
    shape = palette.scale_of({kind: _KIND_SHAPES[kind] for kind in kinds})
    base = alt.Chart(drawn).encode(y=y, tooltip=tips)
    half = alt.Chart(drawn).mark_rule(color=ink.faint, strokeDash=[2, 2]).encode(x=alt.datum(0.5))
    ends = base.mark_rule(strokeWidth=2, yOffset=8, y2Offset=8, color=ink.faint).encode(
        x="low:Q", x2="high:Q"
    )
    dots = (
        base.mark_point(size=90, yOffset=8, filled=True, opacity=1, cursor="pointer")
        .encode(
            x=x,
            color=alt.Color("kind:N", scale=colour, legend=legend),
            shape=alt.Shape("kind:N", scale=shape, legend=legend),
            opacity=alt.condition(selection, alt.value(1), alt.value(0.35)),
        )
        .add_params(selection)
    )
    chart = alt.layer(half, ends, dots, *marks.words(lines, y, ink, _ROOM))
    told = "; ".join(
        f"{row.name_}: {row.label}" for row in lines.rename(columns={"name": "name_"}).itertuples()
    )
    described = f"Share of pairs chosen as the reviewers did, with 95% intervals. {told}."
    chart = chart.properties(height=marks.height(lines))
    return palette.framed(chart, "Who chooses as the reviewers do", described, dark=dark)


def question_cells(table: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """One cell for each question and who answered it: the share of texts answered alike.

    `table` has who, name, key, question, n, same, share, label, told and few. The more often alike,
    the darker; cells that rest on few texts have a broken edge. A click fills the selection "cell"
    with who and key.
    """
    if table.empty:
        return "No two of them answered the same question about the same text."
    ink = palette.ink(dark)
    names = list(dict.fromkeys(table["name"]))
    questions = list(dict.fromkeys(table["question"]))
    band = {"paddingInner": 0.06, "paddingOuter": 0.0}
    x = alt.X(
        "name:N",
        title=None,
        scale=alt.Scale(domain=names, **band),
        axis=alt.Axis(
            orient="top",
            labelAngle=0,
            labelFontSize=12,
            domain=False,
            labelOverlap=False,
            labelLimit={"expr": f"width / {len(names)} - 6"},
        ),
    )
    y = alt.Y(
        "question:N",
        title=None,
        scale=alt.Scale(domain=questions, **band),
        axis=alt.Axis(labelFontSize=12, labelLimit=220),
    )
    tips = [
        alt.Tooltip("name:N", title="Who"),
        alt.Tooltip("question:N", title="Question"),
        alt.Tooltip("told:N", title="Answered alike"),
        alt.Tooltip("positives:N", title="Of the texts either called so, both did"),
    ]
    base = alt.Chart(table).encode(x=x, y=y, tooltip=tips)
    selection = marks.selection("cell", ["who", "key"])
    shades = (0.03, palette.DARKEST_CELL)
    cells, picked = marks.shaded_cells(base, "share", 1, shades, selection, ink)
    few = base.transform_filter("datum.few").mark_rect(
        filled=False, stroke=ink.faint, strokeDash=[3, 3], cornerRadius=4
    )
    words = base.mark_text(fontSize=12, color=ink.text, cursor="pointer").encode(text="label:N")
    told = "; ".join(
        f"{row.question}, {row.name_}: {row.label}"
        for row in table.rename(columns={"name": "name_"}).head(60).itertuples()
    )
    subtitle = "Broken edge: few texts called so." if table["few"].any() else ""
    chart = alt.layer(cells, few, picked, words, height=_CELL * len(questions))
    described = f"Table of answers given as the reviewers did. {told}."
    return palette.framed(chart, "Who answers as the reviewers do", described, subtitle, dark=dark)
