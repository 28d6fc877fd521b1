"""What either side of a pair has: a user column's values on the chosen and on the rejected
side, and agreement by which side has more of it or is the longer one.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.domain.pairs import SIDES
from ivan_core.metrics.intervals import Rate, with_minus
from ivan_core.metrics.sentences import percent, share_in_full, share_of
from ivan_core.metrics.summary import ModelSummary

# No verdict's colour; a side is also told by its words or by lying above or below the line.
SIDE_COLOURS = {"chosen": palette.MODEL_COLOURS[0], "rejected": palette.MODEL_COLOURS[1]}
HEIGHT = 260
_STEP = 38
_GROUP_STEP = 46
_MOST_MODELS = 12
_WHERE = {
    "chosen": "Larger on the chosen side",
    "equal": "Equal on both sides",
    "rejected": "Larger on the rejected side",
}


def column_sides(bins: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """Shares of each side by value: bars for few values, a two-sided histogram for many.

    `bins` is the table of `metrics.columns.column_bins`. A click fills the selection "value"
    with bin and side.
    """
    if bins.empty:
        return "No reply has a value of this column."
    few = bool((bins["x0"] == bins["x1"]).all())
    chart = _bars(bins, dark) if few else _histogram(bins, dark)
    return palette.framed(
        chart, "Chosen against rejected replies", _sides_description(bins, few), dark=dark
    )


def agreement_by_larger_bars(rows: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """Up to three bars a model with their 95% intervals, by the side on which the number is larger.

    `rows` is the table of `metrics.columns.agreement_by_larger`. A click fills the selection
    "larger" with the side and the model. At most the first 12 models are drawn.
    """
    if rows.empty:
        return "No pair with a value on both sides is rated."
    ink = palette.ink(dark)
    lines = _agreement_lines(rows)
    bars = lines[lines["kind"] == "bar"]
    selection = marks.selection("larger", ["larger", "model"])
    fades = {"opacity": alt.condition(selection, alt.value(0.75), alt.value(0.3))}
    chart = _rate_bars(lines, "name", ("rate_low", "rate_high"), selection, {}, fades, ink)
    words = "; ".join(f"{bar.model}, {bar.name.lower()}: {bar.told}" for bar in bars.itertuples())
    title = "Agreement by which side has more"
    return palette.framed(chart, title, f"{title}. {words}.", dark=dark)


def _bars(bins: pd.DataFrame, dark: bool) -> alt.LayerChart:
    """One line a value and side: its name and share in words above its bar."""
    ink = palette.ink(dark)
    shown = bins.assign(
        name=[
            f"{_value(value)}, {side}" for value, side in zip(bins["x0"], bins["side"], strict=True)
        ],
        label=[_share(row) for row in bins.to_dict("records")],
        line=range(len(bins)),
    )
    selection = _selection()
    y = alt.Y("line:O", title=None, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    base = alt.Chart(shown).encode(y=y, tooltip=[alt.Tooltip("name:N"), alt.Tooltip("label:N")])
    drawn = (
        base.mark_bar(height=12, yOffset=8, cursor="pointer")
        .encode(
            x=alt.X(
                "share:Q",
                title="Share of the side's replies",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=5, grid=False, labelFlush=True),
            ),
            color=_colour(),
            opacity=alt.condition(selection, alt.value(0.9), alt.value(0.35)),
        )
        .add_params(selection)
    )
    names = base.mark_text(
        align="left", baseline="middle", yOffset=-7, fontSize=12, color=ink.text
    ).encode(text="name:N", x=alt.value(0))
    shares = base.mark_text(
        align="right", baseline="middle", yOffset=-7, fontSize=12, color=ink.text
    ).encode(text="label:N", x=alt.value("width"))
    return alt.layer(drawn, names, shares, height=_STEP * len(shown))


def _histogram(bins: pd.DataFrame, dark: bool) -> alt.LayerChart:
    """Shares of the chosen side above the line, of the rejected side below."""
    ink = palette.ink(dark)
    above = bins["side"] == SIDES[0]
    shown = bins.assign(
        height=bins["share"].where(above, -bins["share"]),
        span=marks.spans(bins, "low", "high", ".6g"),
        label=[_share(row) for row in bins.to_dict("records")],
    )
    most = float(bins["share"].max()) * 1.12 or 1.0
    selection = _selection()
    x = alt.X(
        "x0:Q",
        title="Value of the column",
        scale=alt.Scale(zero=False, nice=False),
        axis=alt.Axis(grid=False, tickCount=6, labelFlush=True),
    )
    drawn = (
        alt.Chart(shown)
        .mark_bar(x2Offset=-1, cursor="pointer")
        .encode(
            x=x,
            x2="x1:Q",
            y2=alt.datum(0),  # with both ends of x given, Vega-Lite takes no end of y for granted
            y=alt.Y(
                "height:Q",
                title="Share of the side's replies",
                scale=alt.Scale(domain=[-most, most], nice=False),
                axis=alt.Axis(
                    labelExpr="format(abs(datum.value), '.1~%')", tickCount=5, gridOpacity=0.5
                ),
            ),
            color=_colour(),
            opacity=alt.condition(selection, alt.value(0.9), alt.value(0.35)),
            tooltip=[
                alt.Tooltip("side:N", title="Side"),
                alt.Tooltip("span:N", title="Value"),
                alt.Tooltip("label:N", title="Share"),
            ],
        )
        .add_params(selection)
    )
    line = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=ink.text, tooltip=None)
    notes = [
        mark
        for side in SIDES
        for mark in marks.corner_note(
            f"{side} replies", ink.text, ink, left=False, top=side == SIDES[0], gap=4
        )
    ]
    return alt.layer(drawn, line.encode(y="zero:Q"), *notes, height=HEIGHT)


def _selection() -> alt.Parameter:
    return marks.selection("value", ["bin", "side"])


def _colour() -> alt.Color:
    return alt.Color("side:N", scale=palette.scale_of(SIDE_COLOURS), legend=None)


def _value(number: float) -> str:
    return with_minus(number, ".6g")


def _share(row: dict[str, object]) -> str:
    count, n = int(str(row["count"])), int(str(row["n"]))
    return f"{percent(count / n, n)} of {n:,}" if n else "no value"


def _sides_description(bins: pd.DataFrame, few: bool) -> str:
    told = []
    for side in SIDES:
        own = bins[(bins["side"] == side) & (bins["count"] > 0)]
        if own.empty:
            continue
        if few:
            parts = [f"{_value(row['low'])}: {_share(row)}" for row in own.to_dict("records")]
            told.append(f"{side}, {', '.join(parts)}")
        else:
            fullest = own.loc[own["share"].idxmax()]
            told.append(
                f"{side}, most from {_value(fullest['low'])} to {_value(fullest['high'])} "
                f"({_share(fullest.to_dict())})"
            )
    span = "" if few else f", from {_value(bins['low'].min())} to {_value(bins['high'].max())}"
    return (
        f"Shares of the replies of each side by the value of the column{span}. {'; '.join(told)}."
    )


def _agreement_lines(rows: pd.DataFrame) -> pd.DataFrame:
    """One line of the chart a row: the model's name, then its bars."""
    found: list[dict[str, object]] = []
    for model in list(dict.fromkeys(rows["model"]))[:_MOST_MODELS]:
        found.append({"kind": "model", "model": model, "name": model})
        for row in rows[rows["model"] == model].to_dict("records"):
            design = row["n"] / row["effective_n"]
            rate = Rate(
                row["agree"], row["n"], row["rate"], row["rate_low"], row["rate_high"], design
            )
            words = {
                "name": _WHERE[row["larger"]],
                "label": share_of(rate),
                "told": share_in_full(rate),
            }
            found.append({**row, "kind": "bar", **words})
    columns = ["kind", "model", "name", "larger", "rate", "rate_low", "rate_high", "n", "label"]
    columns += ["told"]
    lines = pd.DataFrame(found, columns=columns)
    return lines.assign(line=range(len(lines)))


_KINDS = {"chosen": "the longer reply was chosen", "rejected": "the shorter reply was chosen"}
"""What a bar counts, by the reply that is longer."""


def length_bars(summaries: Sequence[ModelSummary], *, dark: bool = False) -> palette.Drawing:
    """Two bars a model with their 95% intervals; a model that only sees length has bars far apart.

    At most the first 12 models are drawn. A click fills the selection "longer" with which reply was
    the longer one, and the model.
    """
    ink = palette.ink(dark)
    rows = _rows(summaries[:_MOST_MODELS])
    bars = rows[rows["kind"] == "bar"]
    if bars.empty:
        return "No pair is rated in which one reply is longer."
    selection = marks.selection("longer", ["longer", "model"])
    chart = _rate_bars(rows, "where", ("low", "high"), selection, {"opacity": 0.75}, {}, ink)
    words = "; ".join(f"{bar.model}, where {bar.where}: {bar.told}" for bar in bars.itertuples())
    return palette.framed(
        chart, "Is it just length?", f"Agreement by which reply was longer. {words}.", dark=dark
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
                        "label": share_of(rate),
                        "told": share_in_full(rate),
                    }
                )
    columns = ["kind", "model", "longer", "where", "name", "rate", "low", "high", "n", "label"]
    columns += ["told"]
    rows = pd.DataFrame(found, columns=columns)
    return rows.assign(line=range(len(rows)))


def _rate_bars(
    rows: pd.DataFrame,
    named: str,
    ends: tuple[str, str],
    selection: alt.Parameter,
    style: dict[str, float],
    fades: dict[str, object],
    ink: palette.Ink,
) -> alt.LayerChart:
    """The bars of each model with their intervals, names and rates; the fields `named` and `ends`
    hold what a bar is called and where its interval lies."""
    y = alt.Y("line:O", title=None, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    x = alt.X(
        "rate:Q",
        title="Agreement",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5, grid=False, labelFlush=True),
    )
    tips = [alt.Tooltip("model:N"), alt.Tooltip(f"{named}:N")]
    tips.append(alt.Tooltip("told:N", title="Agreement"))
    base = alt.Chart(rows[rows["kind"] == "bar"]).encode(y=y, tooltip=tips)
    bars = base.mark_bar(height=12, yOffset=9, color=palette.COUNT, cursor="pointer", **style)
    half = base.mark_tick(orient="vertical", size=20, thickness=1.5, yOffset=9, color=ink.faint)
    interval = base.mark_rule(strokeWidth=2, yOffset=9, y2Offset=9, color=ink.text)
    rates = base.mark_text(
        align="right", baseline="middle", yOffset=-8, fontSize=12, color=ink.text
    )
    low, high = ends
    return alt.layer(
        bars.encode(x=x, **fades).add_params(selection),
        half.encode(x=alt.datum(0.5)),
        interval.encode(x=f"{low}:Q", x2=f"{high}:Q"),
        *marks.group_names(rows, y, ink, 130),
        rates.encode(x=alt.value("width"), text="label:N"),
        height=_GROUP_STEP * len(rows),
    )
