"""Flipped verdicts and moved rewards so far, drawn while a rewording goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import palette
from ivan_core.charts.live import model_lines, numbers_first
from ivan_core.metrics.agreement import BY_PAIR
from ivan_core.metrics.intervals import wilson
from ivan_core.metrics.sentences import percent

HEIGHT = 190
_STEP = 0.1
Points = Mapping[str, Sequence[Sequence[float | None]]]
"""By model: pairs so far, verdicts flipped among them, mean size of a change of reward."""


def running_flips(points: Points) -> pd.DataFrame:
    """Flips after each chunk: model, n, rate, low, high (Wilson, looked at once), size."""
    found = []
    for model, own in points.items():
        for pairs, flips, size in own:
            rate = wilson(int(flips or 0), int(pairs or 0))
            if rate is not None:
                found.append((model, rate.n, rate.rate, rate.low, rate.high, size))
    return pd.DataFrame(found, columns=["model", "n", "rate", "low", "high", "size"])


def flips_so_far(found: pd.DataFrame, planned: int, *, dark: bool | None = None) -> alt.LayerChart:
    """A line and a light band a model: how often its verdict flipped in the pairs so far."""
    highest = float(found["high"].max()) if len(found) else 0.0
    top = min(1.0, max(2 * _STEP, _STEP * -(-highest // _STEP)))

    def share(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q", title="Verdicts flipped", axis=alt.Axis(format=".0%", tickCount=4),
            scale=alt.Scale(domain=[0, top], nice=False),
        )  # fmt: skip

    models = list(found["model"].drop_duplicates())
    base = alt.Chart(found.assign(label=found["model"].map(numbers_first(found)))).encode(
        x=_x(planned)
    )
    fill = alt.Fill(
        "model:N", sort=None, legend=None, scale=alt.Scale(range=palette.model_colours(len(models)))
    )
    band = base.mark_area(opacity=0.16, clip=True).encode(
        y=share("low"), y2="high:Q", fill=fill, detail="model:N"
    )
    colour, dash = model_lines(len(models))
    line = base.mark_line(strokeWidth=2.2).encode(y=share("rate"), color=colour, strokeDash=dash)
    chart = alt.layer(band, line).properties(height=HEIGHT)
    return palette.framed(
        chart, "How often the verdict flips, so far", _described(found, planned), BY_PAIR, dark
    )


def changes_so_far(
    found: pd.DataFrame, planned: int, *, dark: bool | None = None
) -> alt.LayerChart:
    """A line a model: how far rewording moves a reward on average, in the model's own units."""
    known = found[found["size"].notna()]
    models = list(known["model"].drop_duplicates())
    shown = known.assign(label=known["model"].map(_sizes(known)))
    colour, dash = model_lines(len(models))
    line = (
        alt.Chart(shown)
        .mark_line(strokeWidth=2.2)
        .encode(
            x=_x(planned),
            y=alt.Y("size:Q", title="Mean change, own units", axis=alt.Axis(tickCount=4)),
            color=colour,
            strokeDash=dash,
        )
    )
    told = "; ".join(_sizes(known).values())
    described = f"Mean size of a change of reward so far: {told or 'nothing is known yet'}."
    chart = alt.layer(line).properties(height=HEIGHT)
    return palette.framed(chart, "How far rewards move, so far", described, dark=dark)


def _x(planned: int) -> alt.X:
    scale = alt.Scale(domain=[0, max(1, planned)], nice=False)
    axis = alt.Axis(grid=False, tickCount=5, format=",d")
    return alt.X("n:Q", title="Pairs reworded and scored", scale=scale, axis=axis)


def _last(found: pd.DataFrame) -> pd.DataFrame:
    return found.groupby("model", sort=False).tail(1)


def _sizes(found: pd.DataFrame) -> dict[str, str]:
    last = _last(found)
    return {
        model: f"{size:.3g} {model}"
        for model, size in zip(last["model"], last["size"], strict=True)
    }


def _described(found: pd.DataFrame, planned: int) -> str:
    if found.empty:
        return f"Flipped verdicts so far; none of {planned:,} pairs is scored yet."
    told = "; ".join(
        f"{p.model} {percent(p.rate, p.n)} of {p.n:,}" for p in _last(found).itertuples()
    )
    return f"Flipped verdicts so far of {planned:,} planned pairs: {told}."
