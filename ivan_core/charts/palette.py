"""Colours, words, tooltips and settings that all charts share.

Charts have no background of their own and take fonts, axis and title colours from the page's theme.
Only text and lines drawn as marks need a colour here: `dark` says which page they stand on, and
None gives tones that can be read on both. An interval is told as sentences tell it, so that
rounding cannot turn its verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import pandas as pd

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
# Lines drawn on top of agree and disagree bars, on any page.
ON_BAR = "#11141A"

# The legend words, as a Vega expression without any text that came from a table.
VERDICT_WORDS = (
    "{agree: 'agree', tie: 'tie (equal rewards)', disagree: 'disagree'}[datum.label] || datum.label"
)


@dataclass(frozen=True, slots=True)
class Ink:
    """Tones of text and lines that are drawn as marks."""

    text: str
    faint: str
    agree: str
    disagree: str


_INKS = {
    None: Ink(text="#7A7F88", faint="#8D929B", agree="#008F68", disagree="#D55E00"),
    False: Ink(text="#31333F", faint="#6C717B", agree="#00734F", disagree="#B04A00"),
    True: Ink(text="#FAFAFA", faint="#A3A8B4", agree="#3CC79C", disagree="#FF8B4A"),
}


def ink(dark: bool | None = None) -> Ink:
    """The tones for a dark page, a light page, or (None) for either."""
    return _INKS[dark]


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
    subtitle: str = "",
    dark: bool | None = None,
) -> alt.LayerChart:
    """The chart as wide as its container, with its title, alt text and the common settings."""
    heading = alt.Title(title)
    if subtitle:  # the page's theme colours titles, but not what stands below them
        heading = alt.Title(title, subtitle=subtitle, subtitleColor=ink(dark).text)
    return (
        chart.properties(
            title=heading,
            description=description,
            width="container",
            # Fitting the height too would squeeze the rows to make room for legends.
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        )
        .configure_view(strokeWidth=0)
        .configure_title(anchor="start", fontSize=15, offset=12, subtitlePadding=4)
        .configure_axis(
            ticks=False, domain=False, labelPadding=6, labelSeparation=6, titlePadding=10
        )
        .configure_legend(labelLimit=360, symbolStrokeWidth=2, offset=10, columnPadding=14)
    )


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
