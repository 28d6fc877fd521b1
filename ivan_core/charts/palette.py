"""Colours, words, tooltips and settings that all charts share.

Charts have no background of their own and take fonts from the page's theme. All words in them have
a colour of ours: those that the theme gives to axes and legends are too faint on a light page.
`dark` says which page a chart stands on. An interval is told as sentences tell it, so that rounding
cannot turn its verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import pandas as pd
from altair.utils.schemapi import disable_debug_mode

from ivan_core.metrics.sentences import as_if_n, interval_ends

# Bluish green and vermilion of Okabe and Ito (2008), "Color Universal Design": told apart with any
# kind of colour vision, and at least 3:1 against both white and near-black. Nothing else is drawn
# in green or red.
AGREE = "#009E73"
TIE = "#8A9099"
DISAGREE = "#D55E00"
VERDICT_COLOURS = {"agree": AGREE, "tie": TIE, "disagree": DISAGREE}

# No green and no red; a dash pattern goes with each, so that colour is never the only sign.
MODEL_COLOURS = ("#3A7BD5", "#C08A00", "#A45BC2", "#6B7785", "#C2578B")
MODEL_DASHES = ((1, 0), (7, 3), (2, 2), (9, 2, 2, 2), (4, 4))

COUNT = "#3A7BD5"
# How opaque a cell is that has words on it, at the most.
DARKEST_CELL = 0.5
# Lines drawn on top of agree and disagree bars, on any page.
ON_BAR = "#11141A"

# A chart is checked as a whole when it becomes a specification, and not at each step before.
disable_debug_mode()
Drawing = alt.LayerChart | str
"""A chart or, where there is nothing to draw, the sentence that stands in its place."""
NOTHING_RATED = "No pair is rated, so there is nothing to draw."

# The legend words, as a Vega expression without any text that came from a table.
VERDICT_WORDS = (
    "{agree: 'agree', tie: 'tie (equal rewards)', disagree: 'disagree'}[datum.label] || datum.label"
)


@dataclass(frozen=True, slots=True)
class Ink:
    """Tones of words and lines on one page: each word at 4.5:1 or better on `page` (WCAG 2.2).

    `axis` is for axes and legends, `page` what lies behind the chart.
    """

    text: str
    axis: str
    faint: str
    agree: str
    disagree: str
    page: str


_LIGHT = Ink(
    text="#31333F",
    axis="#4A4F5A",
    faint="#5F646E",
    agree="#00734F",
    disagree="#A84600",
    page="#fcfbf8",
)
_DARK = Ink(
    text="#FAFAFA",
    axis="#C9CCD4",
    faint="#A3A8B4",
    agree="#3CC79C",
    disagree="#FF8B4A",
    page="#14161b",
)


def ink(dark: bool) -> Ink:
    """The tones for a dark page or a light one."""
    return _DARK if dark else _LIGHT


def scale_of(values: Mapping[str, str]) -> alt.Scale:
    """The scale that gives each name its colour or shape."""
    return alt.Scale(domain=list(values), range=list(values.values()))


def verdict_colour() -> alt.Color:
    """The colour of a verdict, with its words above the chart."""
    return alt.Color(
        "verdict:N",
        scale=scale_of(VERDICT_COLOURS),
        legend=alt.Legend(title=None, orient="top", labelExpr=VERDICT_WORDS),
    )


def model_colours(n: int) -> list[str]:
    """Colours for n models, in the order in which the models are shown."""
    return [MODEL_COLOURS[i % len(MODEL_COLOURS)] for i in range(n)]


def model_dashes(n: int) -> list[list[int]]:
    """Dash patterns for n models, one for each colour."""
    return [list(MODEL_DASHES[i % len(MODEL_DASHES)]) for i in range(n)]


def framed(
    chart: alt.LayerChart,
    title: str,
    description: str,
    subtitle: str | list[str] = "",
    *,
    dark: bool,
) -> alt.LayerChart:
    """The chart as wide as its container, with its title, alt text and the common settings.

    A `subtitle` of several lines is a list of these: what is wider than the chart is cut.
    """
    tones = ink(dark)
    words = {"labelColor": tones.axis, "titleColor": tones.axis}
    # Each `properties` and `configure` copies all of a chart: that took a third of making one.
    found = chart.copy(deep=False)
    found.title = alt.Title(title, subtitle=subtitle) if subtitle else alt.Title(title)
    found.description = description
    found.width = "container"
    # Fitting the height too would squeeze the rows to make room for legends.
    found.autosize = alt.AutoSizeParams(type="fit-x", contains="padding")
    found.config = alt.Config(
        view=alt.ViewConfig(strokeWidth=0),
        title=alt.TitleConfig(
            anchor="start",
            fontSize=15,
            offset=12,
            subtitlePadding=4,
            color=tones.text,
            subtitleColor=tones.text,
        ),
        axis=alt.AxisConfig(
            ticks=False, domain=False, labelPadding=6, labelSeparation=6, titlePadding=10, **words
        ),
        legend=alt.LegendConfig(
            labelLimit=360, symbolStrokeWidth=2, offset=10, columnPadding=14, **words
        ),
    )
    return found


TIP = alt.Tooltip("ends:N", title="95% interval, in percent")


def with_ends(points: pd.DataFrame) -> pd.DataFrame:
    """The points with their interval in words, column `ends`; empty where nothing was rated.

    Columns used: low and high (shares), n (what they are shares of), and, where it is there,
    effective_n, which is told where repeated prompts made the interval wider.
    """
    alone = points["effective_n"] if "effective_n" in points.columns else points["n"]
    ends = [
        ""
        if pd.isna(low)
        else interval_ends(float(low), float(high), int(n)) + as_if_n(int(n), int(wide))
        for low, high, n, wide in zip(
            points["low"], points["high"], points["n"], alone, strict=True
        )
    ]
    return points.assign(ends=ends)
