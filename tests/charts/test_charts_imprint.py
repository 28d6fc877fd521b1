"""Effects are drawn with what is clear first, and the largest of these first."""

from __future__ import annotations

from math import nan
from typing import Any

from ivan_core.charts.order import by_effect
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
