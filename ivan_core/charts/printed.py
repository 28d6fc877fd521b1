"""Charts for paper: the same chart at a fixed width in millimetres, light, in one font.

A unit of the drawing is 1/108 inch, so that text of 11 to 13 units is 7 to 9 points in print and a
column of 85 mm has room for the words of a page 360 pixels wide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import altair as alt

from ivan_core.charts.palette import Drawing

UNITS_PER_INCH = 108
MM_PER_INCH = 25.4
# The first ships with vl-convert; the others have the same widths or stand in where it is missing.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_TEXT, _GREY, _GRID = "#31333F", "#5B6068", "#DADDE2"
_TITLE, _SMALL = 13, 11
# What XML cannot hold: control characters, halves of surrogate pairs, the two non-characters.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONFIG: dict[str, dict[str, Any]] = {
    "title": {
        "fontSize": _TITLE,
        "subtitleFontSize": _SMALL,
        "color": _TEXT,
        "subtitleColor": _GREY,
        "anchor": "start",
        "frame": "bounds",
    },
    "axis": {
        "labelFontSize": _SMALL,
        "titleFontSize": _SMALL,
        "titleFontWeight": "normal",
        "labelColor": _TEXT,
        "titleColor": _TEXT,
        "gridColor": _GRID,
    },
    "legend": {
        "labelFontSize": _SMALL,
        "titleFontSize": _SMALL,
        "titleFontWeight": "normal",
        "labelColor": _TEXT,
        "titleColor": _TEXT,
    },
}


def units(width_mm: float) -> float:
    """A width in millimetres in units of the drawing."""
    return width_mm / MM_PER_INCH * UNITS_PER_INCH


def printed(
    drawing: Drawing, width_mm: float, models: Sequence[str] = (), notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The Vega-Lite spec of a chart for print, its title wrapped to fit.

    Below the title stand the models, the chart's own subtitle and the notes. Characters that no
    XML can hold are replaced by U+FFFD. The chart is made for a light page (`dark=False`) and as
    wide as its container, or it keeps the width it has. A sentence that stands in place of a chart
    is the whole picture.
    """
    width = units(width_mm)
    chart = _sentence_alone(drawing) if isinstance(drawing, str) else drawing
    spec: dict[str, Any] = _clean(chart.to_dict())
    _set_width(spec, width)
    spec["background"] = "white"
    spec["padding"] = 2
    about, more = ([_clean(line) for line in lines] for lines in (models, notes))
    spec["title"] = _title(spec.get("title", ""), about, more, width)
    config = spec.setdefault("config", {})
    config["font"] = FONT
    for part, values in _CONFIG.items():
        config[part] = {**config.get(part, {}), **values}
    config["legend"]["labelLimit"] = width - 30
    return spec


def _sentence_alone(sentence: str) -> alt.LayerChart:
    """A picture of a sentence as its title, and nothing below it."""
    unseen = alt.Chart(alt.InlineData([{}])).mark_point(opacity=0)
    fitted = alt.AutoSizeParams(type="fit-x", contains="padding")
    picture: alt.LayerChart = alt.layer(unseen).properties(
        title=sentence, description=sentence, width="container", height=1, autosize=fitted
    )
    return picture.configure_view(strokeWidth=0)


def _title(title: Any, models: list[str], notes: list[str], width: float) -> dict[str, Any]:
    heading = dict(title) if isinstance(title, dict) else {"text": title}
    own = heading.get("subtitle") or []
    lines = [*models, *([own] if isinstance(own, str) else own), *notes]
    text = heading["text"]
    heading["text"] = _wrapped(text if isinstance(text, str) else " ".join(text), width, _TITLE)
    heading["subtitle"] = [part for line in lines for part in _wrapped(line, width, _SMALL)]
    heading["limit"] = width
    return heading


def _wrapped(text: str, width: float, size: float) -> list[str]:
    """Lines that fit: a letter is about half as wide as it is high, a bold one a little wider."""
    letter = size * (0.56 if size == _TITLE else 0.51)
    return wrap(text, max(10, int(width / letter)))


def _set_width(spec: dict[str, Any], width: float) -> None:
    """Give every view that fills its container the width of the paper."""
    if spec.get("width") == "container":
        spec["width"] = width
    for parts in ("layer", "vconcat", "concat"):
        for part in spec.get(parts, []):
            _set_width(part, width)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _NOT_IN_XML.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_clean(name): _clean(part) for name, part in value.items()}
    return [_clean(part) for part in value] if isinstance(value, list) else value
