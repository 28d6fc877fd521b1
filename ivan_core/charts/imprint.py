"""Effects of features on a model's margins or verdicts: one row a feature, one mark a series, with
95% intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from ivan_core.charts import marks, palette
from ivan_core.charts.order import by_effect, differing
from ivan_core.metrics.imprint.effects import AS_PEOPLE, CLEAR, CLEAR_FOR_ONE
from ivan_core.metrics.intervals import interval_text, number_text

_NOTHING = "No feature differs in enough pairs, so there is nothing to draw."
_SIGNS = "dot: clear, ring: clear for this labeler, stroke: not"
_SIGNS_ALONE = "each feature alone, hollow; ring: clear, stroke: not"
_ROOM = 150
_NAME = 30
"""Pixels of a row for its name; each series takes so many more below it."""
_MARK = 13
_ABREAST, _NARROW = 2, 420
"""So many names stand side by side on a phone, and how narrow that is, in pixels."""


def imprint_dots(
    effects: pd.DataFrame,
    titles: Mapping[str, str],
    title: str = "What does it reward?",
    *,
    dark: bool = False,
    subtitle: str = _SIGNS,
) -> palette.Drawing:
    """What models reward, clear effects first and the largest of these, in typical margins.

    `effects` has model, feature, estimate, low, high, clear, differs and n; features without an
    estimate are left out. A dot is filled where the effect is clear, hollow where it is for this
    labeler alone, else a stroke; a diamond is the effect as people label. Where `view` says that
    each feature stands alone, none is filled. A press fills the selection "effect" with feature and
    series.
    """
    if "view" in effects and effects["view"].eq("alone").any():
        rings = effects["clear"].replace({CLEAR: CLEAR_FOR_ONE})
        effects, subtitle = effects.assign(mark=rings), _SIGNS_ALONE
    as_people = effects["model"].map(_as_people)
    series = effects["model"].where(effects["clear"] != AS_PEOPLE, as_people)
    shown = effects.assign(series=series, decimals=2)
    across = "Typical margins more for the reply that has it"
    return _effect_dots(shown, titles, title, across, dark, subtitle)


def labeler_dots(
    effects: pd.DataFrame, titles: Mapping[str, str], title: str, *, dark: bool = False
) -> palette.Drawing:
    """The same of one model by several labelers: `series` says who labelled."""
    across = "Typical margins more for the reply that has it"
    return _effect_dots(effects.assign(decimals=2), titles, title, across, dark)


def choice_dots(
    rows: pd.DataFrame, titles: Mapping[str, str], *, dark: bool = False
) -> palette.Drawing:
    """What the choice rewards, what a model prefers and their gap, in log odds: `series` says
    which, as `imprint_dots`."""
    title, across = "What does the choice reward, beside?", "Log odds of the reply that has it"
    subtitle = "ring: a gap that is clear for this labeler"
    return _effect_dots(rows.assign(decimals=2), titles, title, across, dark, subtitle)


def published_dots(
    rows: pd.DataFrame, titles: Mapping[str, str], *, dark: bool = False
) -> palette.Drawing:
    """Coefficients by a published rule, in reward points, beside a paper's: `series` says whose.

    `rows` are as in `imprint_dots`, their ends two standard errors away.
    """
    title, across = "As published", "Reward points more for a text that has it"
    subtitle = "bars: ± 2 standard errors; right: pairs that differ"
    return _effect_dots(rows.assign(decimals=2), titles, title, across, dark, subtitle)


def points_dots(
    whys: pd.DataFrame, titles: Mapping[str, str], *, dark: bool = False
) -> palette.Drawing:
    """How features of either reply go with going against the choice, in percentage points.

    `whys` has side, feature, estimate, low, high, clear, differs and n, as `imprint_dots`.
    """
    shown = whys.assign(series=whys["side"], decimals=1)
    title, across = "What goes with going against the choice?", "Percentage points more often"
    return _effect_dots(shown, titles, title, across, dark)


def rewording_dots(
    moved: pd.DataFrame, titles: Mapping[str, str], *, dark: bool = False
) -> palette.Drawing:
    """How a reward moves where a rewording moves a label, beside the imprint of that label.

    `moved` has series, feature, estimate, low, high, clear, differs and n, as `imprint_dots`.
    """
    title, across = "Does rewording move it as the imprint says?", "Typical margins"
    subtitle = "strokes: estimates, none tested; right: texts that changed"
    return _effect_dots(moved.assign(decimals=2), titles, title, across, dark, subtitle)


def _effect_dots(
    effects: pd.DataFrame,
    titles: Mapping[str, str],
    title: str,
    across: str,
    dark: bool,
    subtitle: str = _SIGNS,
) -> palette.Drawing:
    known = effects[effects["estimate"].notna()]
    if known.empty:
        return _NOTHING
    ink = palette.ink(dark)
    known = known if "mark" in known else known.assign(mark=known["clear"])
    own = list(dict.fromkeys(known["series"][known["clear"] != AS_PEOPLE]))
    there = set(known["series"])
    series = [one for name in own for one in (name, _as_people(name)) if one in there]
    lines = _lines(known, titles)
    dots = known.merge(lines[["feature", "line", "name"]], on="feature")
    dots["told"] = [_told(row) for row in dots.to_dict("records")]
    step = _NAME + _MARK * len(series)
    reach = 1.05 * float(dots[["low", "high", "estimate"]].abs().max().max()) or 1.0
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    x = alt.X("low:Q", title=across, scale=scale, axis=alt.Axis(tickCount=5, gridOpacity=0.5))
    y = marks.places(lines)
    layers = [
        marks.zero_line(x, ink),
        *_marks(dots, series, x, y, step, ink),
        *_names(lines, y, ink, step),
    ]
    chart = alt.layer(*layers, height=step * len(lines))
    below = [subtitle, f"diamond: {AS_PEOPLE}"] if len(series) > len(own) else subtitle
    described = f"{title} {across}. {_description(dots)}"
    return palette.framed(chart, title, described, below, dark=dark)


def _as_people(series: str) -> str:
    return f"{series}, {AS_PEOPLE}"


def _lines(known: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a feature."""
    effects = known.to_dict("records")
    order = by_effect(effects)
    return pd.DataFrame(
        {
            "feature": order,
            "line": range(len(order)),
            "name": [titles.get(one, one) for one in order],
            "label": [differing(effects, one) for one in order],
        }
    )


def _marks(
    dots: pd.DataFrame, series: Sequence[str], x: alt.X, y: alt.Y, step: int, ink: palette.Ink
) -> list[alt.Chart]:
    selection = marks.selection("effect", ["feature", "series"])
    opacity = alt.condition(selection, alt.value(1), alt.value(0.35))
    models = [name for name in series if not name.endswith(AS_PEOPLE)]
    by_name = dict(zip(models, palette.model_colours(len(models)), strict=True))
    by_name |= {_as_people(name): colour for name, colour in by_name.items()}
    colours = alt.Scale(domain=list(series), range=[by_name[name] for name in series])
    legend = alt.Legend(title=None, orient="top", symbolType="circle")
    if len(models) > _ABREAST:
        legend.columns = {"expr": f"width < {_NARROW} ? 1 : {len(models)}"}
    if len(models) < len(series):
        legend.values = models
    colour = alt.Color(
        "series:N", sort=None, scale=colours, legend=legend if len(models) > 1 else None
    )
    tips = [
        alt.Tooltip("name:N", title="Feature"),
        alt.Tooltip("series:N", title="Of"),
        alt.Tooltip("told:N", title="Effect"),
        alt.Tooltip("clear:N", title="How sure"),
        alt.Tooltip("differs:Q", title="Differ", format=","),
        alt.Tooltip("n:Q", title="Of", format=","),
    ]
    layers: list[alt.Chart] = []
    for place, name in enumerate(series):
        offset = _NAME + _MARK * (place + 0.5) - step / 2
        at = {"yOffset": offset, "cursor": "pointer"}
        own = alt.Chart(dots[dots["series"] == name]).encode(
            y=y, color=colour, tooltip=tips, opacity=opacity
        )
        dot = alt.X("estimate:Q", title=x["title"], scale=x["scale"])
        ends = own.mark_rule(strokeWidth=2, y2Offset=offset, **at)
        # Lines are thin: what is pressed is as high as a finger needs, and not drawn.
        room = own.mark_rule(strokeWidth=_MARK - 1, y2Offset=offset, **at)
        layers += [
            room.encode(x=x, x2="high:Q", opacity=alt.value(0)),
            ends.transform_filter(marks.HAS_ENDS).encode(x=x, x2="high:Q"),
        ]
        if name.endswith(AS_PEOPLE):
            diamond = own.mark_point(shape="diamond", filled=True, size=110, **at)
            layers.append(diamond.encode(x=dot))
            continue
        layers += [
            own.mark_point(shape="stroke", angle=90, size=90, strokeWidth=2, **at)
            .transform_filter(f"datum.mark !== '{CLEAR}' && datum.mark !== '{CLEAR_FOR_ONE}'")
            .encode(x=dot),
            own.mark_point(fill=ink.page, size=80, strokeWidth=2, **at)
            .transform_filter(f"datum.mark === '{CLEAR_FOR_ONE}'")
            .encode(x=dot),
            own.mark_point(filled=True, size=90, **at)
            .transform_filter(f"datum.mark === '{CLEAR}'")
            .encode(x=dot),
        ]
    layers[0] = layers[0].add_params(selection)
    return layers


def _names(lines: pd.DataFrame, y: alt.Y, ink: palette.Ink, step: int) -> list[alt.Chart]:
    base = alt.Chart(lines).encode(y=y)
    style = {"baseline": "middle", "yOffset": _NAME / 2 + 2 - step / 2, "fontSize": 12}
    names = base.mark_text(
        align="left", color=ink.text, limit={"expr": f"max(60, width - {_ROOM})"}, **style
    ).encode(text="name:N", x=alt.value(0))
    labels = base.mark_text(align="right", color=ink.faint, **style).encode(
        text="label:N", x=alt.value("width")
    )
    return [names, labels]


def _told(row: Mapping[str, float]) -> str:
    places = int(row["decimals"])
    ends = interval_text(row["low"], row["high"], places, signed=True)
    return f"{number_text(row['estimate'], places, signed=True)} {ends}"


def _description(dots: pd.DataFrame) -> str:
    told = (f"{row['name']}, {row['series']}: {row['told']}" for row in dots.to_dict("records"))
    return "; ".join(told) + "."
