"""Charts of labels: valid, described, clickable, small, and readable without colour."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from given.tables.labels import HARMLESS, INSULT, SENTIMENT, TOPICS, crossed, labels

from ivan_core.charts.annotators import agreement_dots, answer_cells
from ivan_core.charts.labels import prevalence_dots, together_squares, word_bars
from ivan_core.domain.labels import FEATURES
from ivan_core.metrics.labels.agreement import agreement_table, class_agreement
from ivan_core.metrics.labels.answers import LIST_KEYS, SENTIMENTS, cells
from ivan_core.metrics.labels.shares import (
    co_occurrence,
    prevalence_differences,
    prevalences,
    topic_counts,
)

HOSTILE = "'+alert(1)+'</script><img src=x onerror=alert(1)> datum['x'] {signal}"
TITLES = {INSULT: "Insult", HARMLESS: "Harmless", SENTIMENT: HOSTILE}
SINGLE = [key for key in FEATURES if key not in LIST_KEYS]
SELECTIONS = {
    "prevalence": ("feature", ["key", "value"]),
    "words": ("word", ["key", "value", "side"]),
    "agreement": ("feature", ["key", "value"]),
    "together": ("together", ["first_key", "first_value", "second_key", "second_value"]),
    "cells": ("answers", ["left", "right"]),
}


@cache
def made(seed: int) -> pd.DataFrame:
    """All 19 labels of 60 pairs; the last topic is somebody's attack."""
    rng = np.random.default_rng(seed)
    words = np.array(["Arts", "Maths", HOSTILE], dtype=object)
    columns: dict[str, list[Any]] = {}
    for at, key in enumerate(FEATURES):
        if key in LIST_KEYS:
            columns[key] = [tuple(words[rng.random(3) < 0.4]) for _ in range(120)]
        elif key == SENTIMENT:
            columns[key] = list(rng.choice([*SENTIMENTS, None], 120))
        else:
            columns[key] = list(rng.random(120) < at / 19)
    return labels(**columns)


@cache
def charts(dark: bool = False) -> dict[str, alt.LayerChart]:
    first, second = made(0), made(1)
    labelers = {"a": first, HOSTILE: second}
    agreements = agreement_table(labelers, FEATURES, np.random.default_rng(0), 50)
    rates, differences = prevalences(first, SINGLE), prevalence_differences(first, SINGLE)
    return {
        "prevalence": prevalence_dots(rates, differences, TITLES, dark=dark),
        "words": word_bars(topic_counts(first, TOPICS), dark=dark),
        "agreement": agreement_dots(agreements, TITLES, dark=dark),
        "together": together_squares(co_occurrence(first, SINGLE), TITLES, dark=dark),
        "cells": answer_cells(cells(first, second, SENTIMENT), "a", HOSTILE, dark=dark),
    }


@cache
def written(name: str, dark: bool = False) -> str:
    return json.dumps(charts(dark)[name].to_dict())


def rows_of(spec: dict[str, Any], column: str) -> list[dict[str, Any]]:
    """The largest data set of a chart that has this column."""
    return max((rows for rows in spec["datasets"].values() if column in rows[0]), key=len)


def walked(spec: Any) -> list[dict[str, Any]]:
    """Every object within a specification."""
    inside = list(spec.values()) if isinstance(spec, dict) else spec
    nested = [found for part in inside if isinstance(part, dict | list) for found in walked(part)]
    return [spec, *nested] if isinstance(spec, dict) else nested


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", SELECTIONS)
def test_each_chart_is_valid_and_opens_what_is_clicked(name: str, dark: bool) -> None:
    spec = json.loads(written(name, dark))
    assert spec["width"] == "container" and "background" not in spec
    ((selection, fields),) = [(p["name"], p["select"]["fields"]) for p in spec["params"]]
    assert (selection, fields) == SELECTIONS[name]
    assert spec["description"].endswith(".")
    # Whatever is drawn with a pointer knows the fields of the selection.
    for rows in spec["datasets"].values():
        assert set(fields) <= set(rows[0]) or not set(fields) & set(rows[0])


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_chart_has_at_most_some_four_hundred_marks(name: str) -> None:
    spec = json.loads(written(name))
    assert max(len(rows) for rows in spec["datasets"].values()) <= 400
    assert len(written(name)) < 250_000


@pytest.mark.parametrize("name", SELECTIONS)
def test_what_people_wrote_is_data_only(name: str) -> None:
    spec = json.loads(written(name))
    assert "alert" in json.dumps(spec["datasets"])
    spec.pop("datasets")
    spec.pop("description")
    assert "alert" not in json.dumps(spec)


@pytest.mark.parametrize("name", SELECTIONS)
def test_green_and_red_are_kept_for_verdicts(name: str) -> None:
    assert not any(colour in written(name) for colour in ("#009E73", "#D55E00", "#008F68"))


def test_labels_are_sorted_by_their_difference_and_clear_ones_starred() -> None:
    more, same = [True, False] * 10 + [False, False] * 10, [True, True] * 20
    table = labels(**{HARMLESS: same, INSULT: more})
    keys = [HARMLESS, INSULT]
    chart = prevalence_dots(prevalences(table, keys), prevalence_differences(table, keys), TITLES)
    assert chart.to_dict()["description"] == (
        "Labels of chosen and rejected replies. Insult: chosen 50%, rejected 0% *; Harmless: chosen"
        " 100%, rejected 100%."
    )
    assert chart.to_dict()["title"]["subtitle"].startswith("* a clear difference")


def test_only_the_largest_differences_are_drawn() -> None:
    keys = [f"label_{i:02}" for i in range(30)]
    columns = {key: [True, False] * i + [False, False] * (30 - i) for i, key in enumerate(keys)}
    table = labels(**columns)
    spec = prevalence_dots(
        prevalences(table, keys), prevalence_differences(table, keys), {}
    ).to_dict()
    drawn = rows_of(spec, "share")
    assert {row["key"] for row in drawn} == set(keys[6:])
    assert drawn[0]["line"] == 23 and "6 smaller differences not drawn" in spec["title"]["subtitle"]


def test_a_side_without_an_answer_has_no_dot() -> None:
    table = labels(**{INSULT: [True, None]})
    chart = prevalence_dots(
        prevalences(table, [INSULT]), prevalence_differences(table, [INSULT]), TITLES
    ).to_dict()
    assert "Insult: chosen 100%, rejected no answer" in chart["description"]
    assert [row["side"] for row in rows_of(chart, "share")] == ["chosen"]


def test_words_keep_the_order_of_their_table() -> None:
    table = labels(**{TOPICS: [("Maths",), ("Maths", "Arts"), ("Maths",), ()]})
    assert word_bars(topic_counts(table, TOPICS)).to_dict()["description"] == (
        "Topics of chosen and rejected replies. Maths: chosen 100%, rejected 50%; Arts: chosen 0%,"
        " rejected 50%."
    )


def test_agreement_on_few_texts_is_hollow_and_nothing_is_drawn_for_none() -> None:
    left, right = crossed(2, 1, 1, 96)
    both = labels(**{INSULT: left[INSULT], HARMLESS: [True] * 100})
    other = labels(**{INSULT: right[INSULT], HARMLESS: [True] * 100})
    found = agreement_table(
        {"a": both, "b": other}, [HARMLESS, INSULT], np.random.default_rng(0), 50
    )
    spec = agreement_dots(found, TITLES).to_dict()
    # Kappa (.98 - .9418) / .0582; AC1 (.98 - .0582) / .9418.
    assert spec["description"] == (
        "Agreement of labelers by label. Insult: κ 0.66, AC1 0.98, all called so 2 of 4, few;"
        " Harmless: answers never change, all called so 100 of 100, few."
    )
    assert spec["title"]["subtitle"] == "hollow: few texts"
    drawn = rows_of(spec, "point")
    assert [(row["kind"], row["few"]) for row in drawn] == [("coefficient", True), ("ac1", True)]
    assert [part for part in walked(spec) if part.get("test") == "datum.few"]


def test_three_labelers_have_alpha_in_the_legend() -> None:
    three = {name: made(seed) for seed, name in enumerate("abc")}
    found = class_agreement(three, TOPICS, np.random.default_rng(0), 20)
    told = json.dumps(agreement_dots(found, {TOPICS: "Topics"}).to_dict(), ensure_ascii=False)
    assert "Krippendorff’s alpha" in told and "Cohen’s kappa" not in told
    assert '"Topics: Arts"' in told


def test_squares_on_few_texts_are_dashed_and_uncoloured() -> None:
    table = labels(**{INSULT: [True] * 5 + [False] * 95, HARMLESS: [True, False] * 50})
    spec = together_squares(co_occurrence(table, [INSULT, HARMLESS]), TITLES).to_dict()
    rows = {row["first_key"]: row for row in rows_of(spec, "way")}
    assert rows[INSULT]["too_few"] and rows[INSULT]["strength"] == 0
    assert rows[INSULT]["told"] == "3 of 5 (60% [23, 88])"
    assert rows[HARMLESS]["told"] == "3 of 50 (6% [2, 16])"
    assert spec["title"]["subtitle"] == "dashed: few texts"
    assert (
        "of the texts with 2 · Harmless, 3 of 50 (6% [2, 16]) also have 1 · Insult, against 5% of"
        " all" in spec["description"]
    )


def test_cells_are_told_in_words() -> None:
    chart = answer_cells(cells(*crossed(3, 1, 2, 4), INSULT), "a", "b").to_dict()
    assert chart["description"] == (
        "Table of the answers of two labelers to 10 texts. a no and b no: 4; a no and b yes: 2;"
        " a yes and b no: 1; a yes and b yes: 3."
    )
