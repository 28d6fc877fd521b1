"""Charts with one row a label: its name and its numbers in words above, its marks below them."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from ivan_core.charts import palette
from ivan_core.metrics.labels.answers import YES

STEP = 50
_TEXT_AT = -13
OFFSETS = (3, 14)
"""Where the two marks of a row lie, in pixels below its middle."""
HAS_ENDS = "isValid(datum.low)"
"""What filters the marks of intervals: shares that follow from a condition have none."""


def name_of(key: str, value: str, titles: Mapping[str, str]) -> str:
    """A label as a person reads it: its key's title, with the value where there are several."""
    title = titles.get(key, key)
    return title if value in ("", YES) else f"{title}: {value}"


def places(lines: pd.DataFrame) -> alt.Y:
    """Where the rows lie: from the first at the top to the last."""
    scale = alt.Scale(domain=list(range(len(lines))), paddingInner=0, paddingOuter=0)
    return alt.Y("line:O", axis=None, scale=scale)


def words(lines: pd.DataFrame, y: alt.Y, ink: palette.Ink, room: int) -> list[alt.Chart]:
    """Each row's name on the left, cut where its label on the right begins, `room` pixels wide."""
    tips = [alt.Tooltip("name:N", title="Label"), alt.Tooltip("label:N", title="In short")]
    base = alt.Chart(lines).encode(y=y, tooltip=tips)
    style = {"baseline": "middle", "yOffset": _TEXT_AT, "fontSize": 12, "cursor": "pointer"}
    names = base.mark_text(
        align="left", color=ink.text, limit={"expr": f"max(60, width - {room})"}, **style
    ).encode(text="name:N", x=alt.value(0))
    labels = base.mark_text(align="right", color=ink.text, **style).encode(
        text="label:N", x=alt.value("width")
    )
    return [names, labels]


def height(lines: pd.DataFrame) -> int:
    """The height of all rows in pixels."""
    return STEP * max(1, len(lines))
