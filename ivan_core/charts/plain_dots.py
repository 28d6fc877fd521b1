"""Effects as SVG that is written here: for files that hold no scripts and need no other package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, isfinite, log10
from typing import Any

from ivan_core.charts import palette
from ivan_core.charts.order import by_effect, differing
from ivan_core.metrics.imprint.effects import CLEAR, CLEAR_FOR_ONE
from ivan_core.metrics.intervals import interval_text, number_text

_WIDTH, _EDGE = 420.0, 8.0
_NAME, _MARK = 22.0, 13.0
"""Units of a row for its name, and for each series below it."""
_TICKS = 5
_TEXT, _FAINT, _GRID, _PAGE = "#31333F", "#5B6068", "#DADDE2", "#FFFFFF"


def plain_dots(
    effects: Sequence[Mapping[str, Any]], titles: Mapping[str, str], across: str, decimals: int = 2
) -> str:
    """Effects in their order, as an SVG of 420 units; empty where no effect has an estimate.

    `effects` have feature, series, estimate, low, high, clear, differs and n, as `imprint_dots`:
    a dot is filled where the effect is clear, hollow where it is for this labeler alone, else a
    stroke.
    """
    known = [one for one in effects if isfinite(one["estimate"])]
    if not known:
        return ""
    series = list(dict.fromkeys(str(one["series"]) for one in known))
    colours = dict(zip(series, palette.model_colours(len(series)), strict=True))
    lines = by_effect(known)
    ends = [one[name] for one in known for name in ("estimate", "low", "high")]
    reach = 1.05 * max(abs(value) for value in ends if isfinite(value)) or 1.0

    def x(value: float) -> float:
        return _EDGE + (_WIDTH - 2 * _EDGE) * (value + reach) / (2 * reach)

    keys = 18.0 * len(series) if len(series) > 1 else 0.0
    step = _NAME + _MARK * len(series) + 4
    bottom = keys + step * len(lines)
    parts = [*_keys(colours)] if keys else []
    parts += _axis(x, reach, keys, bottom, across)
    for place, feature in enumerate(lines):
        own = [one for one in known if one["feature"] == feature]
        top = keys + step * place
        parts.append(_words(_EDGE, top + 15, titles.get(feature, feature), _TEXT))
        counts = differing(own, feature)
        parts.append(_words(_WIDTH - _EDGE, top + 15, counts, _FAINT, "end"))
        for one in own:
            name = str(one["series"])
            at = top + _NAME + _MARK * (series.index(name) + 0.5)
            told = f"{titles.get(feature, feature)}, {name}: {_told(one, decimals)}"
            parts.append(_mark(one, x, at, colours[name], told))
    height = bottom + 40
    about = "; ".join(
        f"{titles.get(one['feature'], one['feature'])}, {one['series']}: {_told(one, decimals)}"
        for one in sorted(known, key=lambda one: lines.index(one["feature"]))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH:g} {height:g}"'
        f' aria-label="{escape(f"{across}. {about}.")}" font-size="13">{"".join(parts)}</svg>'
    )


def _told(one: Mapping[str, Any], decimals: int) -> str:
    ends = interval_text(one["low"], one["high"], decimals, signed=True)
    clear = one["clear"] or "not clear"
    return f"{number_text(one['estimate'], decimals, signed=True)} {ends}, {clear}"


def _keys(colours: Mapping[str, str]) -> list[str]:
    """Which colour is whose, one a line."""
    return [
        f'<circle cx="{_EDGE + 5:g}" cy="{18 * place + 9:g}" r="5" fill="{colour}"/>'
        + _words(_EDGE + 16, 18 * place + 13.5, name, _TEXT)
        for place, (name, colour) in enumerate(colours.items())
    ]


def _axis(x: Any, reach: float, top: float, bottom: float, across: str) -> list[str]:
    step = _step(2 * reach / _TICKS)
    parts: list[str] = []
    for place in range(ceil(-reach / step), floor(reach / step) + 1):
        value, at = place * step, x(place * step)
        stroke = _FAINT if place == 0 else _GRID
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top:g}" y2="{bottom:g}" stroke="{stroke}"/>'
        )
        figure = number_text(value, max(0, -floor(log10(step))), signed=place != 0)
        if _EDGE + 8 < at < _WIDTH - _EDGE - 8:
            parts.append(_words(at, bottom + 15, figure, _FAINT, "middle"))
    return [*parts, _words(_WIDTH / 2, bottom + 33, across, _TEXT, "middle")]


def _step(rough: float) -> float:
    """A step of 1, 2 or 5 of some power of ten, at least as large."""
    power = 10.0 ** floor(log10(rough))
    return float(next(times * power for times in (1, 2, 5, 10) if times * power >= rough))


def _mark(one: Mapping[str, Any], x: Any, y: float, colour: str, told: str) -> str:
    at = x(one["estimate"])
    parts = [f"<title>{escape(told)}</title>"]
    if isfinite(one["low"]) and isfinite(one["high"]):
        parts.append(
            f'<line x1="{x(one["low"]):.1f}" x2="{x(one["high"]):.1f}" y1="{y:.1f}" y2="{y:.1f}"'
            f' stroke="{colour}" stroke-width="2"/>'
        )
    if one["clear"] in (CLEAR, CLEAR_FOR_ONE):
        fill = colour if one["clear"] == CLEAR else _PAGE
        parts.append(
            f'<circle cx="{at:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
    else:
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y - 5:.1f}" y2="{y + 5:.1f}"'
            f' stroke="{colour}" stroke-width="2"/>'
        )
    return f"<g>{''.join(parts)}</g>"


def _words(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">'
        f"{escape(str(text))}</text>"
    )
