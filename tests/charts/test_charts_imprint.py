"""Effects are drawn with what is clear first, and the largest of these first."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd

from ivan_core.charts.imprint import imprint_dots
from ivan_core.charts.order import by_effect, differing
from ivan_core.metrics.imprint.effects import AS_PEOPLE, CLEAR, CLEAR_FOR_ONE


def effect(feature: str, estimate: float, clear: str = "") -> dict[str, Any]:
    return {"feature": feature, "estimate": estimate, "clear": clear}


def test_clear_effects_come_before_larger_ones_that_are_not() -> None:
    found = [
        effect("wide", 3.0),
        effect("alone", -0.4, CLEAR_FOR_ONE),
        effect("small", 0.1, CLEAR),
        effect("large", -0.2, CLEAR),
        effect("nothing", nan),
        effect("wider", -4.0),
    ]
    assert by_effect(found) == ["large", "small", "alone", "wider", "wide"]
    assert by_effect([]) == []


def test_a_feature_counts_as_its_surest_and_largest_effect() -> None:
    found = [
        effect("one", 0.5),
        effect("two", 0.1, CLEAR),
        effect("one", -0.2, CLEAR),
        effect("two", 5.0, AS_PEOPLE),
        effect("people alone", 2.0, AS_PEOPLE),
    ]
    assert by_effect(found) == ["one", "two", "people alone"]


def test_the_pairs_told_beside_a_feature_are_those_of_the_labeler() -> None:
    found = [
        {**effect("one", 0.5), "differs": 21, "n": 1_480},
        {**effect("one", 0.2), "differs": 19, "n": 1_470},
        {**effect("one", 0.4, AS_PEOPLE), "differs": 27, "n": 1_480},
        {**effect("two", 0.4, AS_PEOPLE), "differs": 12, "n": 1_480},
        {**effect("two", nan), "differs": 900, "n": 1_480},
    ]
    assert differing(found, "one") == "21 of 1,480"
    assert differing(found, "two") == "12 of 1,480"


def test_each_feature_alone_is_drawn_hollow_and_stays_clear_in_words() -> None:
    row = {**effect("one", 0.5, CLEAR), "model": "m", "low": 0.2, "high": 0.8}
    table = pd.DataFrame([{**row, "differs": 20, "n": 300, "view": "alone"}])
    drawn = imprint_dots(table, {}).to_dict()
    marks = [row for rows in drawn["datasets"].values() for row in rows if "mark" in row]
    assert {(one["mark"], one["clear"]) for one in marks} == {(CLEAR_FOR_ONE, CLEAR)}
    assert "hollow" in str(drawn["title"]["subtitle"])
    together = imprint_dots(table.assign(view="together"), {}).to_dict()
    rows = [row for rows in together["datasets"].values() for row in rows if "mark" in row]
    assert {one["mark"] for one in rows} == {CLEAR}
