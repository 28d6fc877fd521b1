"""The charts of a run for its report: each drawn by scripts of the page, with the table behind it.

A chart is drawn once for each model or other choice that it leaves. One of a single pair is left
out: it tells of a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import product
from typing import Any, cast

from ivan_core.charts.palette import Drawing, ink
from ivan_core.domain.errors import BadInput
from ivan_core.engine import figures
from ivan_core.figures.chart import Chart, Drawn
from ivan_core.figures.choices import ROW, Wish, figure_command
from ivan_core.figures.files import caption, named
from ivan_core.figures.html.frame import fold, paragraph, plain, text
from ivan_core.figures.html.numbers import numbers_table
from ivan_core.figures.pick import Picked

MOST_DRAWN = 8
"""Drawings of one chart, where it leaves many choices."""
_FONT = "system-ui, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"
_IN_JSON = str.maketrans({one: f"\\u{ord(one):04x}" for one in "<>&"})
_TONES = {tone: f"var(--chart-{name})" for name, tone in asdict(ink(False)).items()}
_AS_THEY_ARE = ("scale", "data", "datasets")
"""Parts of a specification whose colours are no tones of the page: those between two of a scale are
computed, and rows hold none.
"""


def charts_of_all(run_id: str) -> list[Chart]:
    """The charts of a report, in the order of the page.

    Raises:
        BadInput: there is no such run, it has no figures, or nothing is finished yet.
    """
    return [
        chart
        for chart in figures.figures(run_id)
        if all(choice.option is not ROW for choice in chart.choices)
    ]


def drawn(run_id: str, chart: Chart, key: str = "", level: int = 3) -> Iterator[str]:
    """A chart as HTML, once for each choice that it leaves, with caption, table and command.

    `key` tells its places from those of other runs on a page, and its headings are of a `level`.
    """
    wishes = _wishes(run_id, chart)
    several = len(wishes) > 1
    for place, wish in enumerate(wishes[:MOST_DRAWN]):
        try:
            picked, found = figures.drawn(run_id, chart.name, **wish)
        except BadInput:  # these choices do not go together
            continue
        yield _figure(f"{key}{chart.name}-{place}", level, run_id, chart, picked, found, several)
    if len(wishes) > MOST_DRAWN:
        more = f"{MOST_DRAWN} of {len(wishes)} are drawn here; the others come from"
        yield paragraph(f"{more} `ivan figure {run_id} {chart.name}`.", "small")


def _figure(
    key: str, level: int, run_id: str, chart: Chart, picked: Picked, found: Drawn, several: bool
) -> str:
    title, picture = _picture(key, found.chart(), picked.shown)
    title = title or chart.title
    names = list(picked.names)
    if several and not names:
        names = _told_apart(run_id, chart, picked, title)
    between = " " if title.endswith("?") else ": "
    heading = between.join([title, *filter(None, [", ".join(names)])])
    command = text(figure_command(run_id, chart.name, "csv", **picked.wish))
    table = f"{numbers_table(found.data, picked.shown)}<pre>{command}</pre>"
    return (
        f"<h{level}>{text(heading)}</h{level}>\n"
        f"<figure>{picture}<figcaption>{text(caption(picked, found))}</figcaption></figure>\n"
        f"{fold('The table behind it', table)}\n"
        f"{fold('How it was counted', paragraph(found.methods))}"
    )


def _told_apart(run_id: str, chart: Chart, picked: Picked, title: str) -> list[str]:
    """What was chosen among several, where the title names none of it."""
    offers: dict[str, list[tuple[str, str]]] = {}
    for option, value, words in figures.offered(run_id, chart.name):
        offers.setdefault(option, []).append((value, words))
    chosen = [
        str(named(words or value, picked.shown))
        for option, values in offers.items()
        for value, words in values
        if len(values) > 1 and picked.wish.get(option) == value
    ]
    return [] if any(one.rpartition("/")[2] in title for one in chosen) else chosen


def _wishes(run_id: str, chart: Chart) -> list[Wish]:
    """All that a chart can show; two models in one order alone."""
    by_option: dict[str, list[str]] = {}
    for name, value, _ in figures.offered(run_id, chart.name):
        by_option.setdefault(name, []).append(value)
    found: dict[frozenset[str], Wish] = {}
    for values in product(*by_option.values()):
        if len(set(values)) == len(values):
            found.setdefault(
                frozenset(values), cast("Wish", dict(zip(by_option, values, strict=True)))
            )
    return list(found.values())


def _picture(key: str, drawing: Drawing, names: Mapping[str, str]) -> tuple[str, str]:
    """The title of a chart, and a place to draw it in with what is drawn there.

    Where nothing can be drawn there is no title, and the sentence that says so.
    """
    if isinstance(drawing, str):
        return "", paragraph(named(drawing, names))
    spec = _for_page(named(drawing.to_dict(validate=False), names))
    title = spec.pop("title")  # words of a page go on in a next line, those of a picture are cut
    below = title.get("subtitle", [])
    spec["background"] = "transparent"
    spec["config"]["font"] = _FONT
    spec["config"]["axis"]["gridColor"] = "var(--chart-grid)"
    lines = [below] if isinstance(below, str) else below
    about = text(spec["description"])
    return title["text"], (
        f"{''.join(paragraph(line, 'small') for line in lines)}"
        f'<div class="vega" data-spec="{key}" role="img" aria-label="{about}"></div>'
        f'<script type="application/json" id="{key}">{as_json(spec)}</script>'
    )


def as_json(value: Any) -> str:
    """JSON in one line that stands within a script of a page and cannot end it."""
    found = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return found.translate(_IN_JSON)


def tones(dark: bool) -> str:
    """The tones of charts for a dark page or a light one, as variables of its style."""
    return "".join(f"--chart-{name}:{tone};" for name, tone in asdict(ink(dark)).items())


def _for_page(value: Any, toned: bool = True) -> Any:
    """A specification without odd characters, whose tones are those of the page."""
    if isinstance(value, str):
        return _TONES[value] if toned and value in _TONES else plain(value)
    if isinstance(value, dict):
        return {
            plain(str(name)): _for_page(part, toned and name not in _AS_THEY_ARE)
            for name, part in value.items()
        }
    return [_for_page(part, toned) for part in value] if isinstance(value, list) else value
