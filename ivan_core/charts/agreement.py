"""Agree, tie and disagree as bars, by model and subset."""

from __future__ import annotations

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.agreement import ALL_SUBSETS, VERDICTS
from ivan_core.metrics.label_noise import Ceiling
from ivan_core.metrics.sentences import as_if_n, interval_ends, percent

STEP = 46
MOST_SUBSETS = 12
MOST_BARS = 200
_BAR_HEIGHT = 15
_BAR_AT = 10
_TEXT_AT = -8
_NOTE_AT = -10
_WORDS = {"align": "right", "baseline": "middle", "fontSize": 12}
_MARKER_AT = _BAR_AT + _BAR_HEIGHT / 2 + 5


def agreement_bars(
    bars: pd.DataFrame,
    *,
    ceiling: Ceiling | None = None,
    every: str = "All pairs",
    dark: bool = False,
) -> palette.Drawing:
    """Bars of agree, tie and disagree that fill 100%, one panel a model and one row a subset.

    `bars` is the table of `metrics.agreement.by_subset`. Each bar carries its rate and 95% interval
    in words, the interval as a line, the 50% mark, and a triangle where the better length rule
    would be. A `ceiling` is an upright line on the bars of all pairs, with its assumption written
    below the first of them. A click fills the selection "bar" with model, subset and verdict. Lines
    that lie on a bar take none, so that the part below them does; a click on the number counts as
    one on what it tells, the agree part. At most 12 subsets are drawn, the largest. `every` is what
    the bar of all pairs is called; without low and high there are no intervals.
    """
    if not (bars["n"] > 0).any():
        return palette.NOTHING_RATED
    shown, left_out = _largest(bars)
    rows = _rows(shown, ceiling, every)
    ink = palette.ink(dark)
    parts = _parts(shown, rows)
    lines = rows[rows["kind"] == "bar"]
    selection = marks.selection("bar", ["subset", "model", "verdict"])
    y = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    layers = [
        _bars(parts, y)
        .add_params(selection)
        .encode(opacity=alt.condition(selection, alt.value(1), alt.value(0.35))),
        _half(lines, y),
        _interval(lines, y),
        _length_rule(lines, y, ink),
        alt.layer(*marks.group_names(rows, y, ink, 170)),
        _rates(lines, y, ink),
    ]
    if ceiling is not None:
        layers += _ceiling(rows, ceiling, y, ink)
    chart = (
        alt.layer(*layers)
        .resolve_scale(shape="independent")
        .properties(height=STEP * max(1, len(rows)))
    )
    subtitle = (
        f"The {MOST_SUBSETS} largest subsets; {left_out} more are in “all pairs”."
        if left_out
        else ""
    )
    described = _description(lines)
    if ceiling is not None:
        described += f" A line on the bars of all pairs: {ceiling.label}."
    title = "How often each model sides with the choice"
    return palette.framed(chart, title, described, subtitle, dark=dark)


def _largest(bars: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The bars of the largest subsets, in their order, and how many subsets are left out."""
    models = max(1, bars["model"].nunique())
    most = max(0, min(MOST_SUBSETS, MOST_BARS // models - 1))
    sizes = bars[bars["subset"] != ALL_SUBSETS].groupby("subset")["n"].sum()
    kept = {ALL_SUBSETS, *sizes.sort_values(ascending=False, kind="stable").index[:most]}
    return bars[bars["subset"].isin(list(kept))], max(0, len(sizes) - most)


def _rows(
    bars: pd.DataFrame, ceiling: Ceiling | None = None, every: str = "All pairs"
) -> pd.DataFrame:
    """One line of the chart a row: the model's name, then each of its subsets.

    The words of a ceiling have a line of their own below the first bar.
    """
    found: list[dict[str, object]] = []
    for model, own in bars.groupby("model", sort=False):
        head = {"kind": "model", "model": model, "subset": ALL_SUBSETS, "name": model, "label": ""}
        found.append(head)
        for bar in own.drop_duplicates("subset").to_dict("records"):
            name = every if bar["subset"] == ALL_SUBSETS else bar["subset"]
            words = {"name": name, "label": _label(bar), "told": _label(bar, as_if=True)}
            found.append(bar | {"kind": "bar"} | words)
            if ceiling is not None and len(found) == 2:
                found.append(head | {"kind": "ceiling", "name": "", "label": ceiling.label})
    columns = ["kind", "model", "subset", "name", "label", "told", "n", "rate", "low", "high"]
    columns += ["rule"]
    rows = pd.DataFrame(found, columns=[*columns, "rule_rate"])
    return rows.assign(row=range(len(rows)))


def _label(bar: dict[str, object], as_if: bool = False) -> str:
    """The agreement of a bar; with `as_if` also as of how many pairs its interval is."""
    n = int(str(bar["n"]))
    if n == 0:
        return "nothing rated"
    if pd.isna(bar["low"]):
        return f"{percent(float(str(bar['rate'])), n)} of {n:,}"
    rate, low, high = (float(str(bar[name])) for name in ("rate", "low", "high"))
    wide = as_if_n(n, int(str(bar["effective_n"]))) if as_if else ""
    return f"{percent(rate, n)} {interval_ends(low, high, n)} of {n:,}{wide}"


def _parts(bars: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The parts of each bar with the shares between which they are drawn."""
    places = rows[rows["kind"] == "bar"][["model", "subset", "row", "told"]]
    parts = bars[bars["count"] > 0].merge(places, on=["model", "subset"])
    parts["order"] = parts["verdict"].map({name: i for i, name in enumerate(VERDICTS)})
    parts = parts.sort_values(["row", "order"], ignore_index=True)
    parts["share"] = parts["share"].astype(float)
    parts["end"] = parts.groupby("row")["share"].cumsum()
    parts["start"] = parts["end"] - parts["share"]
    names = ["model", "subset", "verdict", "count", "n", "share", "start", "end", "row"]
    return parts[[*names, "told"]]


def _bars(parts: pd.DataFrame, y: alt.Y) -> alt.Chart:
    axis = alt.Axis(
        title=None,
        values=[0, 0.25, 0.5, 0.75, 1],
        grid=False,
        labelExpr="datum.value == 0.5 ? '50%, a coin toss' : format(datum.value, '.0%')",
        labelFlush=True,
    )
    return (
        alt.Chart(parts)
        .mark_bar(height=_BAR_HEIGHT, yOffset=_BAR_AT, cursor="pointer", x2Offset=-1)
        .encode(
            x=alt.X("start:Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
            x2=alt.X2("end:Q"),
            y=y,
            color=palette.verdict_colour(),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("subset:N", title="Subset"),
                alt.Tooltip("verdict:N", title="Verdict"),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
                alt.Tooltip("count:Q", title="Pairs", format=","),
                alt.Tooltip("n:Q", title="Of rated pairs", format=","),
                alt.Tooltip("told:N", title="Agreement"),
            ],
        )
    )


def _half(lines: pd.DataFrame, y: alt.Y) -> alt.Chart:
    return (
        alt.Chart(lines[lines["n"] > 0])
        .mark_tick(
            orient="vertical",
            size=_BAR_HEIGHT,
            thickness=1.5,
            yOffset=_BAR_AT,
            color="white",
            tooltip=None,
        )
        .encode(x=alt.XDatum(0.5), y=y)
    )


def _interval(lines: pd.DataFrame, y: alt.Y) -> alt.Chart:
    style = {"yOffset": _BAR_AT, "y2Offset": _BAR_AT, "strokeWidth": 2, "tooltip": None}
    known = lines[lines["low"].notna()]
    return (
        alt.Chart(known)
        .mark_rule(color=palette.ON_BAR, **style)
        .encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"), y=y)
    )


def _length_rule(lines: pd.DataFrame, y: alt.Y, ink: palette.Ink) -> alt.Chart:
    shapes = {"longer": "triangle-up", "shorter": "diamond"}
    words = "{longer: 'always the longer reply', shorter: 'always the shorter reply'}[datum.label]"
    present = [rule for rule in shapes if lines["rule"].isin([rule]).any()]
    legend = alt.Legend(
        title=None,
        orient="bottom",
        direction="vertical",
        labelExpr=words,
        symbolStrokeColor=ink.text,
        symbolFillColor=ink.text,
    )
    return (
        alt.Chart(lines[lines["n"] > 0])
        .mark_point(filled=True, yOffset=_MARKER_AT, size=45, color=ink.text, opacity=1)
        .encode(
            x=alt.X("rule_rate:Q"),
            y=y,
            shape=alt.Shape(
                "rule:N",
                scale=alt.Scale(domain=present, range=[shapes[rule] for rule in present]),
                legend=legend,
            ),
            tooltip=[
                alt.Tooltip("rule:N", title="Always picking the reply that is"),
                alt.Tooltip("rule_rate:Q", title="would reach", format=".1%"),
            ],
        )
    )


def _ceiling(rows: pd.DataFrame, ceiling: Ceiling, y: alt.Y, ink: palette.Ink) -> list[alt.Chart]:
    """The label-noise ceiling across the bars of all pairs, and its assumption in words."""
    style = {"size": _BAR_HEIGHT + 6, "thickness": 3, "yOffset": _BAR_AT}
    own = rows[(rows["subset"] == ALL_SUBSETS) & (rows["kind"] == "bar") & (rows["n"] > 0)]
    tip = alt.Tooltip("words:N", title="Label noise")
    x = alt.X("best:Q")
    line = (
        alt.Chart(own.assign(best=ceiling.rate))
        .mark_tick(orient="vertical", color=ink.text, tooltip=None, **style)
        .encode(x=x, y=y)
    )
    note = rows[rows["kind"] == "ceiling"]
    words = (
        alt.Chart(note.assign(best=ceiling.rate, words=ceiling.label))
        .mark_text(
            yOffset=_NOTE_AT,
            color=ink.text,
            limit={"expr": f"width * {ceiling.rate:.4f}"},
            **_WORDS,
        )
        .encode(x=x, y=y, text="words:N", tooltip=[tip])
    )
    return [line, words]


def _rates(lines: pd.DataFrame, y: alt.Y, ink: palette.Ink) -> alt.Chart:
    return (
        alt.Chart(lines.assign(verdict="agree"))
        .mark_text(yOffset=_TEXT_AT, color=ink.text, cursor="pointer", **_WORDS)
        .encode(
            text=alt.Text("label:N"), x=alt.XValue("width"), y=y, tooltip=alt.TooltipValue(None)
        )
    )


def _description(lines: pd.DataFrame) -> str:
    told = [
        f"{line.model}, {line.name_}: {line.label}"
        for line in lines.rename(columns={"name": "name_"}).head(40).itertuples()
    ]
    bare = bool(lines.loc[lines["n"] > 0, "low"].isna().any())
    what = "Agreement" if bare else "Agreement with its 95% interval"
    return f"Bars of agree, tie and disagree. {what}: {'; '.join(told)}."
