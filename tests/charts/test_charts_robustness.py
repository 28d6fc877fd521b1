"""Charts of rewording: valid, described, clickable, small, names only as data."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import altair as alt
import pandas as pd
import pytest
from given.tables.rewordings import drawn, table

from ivan_core.charts.robustness import change_squares, flip_bars, reward_change_dots
from ivan_core.metrics.robustness.changes import (
    ORIGINAL,
    REWORDED,
    SURFACE,
    change_cells,
    changes,
    robustness,
    unit_of,
)

HOSTILE = "'+alert(1)+'</script><img src=x onerror=alert(1)> datum['x'] {signal}"
SELECTIONS = {
    "flips": ("flip", ["model", "direction", "variant"]),
    "changes": ("change", ["model", "side", "variant"]),
    "cells": ("cell", ["cell"]),
}


@cache
def charts(dark: bool = False) -> dict[str, alt.LayerChart]:
    made = pd.concat([drawn(300, 0, HOSTILE), drawn(300, 1, "b")], ignore_index=True)
    found = [robustness(made, m, v) for v in (SURFACE, REWORDED) for m in (HOSTILE, "b")]
    cells = change_cells(changes(made, "b", REWORDED), unit_of(made, "b") or 1)
    return {
        "flips": flip_bars(found, dark=dark),
        "changes": reward_change_dots(found, dark=dark),
        "cells": change_squares(cells, dark=dark),
    }


def spec_of(name: str, dark: bool = False) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(json.dumps(charts(dark)[name].to_dict()))
    return spec


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", SELECTIONS)
def test_each_robustness_chart_is_valid_and_opens_what_is_clicked(name: str, dark: bool) -> None:
    spec = spec_of(name, dark)
    assert spec["width"] == "container" and "background" not in spec
    ((selection, fields),) = [(p["name"], p["select"]["fields"]) for p in spec["params"]]
    assert (selection, fields) == SELECTIONS[name]
    assert spec["description"].endswith(".")
    # Whatever is drawn with a pointer knows the fields of the selection.
    for rows in spec["datasets"].values():
        assert set(fields) <= set(rows[0]) or not set(fields) & set(rows[0])


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_robustness_chart_is_small(name: str) -> None:
    assert max(len(rows) for rows in spec_of(name)["datasets"].values()) <= 300
    assert len(json.dumps(spec_of(name))) < 100_000


@pytest.mark.parametrize("name", ["flips", "changes"])
def test_names_of_models_are_data_only(name: str) -> None:
    spec = spec_of(name)
    assert "alert" in json.dumps(spec["datasets"])
    spec.pop("datasets")
    spec.pop("description")
    assert "alert" not in json.dumps(spec)


@pytest.mark.parametrize("name", SELECTIONS)
def test_green_and_red_stay_for_verdicts_in_robustness_charts(name: str) -> None:
    written = json.dumps(spec_of(name))
    assert not any(colour in written for colour in ("#009E73", "#D55E00", "#008F68"))


HAND = table(
    {
        ORIGINAL: [(1, 0)] * 10,
        REWORDED: [(0, 1)] * 3 + [(1, 0)] * 7,
        SURFACE: [(0, 1)] + [(1, 0)] * 9,
    }
)


def test_flips_are_described_beside_the_surface_change() -> None:
    found = [robustness(HAND, "m"), robustness(HAND, "m", SURFACE)]
    assert flip_bars(found).to_dict()["description"] == (
        "Verdicts that flip when texts are reworded. m: no longer agrees: 30%,"
        " punctuation 10%; m: agrees now: 0%, punctuation 0%."
    )


def test_changes_are_described_in_typical_margins() -> None:
    assert reward_change_dots([robustness(HAND, "m")]).to_dict()["description"] == (
        "Changes of the reward when texts are reworded. m: chosen reply: −0.30; m: rejected reply:"
        " +0.30."
    )


def test_cells_are_described_with_their_flips() -> None:
    cells = change_cells(changes(HAND, "m", REWORDED), 1.0)
    assert change_squares(cells).to_dict()["description"] == (
        "Cells counting 10 pairs by the similarity of the rewording (across) and the change of"
        " the margin (up). The verdict flipped in 3."
    )
