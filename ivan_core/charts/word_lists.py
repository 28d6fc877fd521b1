"""The best and the worst words of two models, in columns of a picture."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from ivan_core.charts import palette

_ROW = 15
_COLUMNS = 4
_GAP = 0.05
"""What stays free at both sides of a column, as a share of it."""
_COLOURS = {"best": palette.COUNT, "worst": "#C08A00"}
_SHADE = 0.3
_TITLE = "Best and worst words"


def word_columns(table: pd.DataFrame, n: int, *, dark: bool = False) -> palette.Drawing:
    """The words of each model's two ends from the outermost on; a bar is the other model's view.

    `table` has the columns model, end ("best" or "worst"), line (from 0 on), word, place, and
    elsewhere, the place of the word by the other model (0: none) among `n`. The bar behind a word
    is full where the other model likes it best of all, and empty where it likes it least.
    """
    if table.empty:
        return "No two words are ranked, so there is nothing to draw."
    ink = palette.ink(dark)
    models = list(dict.fromkeys(table["model"]))
    column = table["model"].map(models.index) * 2 + (table["end"] == "worst")
    height = (1 - (table["elsewhere"] - 1) / max(n - 1, 1)).where(table["elsewhere"] > 0, 0.0)
    cells = table.assign(
        row=table["line"] + 2, start=column + _GAP, stop=column + _GAP + height * (1 - 2 * _GAP)
    )
    heads = [(0, 2 * i + _GAP, model, 2) for i, model in enumerate(models)]
    heads += [(1, i + _GAP, "best" if i % 2 == 0 else "worst", 1) for i in range(_COLUMNS)]
    rows = int(cells["row"].max()) + 1
    y = alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(rows)), paddingInner=0.08))
    x = alt.X("start:Q", axis=None, scale=alt.Scale(domain=[0, _COLUMNS], nice=False))
    tips = [
        alt.Tooltip("word:N", title="Word"),
        alt.Tooltip("place:Q", title="Place", format=",d"),
        alt.Tooltip("elsewhere:Q", title="By the other model", format=",d"),
    ]
    bars = (
        alt.Chart(cells)
        .mark_bar(opacity=_SHADE)
        .encode(
            x=x,
            x2="stop:Q",
            y=y,
            color=alt.Color("end:N", scale=palette.scale_of(_COLOURS), legend=None),
            tooltip=tips,
        )
    )
    style: dict[str, Any] = {"align": "left", "baseline": "middle", "color": ink.text}
    words = (
        alt.Chart(cells)
        .mark_text(fontSize=11, dx=3, limit={"expr": f"width / {_COLUMNS} - 8"}, **style)
        .encode(x=x, y=y, text="word:N", tooltip=tips)
    )
    named = pd.DataFrame(heads, columns=["row", "start", "name", "wide"])
    layers = [bars, words]
    for wide, weight in ((2, "bold"), (1, "normal")):
        layers.append(
            alt.Chart(named[named["wide"] == wide])
            .mark_text(
                fontSize=11,
                fontWeight=weight,
                limit={"expr": f"width * {wide} / {_COLUMNS} - 8"},
                **style,
            )
            .encode(x=x, y=y, text="name:N", tooltip="name:N")
        )
    chart = alt.layer(*layers).properties(height=_ROW * rows)
    subtitle = [
        "From the outermost word on. The longer the bar,",
        "the higher the other model ranks the word.",
    ]
    return palette.framed(chart, _TITLE, _described(table, models), subtitle, dark=dark)


def _described(table: pd.DataFrame, models: list[str]) -> str:
    told = []
    for model in models:
        for end in ("best", "worst"):
            own = table[(table["model"] == model) & (table["end"] == end)].head(5)
            told.append(f"{model}, {end}: {', '.join(own['word'])}")
    return f"Columns of words. {'; '.join(told)}."
