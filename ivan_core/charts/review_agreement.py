"""Who answers as the reviewers do: shares by who chose, and by question and who described."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.charts import named_rows, palette

_ROOM = 190
_CELL = 44
KIND_COLOURS = {
    "person": palette.MODEL_COLOURS[0],
    "choice": palette.MODEL_COLOURS[1],
    "model": palette.MODEL_COLOURS[2],
    "labeler": palette.MODEL_COLOURS[3],
}
_KIND_SHAPES = {"person": "circle", "choice": "diamond", "model": "square", "labeler": "triangle"}
_KIND_WORDS = (
    "{person: 'a person with the others', choice: 'the recorded choice', model: 'a model',"
    " labeler: 'a labeler'}[datum.label] || datum.label"
)

_KINDS_A_LINE = alt.ExprRef("width < 560 ? 2 : 4")
"""On a narrow screen all four in one line would be cut."""


def who_dots(
    table: pd.DataFrame, *, title: str = "Who chooses as the reviewers do", dark: bool | None = None
) -> alt.LayerChart:
    """A dot and its 95% interval for each who chose: the share of pairs chosen alike.

    `table` has who, name, kind (person, choice, model or labeler), n, same, rate, low, high and
    label. A click fills the selection "who" with who.
    """
    ink = palette.ink(dark)
    lines = table.assign(line=range(len(table)))
    drawn = lines[lines["n"] > 0]
    y = named_rows.places(lines)
    axis = alt.Axis(format=".0%", tickCount=5, gridOpacity=0.5, labelFlush=True)
    x = alt.X("rate:Q", title="pairs chosen alike", scale=alt.Scale(domain=[0, 1]), axis=axis)
    tips = [
        alt.Tooltip("name:N", title="Who"),
        alt.Tooltip("label:N", title="Chosen alike"),
        alt.Tooltip("same:Q", title="Pairs alike", format=","),
        alt.Tooltip("n:Q", title="Pairs on which both name a side", format=","),
    ]
    selection = alt.selection_point(name="who", fields=["who"], on="click")
    kinds = [kind for kind in KIND_COLOURS if lines["kind"].isin([kind]).any()]
    legend = alt.Legend(title=None, orient="top", labelExpr=_KIND_WORDS, columns=_KINDS_A_LINE)
    colour = alt.Scale(domain=kinds, range=[KIND_COLOURS[kind] for kind in kinds])
    shape = alt.Scale(domain=kinds, range=[_KIND_SHAPES[kind] for kind in kinds])
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
    chart = alt.layer(half, ends, dots, *named_rows.words(lines, y, ink, _ROOM))
    told = "; ".join(
        f"{row.name_}: {row.label}" for row in lines.rename(columns={"name": "name_"}).itertuples()
    )
    described = f"Share of pairs chosen as the reviewers did, with 95% intervals. {told}."
    return palette.framed(
        chart.properties(height=named_rows.height(lines)), title, described, dark=dark
    )


def question_cells(
    table: pd.DataFrame, *, title: str = "Who answers as the reviewers do", dark: bool | None = None
) -> alt.LayerChart:
    """One cell for each question and who answered it: the share of texts answered alike.

    `table` has who, name, key, question, n, same, share, label, told and few. The more often alike,
    the darker; cells that rest on few texts have a broken edge. A click fills the selection "cell"
    with who and key.
    """
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
            labelLimit={"expr": f"width / {max(1, len(names))} - 6"},
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
    selection = alt.selection_point(name="cell", fields=["who", "key"], on="click")
    scale = alt.Scale(domain=[0, 1], range=[0.03, 0.25 if dark is None else 0.5])
    cells = (
        base.mark_rect(color=palette.COUNT, cursor="pointer", cornerRadius=4)
        .encode(opacity=alt.Opacity("share:Q", scale=scale, legend=None))
        .add_params(selection)
    )
    few = base.transform_filter("datum.few").mark_rect(
        filled=False, stroke=ink.faint, strokeDash=[3, 3], cornerRadius=4
    )
    picked = base.mark_rect(
        filled=False, stroke=ink.text, strokeWidth=2, cornerRadius=4
    ).transform_filter({"param": "cell", "empty": False})
    words = base.mark_text(fontSize=12, color=ink.text, cursor="pointer").encode(text="label:N")
    told = "; ".join(
        f"{row.question}, {row.name_}: {row.label}"
        for row in table.rename(columns={"name": "name_"}).head(60).itertuples()
    )
    subtitle = "Broken edge: few texts called so." if table["few"].any() else ""
    chart = alt.layer(cells, few, picked, words).properties(height=_CELL * max(1, len(questions)))
    described = f"Table of answers given as the reviewers did. {told}."
    return palette.framed(chart, title, described, subtitle, dark)
