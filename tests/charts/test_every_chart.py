"""What holds for every chart, also for one that is added: its words can be read on both pages, it
never stands empty, a press on a mark means what lies there, and a minus is a minus.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from inspect import getmembers, isfunction
from pathlib import Path
from pkgutil import iter_modules
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from given.charts.contrast import contrast, mixed, rgb
from given.charts.every_chart import builders, of_columns, of_little, of_nothing, usual

import ivan_core.charts
from ivan_core.charts import palette

vl_convert = pytest.importorskip("vl_convert")

LEAST_CONTRAST = 4.5
"""Of words, whatever their size (WCAG 2.2, success criterion 1.4.3)."""
THEME_WORDS = {"labelColor": "#808495", "titleColor": "#808495"}
STREAMLIT = {"axis": THEME_WORDS, "legend": THEME_WORDS, "header": THEME_WORDS}
"""What Streamlit's theme gives to the words of a chart on a light page, where we say nothing."""
NAMES = sorted(builders())
AGREEMENT = "agreement.agreement_bars"


def page(dark: bool) -> dict[str, str]:
    """The colours of a page."""
    text = Path(".streamlit/config.toml").read_text(encoding="utf-8")
    colours: dict[str, str] = tomllib.loads(text)["theme"]["dark" if dark else "light"]
    return colours


@cache
def spec_of(name: str, dark: bool = False) -> dict[str, Any]:
    """A chart as a page hands it over, 420 pixels wide."""
    drawing = usual()[name](dark)
    assert not isinstance(drawing, str), drawing
    spec: dict[str, Any] = drawing.to_dict() | {"width": 420}
    return spec


@cache
def drawn(name: str, dark: bool) -> str:
    """A chart as it comes to be drawn: what the theme says holds where the chart says nothing."""
    spec = spec_of(name, dark)
    config = {
        part: {**STREAMLIT.get(part, {}), **spec["config"].get(part, {})}
        for part in {*STREAMLIT, *spec["config"]}
    }
    svg: str = vl_convert.vegalite_to_svg(json.dumps(spec | {"config": config}))
    return svg


def words(node: ElementTree.Element, opacity: float = 1.0) -> Iterator[tuple[str, str, float]]:
    """Every text of a drawing with its colour and opacity; the edges around letters left out."""
    for kind in ("opacity", "fill-opacity"):
        opacity *= float(node.get(kind, 1))
    if node.tag.endswith("text") and node.text and not node.get("stroke"):
        yield node.text, node.get("fill", "#000000"), opacity
    for inside in node:
        yield from words(inside, opacity)


def test_every_chart_has_a_table_to_be_tried_with() -> None:
    assert sorted(usual()) == NAMES


def test_whoever_draws_a_chart_says_that_a_sentence_may_stand_in_its_place() -> None:
    for module in iter_modules(ivan_core.charts.__path__):
        if module.name in ("palette", "marks", "printed"):
            continue
        for name, function in getmembers(import_module(f"ivan_core.charts.{module.name}")):
            if isfunction(function) and not name.startswith("_"):
                returned = str(function.__annotations__.get("return", ""))
                assert "LayerChart" not in returned, f"{name} returns a Drawing instead"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_words_in_a_chart_can_be_read_on_its_page(name: str, dark: bool) -> None:
    colours = page(dark)
    found = list(words(ElementTree.fromstring(drawn(name, dark))))
    assert found
    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        behind = rgb(colours[ground])
        for text, colour, opacity in found:
            told = contrast(mixed(rgb(colour), behind, opacity), behind)
            assert told >= LEAST_CONTRAST, f"{text!r} in {colour} on {behind}: {told:.2f}"


@pytest.mark.parametrize("dark", [False, True])
def test_words_on_the_darkest_cell_can_be_read(dark: bool) -> None:
    tones = palette.ink(dark)
    cell = mixed(rgb(palette.COUNT), rgb(tones.page), palette.DARKEST_CELL)
    assert contrast(rgb(tones.text), cell) >= LEAST_CONTRAST


@pytest.mark.parametrize("dark", [False, True])
def test_the_edge_around_letters_is_the_page(dark: bool) -> None:
    assert palette.ink(dark).page == page(dark)["backgroundColor"]


def test_without_a_number_a_sentence_stands_instead_of_empty_axes() -> None:
    found = {name: draw(False) for name, draw in of_nothing().items()}
    assert sorted(found) == NAMES
    for name, drawing in found.items():
        assert isinstance(drawing, str), f"{name} draws axes without data"
        assert drawing.endswith(".") and "%" not in drawing and "nan" not in drawing


@pytest.mark.parametrize("matter", of_little())
def test_where_little_is_known_it_is_drawn_or_a_sentence_stands_instead(matter: str) -> None:
    for name, draw in of_little()[matter].items():
        drawing = draw(False)
        if isinstance(drawing, str):
            assert drawing.endswith("."), name
            continue
        spec = drawing.to_dict() | {"width": 420}
        assert all(spec["datasets"].values()), f"{name} has a layer without data"
        json.dumps(spec, allow_nan=False)
        svg = vl_convert.vegalite_to_svg(json.dumps(spec))
        assert "NaN" not in svg and "Infinity" not in svg, name


def clickable() -> list[str]:
    """The charts in which a press lists rows."""
    return [name for name in NAMES if spec_of(name).get("params")]


@cache
def pressable(name: str) -> list[tuple[bool, dict[str, Any], list[str]]]:
    """What takes presses, from the back to the front: of the marks of the selection or not, the
    drawn item, and the fields that it knows of itself ("undefined" where it does not).
    """
    spec = spec_of(name)
    (selection,) = spec["params"]
    views, fields = selection["views"], selection["select"]["fields"]
    parts = " + '|' + ".join(f"datum['{field}']" for field in fields)
    compiled: dict[str, Any] = vl_convert.vegalite_to_vega(json.dumps(spec))
    for mark in compiled["marks"]:
        mark["encode"]["update"]["description"] = {"signal": f"'' + {parts}"}
        mark["encode"]["update"].pop("aria", None)
    drawing = vl_convert.vega_to_scenegraph(json.dumps(compiled))
    drawing = drawing.get("scenegraph", drawing)
    return [
        (mark["name"].startswith(tuple(views)), item, item["description"].split("|"))
        for mark in drawing["items"][0]["items"]
        if mark["interactive"] and mark["role"] == "mark"
        for item in mark["items"]
    ]


def test_a_press_takes_what_lies_under_the_pointer() -> None:
    assert len(clickable()) > 10
    for name in clickable():
        _marks_in_front_mean_the_marks_below(name)


def _marks_in_front_mean_the_marks_below(name: str) -> None:
    found = pressable(name)
    areas = [
        (item["x"], item["y"], item["x"] + item["width"], item["y"] + item["height"], filled)
        for own, item, filled in found
        if own and "width" in item
    ]
    for own, item, filled in found:
        if own or "text" in item:
            continue
        low, high = item["x"], item.get("x2", item["x"] + item.get("width", 0))
        at = item["y"] + item.get("height", 0) / 2
        for left, top, right, bottom, below in areas:
            over = max(low, left) < min(high, right) if low < high else left < low < right
            if over and top < at < bottom:
                assert filled == below, f"{name}: {item} lies on {below}"


def test_only_marks_that_know_what_they_are_take_presses() -> None:
    assert clickable()
    for name in clickable():
        (selection,) = spec_of(name)["params"]
        told = selection["select"]["on"]["filter"]
        for field in selection["select"]["fields"]:
            assert f"isValid(event.item.datum['{field}'])" in told, name


def test_lines_on_a_bar_of_agreement_leave_presses_to_its_parts() -> None:
    found = pressable(AGREEMENT)
    assert {item.get("ariaRoleDescription", "text") for _, item, _ in found} == {
        "bar",
        "point",
        "text",
    }
    # Only the number stands for a part besides: names, marks below a bar and notes for none.
    beside = [(item.get("text", ""), filled[2]) for own, item, filled in found if not own]
    numbers = [text for text, verdict in beside if verdict == "agree"]
    assert numbers and all("% [" in text for text in numbers)
    assert {verdict for _, verdict in beside} == {"agree", "undefined"}


HYPHEN = re.compile(r"(?<![\w.])-(?=[\d.])")


def test_a_minus_in_a_chart_is_a_minus_sign() -> None:
    values = np.array([-1.0, 0.0, 1.0, -1.0])
    few = of_columns(values, -values)["sides.column_sides"](False).to_dict() | {"width": 420}
    found = {name: (spec_of(name), drawn(name, False)) for name in NAMES}
    found["few values"] = few, vl_convert.vegalite_to_svg(json.dumps(few))
    negative = False
    for name, (spec, svg) in found.items():
        drawing = ElementTree.fromstring(svg)
        told = [text for text, _, _ in words(drawing)]
        told += [part.get("aria-label", "") for part in drawing.iter()]
        told += [
            text
            for rows in spec["datasets"].values()
            for row in rows
            for text in row.values()
            if isinstance(text, str)
        ]
        assert not [text for text in [*told, spec["description"]] if HYPHEN.search(text)], name
        negative = negative or any("−" in text for text in told)
    assert negative
