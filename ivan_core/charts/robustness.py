"""What rewording moves: verdicts that flip and rewards that change, beside a change of surface.

Model names are text from the data: they never enter the specification itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.robustness.changes import REWORDED, SURFACE, MeanChange, Robustness
from ivan_core.metrics.robustness.sentences import FLIP_WORDS, signed, signed_ends
from ivan_core.metrics.sentences import as_if, as_if_n, interval, percent

SIDES = {"chosen": "chosen reply", "rejected": "rejected reply"}
VARIANT_COLOURS = {REWORDED: palette.MODEL_COLOURS[0], SURFACE: palette.MODEL_COLOURS[3]}
_VARIANT_WORDS = "{reworded: 'reworded', surface: 'punctuation alone'}[datum.label] || datum.label"
_SHAPES = {REWORDED: "circle", SURFACE: "diamond"}
_LABEL_ROOM = 200
_NOTHING_MOVED = "No pair is rated before and after rewording, so there is nothing to draw."


def flip_bars(
    found: Sequence[Robustness], *, of: str = "all pairs", dark: bool = False
) -> palette.Drawing:
    """Bars with 95% intervals of verdicts that flipped each way, two rows a model.

    `found` holds models in the variants reworded and surface, in any order; others are not drawn,
    and `of` names what the shares are of. A click fills the selection "flip" with model, direction
    and variant.
    """
    ink = palette.ink(dark)
    bars = _flip_table(found)
    if bars.empty:
        return _NOTHING_MOVED
    lines = _lines(bars, FLIP_WORDS)
    bars = bars.merge(lines[["model", "kind", "line", "name"]], on=["model", "kind"])
    bars = bars.assign(zero=0.0).rename(columns={"kind": "direction"})
    lines = lines.rename(columns={"kind": "direction"})
    fields = ["model", "direction", "variant"]
    selection = marks.selection("flip", fields)
    y = marks.places(lines)
    tips = [
        alt.Tooltip("name:N", title="Model and verdict"),
        alt.Tooltip("variant:N", title="Change"),
        alt.Tooltip("told:N", title=f"Of {of}"),
        alt.Tooltip("count:Q", title="Pairs", format=","),
        alt.Tooltip("n:Q", title="Of", format=","),
        alt.Tooltip("at_risk:N", title="Of those that could"),
    ]
    base = alt.Chart(bars).encode(y=y, tooltip=tips)
    top = min(1.0, 1.1 * float(bars[["share", "high"]].max().max()))
    scale = alt.Scale(domain=[0, max(top, 0.01)])
    axis = alt.Axis(format="~%", tickCount=5, gridOpacity=0.5, labelFlush=True)
    x = alt.X("zero:Q", title=f"Share of {of}", scale=scale, axis=axis)
    layers = marks.interval_bars(
        base, "variant", VARIANT_COLOURS, x, _colour("square"), selection, ink
    )
    layers += marks.words(lines, y, ink, _LABEL_ROOM)
    chart = alt.layer(*layers, height=marks.height(lines))
    return palette.framed(
        chart, "How often the verdict flips", _described(lines, "Verdicts that flip"), dark=dark
    )


def reward_change_dots(found: Sequence[Robustness], *, dark: bool = False) -> palette.Drawing:
    """Mean changes of the reward with 95% intervals in typical margins, two rows a model.

    `found` holds models in the variants reworded and surface, in any order. Models without a
    typical margin are not drawn. A click fills the selection "change" with model, side and variant.
    """
    ink = palette.ink(dark)
    dots = _change_table(found)
    if dots.empty:
        return _NOTHING_MOVED
    lines = _lines(dots, SIDES)
    dots = dots.merge(lines[["model", "kind", "line", "name"]], on=["model", "kind"])
    dots = dots.rename(columns={"kind": "side"})
    lines = lines.rename(columns={"kind": "side"})
    selection = marks.selection("change", ["model", "side", "variant"])
    y = marks.places(lines)
    tips = [
        alt.Tooltip("name:N", title="Model and side"),
        alt.Tooltip("variant:N", title="Change"),
        alt.Tooltip("told:N", title="Typical margins"),
        alt.Tooltip("n:Q", title="Pairs", format=","),
    ]
    base = alt.Chart(dots).encode(y=y, tooltip=tips, color=_colour())
    reach = float(dots[["mean", "low", "high"]].abs().max().max())
    reach = 1.1 * reach if reach > 0 else 1.0
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    signs = "datum.value == 0 ? 'none' : format(datum.value, '+.2~f')"
    axis = alt.Axis(labelExpr=signs, tickCount=5, gridOpacity=0.5, labelFlush=True)
    x = alt.X("low:Q", title="Mean change of the reward, typical margins", scale=scale, axis=axis)
    layers = marks.interval_dots(base, "variant", VARIANT_COLOURS, x, "mean:Q", _shape(), selection)
    layers += [marks.zero_line(x, ink), *marks.words(lines, y, ink, _LABEL_ROOM)]
    chart = alt.layer(*layers, height=marks.height(lines))
    return palette.framed(
        chart, "How far the rewards move", _described(lines, "Changes of the reward"), dark=dark
    )


def _flip_table(found: Sequence[Robustness]) -> pd.DataFrame:
    """One row a model, direction and variant: the share of flipped verdicts and its words."""
    rows = []
    for one in _drawn(found):
        if one.flips is None:
            continue
        told: list[tuple[str, Rate, Rate | None]] = [
            ("misaligned", one.flips.became_misaligned, one.flips.misaligned_at_risk),
            ("aligned", one.flips.became_aligned, one.flips.aligned_at_risk),
        ]
        for kind, rate, risk in told:
            rows.append(
                {
                    "model": one.model,
                    "variant": one.variant,
                    "kind": kind,
                    "share": rate.rate,
                    "low": rate.low,
                    "high": rate.high,
                    "count": rate.count,
                    "n": rate.n,
                    "told": percent(rate.rate, rate.n)
                    + ("" if isnan(rate.low) else f" {interval(rate)}{as_if(rate)}"),
                    "at_risk": f"{percent(risk.rate, risk.n)} of {risk.n:,}" if risk else "none",
                    "short": percent(rate.rate, rate.n),
                }
            )
    columns = ["model", "variant", "kind", "share", "low", "high", "count", "n", "told", "at_risk"]
    return pd.DataFrame(rows, columns=[*columns, "short"])


def _change_table(found: Sequence[Robustness]) -> pd.DataFrame:
    """One row a model, side and variant: the mean change in typical margins and its words."""
    rows = []
    for one in _drawn(found):
        sides: dict[str, MeanChange | None] = {"chosen": one.chosen, "rejected": one.rejected}
        for kind, change in sides.items():
            if change is None or not one.unit:
                continue
            shown = change.in_units(one.unit)
            ends = "" if isnan(shown.low) else f" {signed_ends(shown.low, shown.high)}"
            rows.append(
                {
                    "model": one.model,
                    "variant": one.variant,
                    "kind": kind,
                    "mean": shown.mean,
                    "low": shown.low,
                    "high": shown.high,
                    "n": shown.n,
                    "told": f"{signed(shown.mean)}{ends}{as_if_n(shown.n, shown.effective_n)}",
                    "short": signed(shown.mean),
                }
            )
    columns = ["model", "variant", "kind", "mean", "low", "high", "n", "told", "short"]
    return pd.DataFrame(rows, columns=columns)


def _drawn(found: Sequence[Robustness]) -> list[Robustness]:
    """The two variants that are drawn, rewording first."""
    known = [one for one in found if one.variant in VARIANT_COLOURS]
    return sorted(known, key=lambda one: list(VARIANT_COLOURS).index(one.variant))


def _lines(drawn: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    """One row a model and kind, with its name and its numbers in words."""
    rows: list[dict[str, object]] = []
    for model in dict.fromkeys(drawn["model"]):
        for kind, words in kinds.items():
            own = drawn[drawn["model"].eq(model) & drawn["kind"].eq(kind)]
            if own.empty:
                continue
            short = dict(zip(own["variant"], own["short"], strict=True))
            label = short.get(REWORDED, "–")
            if SURFACE in short:
                label += f", punctuation {short[SURFACE]}"
            row = {"model": model, "kind": kind, "variant": REWORDED}
            rows.append(row | {"name": f"{model}: {words}", "label": label, "line": len(rows)})
    return pd.DataFrame(rows, columns=["model", "kind", "variant", "name", "label", "line"])


def _colour(symbol: str | None = None) -> alt.Color:
    """With no symbol of its own the legend shows those of `_shape`."""
    legend = alt.Legend(title=None, orient="top", labelExpr=_VARIANT_WORDS)
    if symbol:
        legend.symbolType = symbol
    return alt.Color("variant:N", scale=palette.scale_of(VARIANT_COLOURS), legend=legend)


def _shape() -> alt.Shape:
    legend = alt.Legend(title=None, orient="top", labelExpr=_VARIANT_WORDS)
    return alt.Shape("variant:N", scale=palette.scale_of(_SHAPES), legend=legend)


def _described(lines: pd.DataFrame, what: str) -> str:
    told = [f"{name}: {label}" for name, label in zip(lines["name"], lines["label"], strict=True)]
    return f"{what} when texts are reworded. {'; '.join(told)}."


CELLS_HEIGHT = 320


def change_squares(cells: pd.DataFrame, *, dark: bool = False) -> palette.Drawing:
    """Pairs counted by similarity (across) and change of the margin (up), the fuller the darker.

    `cells` is the table of `metrics.robustness.changes.change_cells`. A click fills the selection
    "cell" with the cell's id.
    """
    if cells.empty:
        return _NOTHING_MOVED
    ink = palette.ink(dark)
    selection = marks.selection("cell", ["cell"])
    shown = cells.assign(
        alike=marks.spans(cells, "x0", "x1", ".3f"),
        moved=marks.spans(cells, "y0", "y1", ".3f"),
        flips=[percent(k / n, n) for k, n in zip(cells["flipped"], cells["count"], strict=True)],
    )
    low, high, top = (float(cells["x0"].min()), float(cells["x1"].max()), float(cells["y1"].max()))
    grid = alt.Axis(grid=False, tickCount=6)
    x = alt.X(
        "x0:Q",
        title="Similarity of the less similar side",
        scale=alt.Scale(domain=[low, max(high, 1.0)], nice=False, zero=False),
        axis=grid,
    )
    y = alt.Y(
        "y0:Q",
        title="Change of the margin, typical margins",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=grid,
    )
    base = alt.Chart(shown).encode(x=x, x2="x1:Q", y=y, y2="y1:Q")
    tips = [
        alt.Tooltip("count:Q", title="Pairs", format=","),
        alt.Tooltip("flips:N", title="Verdict flipped in"),
        alt.Tooltip("alike:N", title="Similarity"),
        alt.Tooltip("moved:N", title="Change of the margin"),
    ]
    layers = marks.count_squares(base, marks.most_in(cells), tips, selection, ink)
    chart = alt.layer(*layers, height=CELLS_HEIGHT)
    title = "Do larger rewordings move the margin more?"
    return palette.framed(chart, title, _cells_description(cells), dark=dark)


def _cells_description(cells: pd.DataFrame) -> str:
    n = int(cells["count"].sum())
    return (
        f"Cells counting {n:,} pairs by the similarity of the rewording (across) and the change of"
        f" the margin (up). The verdict flipped in {int(cells['flipped'].sum()):,}."
    )
