"""Charts and sentences of two models: valid, described, clickable, honest about what is clear."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache

import altair as alt
import numpy as np
import pandas as pd
import pytest
from given.charts.specs import marks, strings_outside_data

from ivan_core.charts.agreement import agreement_bars
from ivan_core.charts.annotators import who_dots
from ivan_core.charts.reliability import reliability_points, risk_coverage_curves
from ivan_core.charts.rewards import margin_squares, verdict_cells
from ivan_core.metrics.columns import by_column
from ivan_core.metrics.comparison_sentences import (
    coverage_sentence,
    difference_sentence,
    discordance_sentence,
    mcnemar_sentence,
    needed_sentence,
    reliability_sentence,
    temperature_sentence,
)
from ivan_core.metrics.paired import (
    difference_of_counts,
    margin_cells,
    pairs_needed,
    shared_rows,
    verdict_table,
)
from ivan_core.metrics.reliability import Reliability, reliability, risk_coverage

HOSTILE = "'+alert(1)+'</script><img src=x onerror=alert(1)> datum['x'] {signal}"
NAMES = ["verdicts", "margins", "reliability", "coverage"]


def table(model: str, n: int, seed: int, decimals: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    margins = rng.normal(0.4, 1, n).round(decimals)
    return pd.DataFrame(
        {
            "row_id": np.arange(n),
            "model": model,
            "subset": "s",
            "margin": margins,
            "verdict": np.select([margins > 0, margins == 0], ["agree", "tie"], "disagree"),
            "chosen_length": rng.integers(1, 9, n),
            "rejected_length": rng.integers(1, 9, n),
            "seen": pd.Series([None] * n, dtype="boolean"),
        }
    )


def two(n: int, decimals: int = 4, first: str = "ivan/a", second: str = "b") -> pd.DataFrame:
    parts = [table(first, n, 1, decimals), table(second, n, 2, decimals)]
    return pd.concat(parts, ignore_index=True)


def draw(scores: pd.DataFrame, dark: bool = False) -> dict[str, alt.LayerChart]:
    first, second = list(dict.fromkeys(scores["model"]))
    shared = shared_rows(scores, first, second)
    sure = reliability(scores[scores["model"] == first], np.random.default_rng(0))
    return {
        "verdicts": verdict_cells(verdict_table(shared), first, second, dark=dark),
        "margins": margin_squares(margin_cells(shared), first, second, dark=dark),
        "reliability": reliability_points(sure, first, dark=dark),
        "coverage": risk_coverage_curves(risk_coverage(scores), dark=dark),
    }


@cache
def usual(n: int, dark: bool = False) -> dict[str, alt.LayerChart]:
    """All charts of two models on n pairs, drawn once."""
    return draw(two(n), dark)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_chart_is_valid_wide_described_and_without_background(name: str, dark: bool) -> None:
    spec = usual(900, dark)[name].to_dict()
    assert spec["width"] == "container"
    assert "background" not in spec and "background" not in spec["config"]
    assert any(digit in spec["description"] for digit in "123456789")
    json.dumps(spec, allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_compiles_in_vega(name: str) -> None:
    vl_convert = pytest.importorskip("vl_convert")
    spec = draw(two(300, decimals=1))[name].to_dict() | {"width": 380}
    assert vl_convert.vegalite_to_svg(json.dumps(spec)).startswith("<svg")


def test_pages_find_the_selections_by_name() -> None:
    charts = usual(900)
    (verdicts,) = charts["verdicts"].to_dict()["params"]
    assert (verdicts["name"], verdicts["select"]["fields"]) == ("verdicts", ["first", "second"])
    (margins,) = charts["margins"].to_dict()["params"]
    assert (margins["name"], margins["select"]["fields"]) == ("margins", ["cell"])


@pytest.mark.parametrize("name", NAMES)
def test_no_chart_draws_more_than_two_thousand_marks(name: str) -> None:
    spec = usual(6_000)[name].to_dict()
    assert 0 < marks(spec | {"_datasets": spec["datasets"]}) <= 2000


def test_ties_have_a_row_and_a_column_only_where_there_are_any() -> None:
    for decimals, cells in ((6, 4), (1, 9)):
        spec = draw(two(900, decimals))["verdicts"].to_dict()
        shown = next(rows for rows in spec["datasets"].values() if "count" in rows[0])
        assert len(shown) == cells
        assert sum(cell["count"] for cell in shown) == 900


def test_names_never_reach_an_expression() -> None:
    charts = draw(two(400, first=HOSTILE, second=HOSTILE + "2"))
    for chart in charts.values():
        assert not [text for text in strings_outside_data(chart.to_dict()) if "alert" in text]


def test_the_outermost_cells_are_explained_only_if_they_hold_more() -> None:
    scores = two(400)
    assert "subtitle" not in draw(scores)["margins"].to_dict()["title"]
    scores.loc[0, "margin"] = 90.0
    assert "beyond 4 typical" in draw(scores)["margins"].to_dict()["title"]["subtitle"]


def test_any_column_can_be_drawn_as_bars_of_agreement() -> None:
    scores = two(300)
    values = pd.Series(np.random.default_rng(0).normal(size=300))
    spec = agreement_bars(by_column(scores, values)).to_dict()
    assert "All pairs" in spec["description"] and " to " in spec["description"]


def test_a_difference_is_clear_only_at_the_end_of_a_run() -> None:
    found = difference_of_counts(200, 113, 60, 87)
    assert difference_sentence(found, "a", "b", "people's choice", complete=True) == (
        "a sides with people's choice in 68% of 460 pairs both rated, b in 57%: 12 points more"
        " (95% interval [6, 17] points). This difference is clear."
    )
    unfinished = difference_sentence(found, "a", "b", "authored choice", complete=False)
    assert unfinished.startswith("So far, a sides with the author's choice")
    assert "This difference is clear" not in unfinished
    looked = difference_sentence(
        found, "a", "b", "people's choice", complete=True, chosen_after_looking=True
    )
    assert "clear" not in looked and "chosen after looking" in looked


def test_the_better_model_is_named_first_in_either_order() -> None:
    one = difference_of_counts(200, 113, 60, 87)
    other = difference_of_counts(200, 60, 113, 87)
    said = difference_sentence(one, "a", "b", "people's choice", complete=True)
    assert said == difference_sentence(other, "b", "a", "people's choice", complete=True)


def test_a_difference_that_may_be_chance_says_so() -> None:
    found = difference_of_counts(100, 22, 18, 60)
    text = difference_sentence(found, "a", "b", "people's choice", complete=True)
    assert text.endswith("This difference may be chance.")
    same = difference_of_counts(5, 2, 2, 1)
    assert "equally often, in 70% of 10 pairs" in difference_sentence(
        same, "a", "b", "people's choice", complete=True
    )
    assert "No pair" in difference_sentence(None, "a", "b", "people's choice", complete=True)


def test_an_interval_just_off_zero_is_not_written_as_zero() -> None:
    found = difference_of_counts(200, 113, 60, 87)
    assert found is not None
    text = difference_sentence(
        replace(found, low=0.003), "a", "b", "people's choice", complete=True
    )
    assert "[0.3, 17] points" in text


def test_discordance_test_and_needed_pairs_in_words() -> None:
    found = difference_of_counts(200, 113, 60, 87)
    assert discordance_sentence(found, "a", "b") == (
        "On 38% of 460 pairs only one of them sides with the choice: on 113 only a, on 60 only b."
    )
    assert mcnemar_sentence(found).startswith(
        "McNemar's exact test (mid-p) on 113 against 60 pairs: p < 0.001."
    )
    assert needed_sentence(pairs_needed(0.25), 0.25, 460) == (
        "To see a difference of 1, 2 or 5 points between models that part on 25% of pairs you need"
        " about 20,000, 5,000 or 790 pairs, in this order (in 80% of such studies it would then be"
        " clear)."
    )
    assert "of 5 points cannot occur" in needed_sentence(pairs_needed(0.03), 0.03, 400)
    assert "never part" in needed_sentence(pairs_needed(0.0), 0.0, 400)


def test_reliability_reads_without_knowing_the_terms() -> None:
    scores = table("m", 460, 3)
    found = reliability(scores, np.random.default_rng(0))
    text = reliability_sentence(found, "m")
    assert text.startswith("Where m is surest (")
    assert "where it is least sure (" in text and "points apart" in text
    assert "temperature" not in text and "calibrat" not in text
    few = reliability(scores.head(200), np.random.default_rng(0))
    assert "Below 300 pairs" in reliability_sentence(few, "m")
    assert "too few pairs (40)" in reliability_sentence(
        reliability(scores.head(40), np.random.default_rng(0)), "m"
    )
    nothing = Reliability(300, 0, None, found.bins.head(0), None, None)
    assert "no usable scale" in reliability_sentence(nothing, "m")
    assert "No temperature fits" in temperature_sentence(nothing, "m")


def test_a_temperature_says_whether_scores_boast() -> None:
    found = Reliability(400, 3, 2.5, pd.DataFrame(), None, None)
    assert temperature_sentence(found, "m") == (
        "The temperature that fits m is 2.5: taken as they are, its scores claim to be surer than"
        " it is. 3 pairs with equal scores left out."
    )
    assert "less sure" in temperature_sentence(replace(found, temperature=0.4, ties=0), "m")


def test_coverage_in_words() -> None:
    curves = risk_coverage(table("m", 400, 3))
    text = coverage_sentence(curves, "m")
    assert "of all it rated" in text and "of the 100 it is surest of" in text
    assert coverage_sentence(curves, "other") == "other has rated no pair."


@pytest.mark.parametrize(("width", "lines"), [(360, 2), (900, 1)])
def test_four_kinds_of_who_chose_are_all_named_on_a_narrow_screen(width: int, lines: int) -> None:
    vl_convert = pytest.importorskip("vl_convert")
    kinds = ("person", "choice", "model", "labeler")
    numbers = {"n": 3, "same": 2, "rate": 2 / 3, "low": 0.2, "high": 0.9, "label": "67%"}
    table = pd.DataFrame([{"who": kind, "name": kind, "kind": kind, **numbers} for kind in kinds])
    spec = who_dots(table, dark=False).to_dict() | {"width": width}
    legend = vl_convert.vegalite_to_svg(json.dumps(spec)).partition("role-legend")[2]
    places = re.findall(r'translate\((\d+),(\d+)\)"><path class="background"', legend)
    assert len({down for _, down in places[-len(kinds) :]}) == lines
    for words in ("a person with the others", "the recorded choice", "a model", "a labeler"):
        assert words in legend
