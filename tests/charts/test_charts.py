"""Charts are small, valid, described in words, and carry the selections that pages listen to."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from given.charts.contrast import contrast, rgb
from given.charts.specs import marks, strings_outside_data
from given.made_scores import chunk_counts

from ivan_core.charts import palette
from ivan_core.charts.agreement import agreement_bars
from ivan_core.charts.live import (
    agreement_so_far,
    changes_so_far,
    flips_so_far,
    running_flips,
    standing_so_far,
)
from ivan_core.charts.rewards import margin_bars, reward_cells
from ivan_core.metrics.agreement import by_subset, running_agreement
from ivan_core.metrics.bins import margin_histogram, reward_bins
from ivan_core.metrics.label_noise import ceiling

HOSTILE = "'+alert(1)+'</script><img src=x onerror=alert(1)> datum['x'] {signal}"


def table(model: str, n: int, subsets: int = 2, shift: float = 0.3) -> pd.DataFrame:
    """Random scores of one model: `n` pairs in `subsets` subsets, chosen better by `shift`."""
    rng = np.random.default_rng(7)
    chosen, rejected = rng.normal(shift, 1, n).round(1), rng.normal(0, 1, n).round(1)
    verdict = np.where(chosen > rejected, "agree", np.where(chosen < rejected, "disagree", "tie"))
    return pd.DataFrame(
        {
            "row_id": np.arange(n),
            "model": model,
            "subset": [f"subset {i % subsets}" for i in range(n)],
            "chosen_reward": chosen,
            "rejected_reward": rejected,
            "margin": chosen - rejected,
            "verdict": verdict,
            "chosen_length": rng.integers(1, 9, n),
            "rejected_length": rng.integers(1, 9, n),
            "step": np.arange(n) // 50,
        }
    )


def draw(scores: pd.DataFrame, dark: bool = False) -> dict[str, alt.LayerChart]:
    """All charts of a scores table; those for one model take its first."""
    one = scores[scores["model"].isin(scores["model"].head(1))]
    points = running_agreement(chunk_counts(scores))
    return {
        "agreement": agreement_bars(by_subset(scores), dark=dark),
        "live": agreement_so_far(points, len(scores), dark=dark),
        "rewards": reward_cells(reward_bins(one), dark=dark),
        "margins": margin_bars(margin_histogram(one), dark=dark),
    }


TWO_MODELS = pd.concat([table("ivan/minilm-harmless", 900), table("b", 900, shift=0.0)])


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["agreement", "live", "rewards", "margins"])
def test_every_chart_is_valid_wide_described_and_without_background(name: str, dark: bool) -> None:
    spec = draw(TWO_MODELS, dark)[name].to_dict()
    assert spec["width"] == "container"
    assert "background" not in spec and "background" not in spec["config"]
    assert "font" not in json.dumps(spec["config"]).replace("fontSize", "")
    assert any(digit in spec["description"] for digit in "123456789")
    json.dumps(spec, allow_nan=False)


def test_pages_find_the_selections_by_name() -> None:
    charts = draw(TWO_MODELS)
    (bar,) = charts["agreement"].to_dict()["params"]
    assert bar["name"] == "bar"
    assert bar["select"]["fields"] == ["subset", "model", "verdict"]
    (cell,) = charts["rewards"].to_dict()["params"]
    assert (cell["name"], cell["select"]["fields"]) == ("cell", ["cell"])


@pytest.mark.parametrize("name", ["agreement", "live", "rewards", "margins"])
def test_no_chart_draws_more_than_two_thousand_marks(name: str) -> None:
    many = pd.concat([table(f"model {i}", 1200, subsets=90) for i in range(7)])
    spec = draw(many)[name].to_dict()
    assert 0 < marks(spec | {"_datasets": spec["datasets"]}) <= 2000


def test_the_bars_of_one_row_fill_the_whole_width() -> None:
    spec = agreement_bars(by_subset(TWO_MODELS)).to_dict()
    parts = [row for rows in spec["datasets"].values() for row in rows if "start" in row]
    ends = pd.DataFrame(parts).groupby("row").agg(start=("start", "min"), end=("end", "max"))
    assert len(ends) == 6
    assert (ends["start"] == 0).all()
    assert ends["end"].to_numpy(float) == pytest.approx(1.0)


def test_a_ceiling_is_drawn_on_the_bars_of_all_pairs_with_its_assumption() -> None:
    best = ceiling(82, 100)
    assert best is not None
    spec = agreement_bars(by_subset(TWO_MODELS), ceiling=best).to_dict()
    assert best.label in spec["description"] and "independently" in best.label
    drawn = [row for rows in spec["datasets"].values() for row in rows if "best" in row]
    assert {round(row["best"], 6) for row in drawn} == {0.9}
    # One line a model, and the words once, below the first model's bar.
    assert [row["kind"] for row in drawn].count("bar") == 2
    assert [row["kind"] for row in drawn].count("ceiling") == 1
    assert {row["subset"] for row in drawn} == {"all"}
    without = agreement_bars(by_subset(TWO_MODELS)).to_dict()
    assert "ceiling" not in json.dumps(without)


def test_left_out_subsets_are_counted() -> None:
    many = table("m", 4000, subsets=90)
    heading = agreement_bars(by_subset(many)).to_dict()["title"]
    assert heading["subtitle"] == "The 12 largest subsets; 78 more are in “all pairs”."


def test_names_from_a_dataset_never_reach_an_expression() -> None:
    hostile = TWO_MODELS.assign(model=HOSTILE, subset=HOSTILE)
    for chart in draw(hostile).values():
        assert not [text for text in strings_outside_data(chart.to_dict()) if "alert" in text]


def test_live_axes_do_not_move_as_pairs_come_in() -> None:
    def domains(points: pd.DataFrame) -> tuple[Any, Any]:
        drawn = agreement_so_far(points, 1800).to_dict()
        assert drawn["title"]["subtitle"] == "intervals go by pair until the end"
        line = drawn["layer"][0]["encoding"]
        return line["x"]["scale"]["domain"], line["y"]["scale"]["domain"]

    points = running_agreement(chunk_counts(TWO_MODELS))
    assert domains(points.head(3)) == domains(points) == ([0, 1800], [0, 1])


def test_many_models_so_far_have_a_row_each_in_an_order_that_does_not_move() -> None:
    rates = {"b": (3, 4), "a": (1, 4), "c": (2, 2)}
    points = pd.DataFrame(
        [
            {"model": model, "step": step, "n": n, "rate": agree / n, "low": 0.1, "high": 0.9}
            for model, (agree, n) in rates.items()
            for step in (0, 1)
        ]
    )
    spec = standing_so_far(points).to_dict()
    rows = [row for rows in spec["datasets"].values() for row in rows if "whole" in row]
    assert [(row["model"], row["row"], row["short"]) for row in rows] == [
        ("b", 0, "75% of 4"),
        ("a", 1, "25% of 4"),
        ("c", 2, "100% of 2"),
    ]
    assert spec["layer"][1]["encoding"]["x"]["scale"]["domain"] == [0, 1]
    assert "b 75% [10, 90] of 4" in spec["description"]


def test_one_legend_names_the_lines_by_colour_and_dash() -> None:
    layers = draw(TWO_MODELS)["live"].to_dict()["layer"]
    coloured = [layer["encoding"] for layer in layers if "color" in layer.get("encoding", {})]
    assert len(coloured) == 1
    assert coloured[0]["color"]["legend"] == coloured[0]["strokeDash"]["legend"]


def test_one_row_is_enough() -> None:
    for chart in draw(table("m", 1)).values():
        assert chart.to_dict()["description"]


@pytest.mark.parametrize("colour", [*palette.VERDICT_COLOURS.values(), *palette.MODEL_COLOURS])
def test_colours_stand_out_from_light_and_dark_pages(colour: str) -> None:
    assert contrast(rgb(colour), rgb("#FFFFFF")) >= 3
    assert contrast(rgb(colour), rgb("#0E1117")) >= 3


POINTS = {"m/one": [[0, 0, None], [10, 1, 0.25], [20, 2, 0.5]], "m/two": [[20, 0, 0.125]]}


def test_flips_after_each_chunk_with_wilson_intervals() -> None:
    found = running_flips(POINTS)
    assert found[["model", "n", "rate"]].values.tolist() == [
        ["m/one", 10, 0.1],
        ["m/one", 20, 0.1],
        ["m/two", 20, 0.0],
    ]
    last = found.iloc[1]
    assert (last["low"], last["high"]) == pytest.approx((0.0279, 0.3010), abs=1e-4)
    assert running_flips({}).empty


@pytest.mark.parametrize("dark", [False, True])
def test_the_axes_are_those_of_the_whole_run_and_the_text_tells_the_numbers(dark: bool) -> None:
    found = running_flips(POINTS)
    flips = flips_so_far(found, 480, dark=dark).to_dict()
    line = flips["layer"][1]["encoding"]
    assert line["x"]["scale"]["domain"] == [0, 480]
    assert line["y"]["scale"]["domain"] == [0, pytest.approx(0.5)]
    assert flips["description"] == (
        "Flipped verdicts so far of 480 planned pairs: m/one 10% of 20; m/two 0% of 20."
    )
    # A curve cannot know which pairs share a prompt, so it says that it does not.
    assert flips["title"]["subtitle"] == "intervals go by pair until the end"
    changes = changes_so_far(found, 480, dark=dark).to_dict()
    assert changes["description"] == (
        "Mean size of a change of reward so far: 0.5 m/one; 0.125 m/two."
    )
