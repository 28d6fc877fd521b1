"""Charts of user columns: valid, described, clickable, readable without colour."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ivan_core.charts.sides import agreement_by_larger_bars, column_sides
from ivan_core.metrics.columns import agreement_by_larger, column_bins

HOSTILE = "'+alert(1)+'</script><img src=x onerror=alert(1)> datum['x'] {signal}"


def values(many: bool):
    rng = np.random.default_rng(0)
    if many:
        return rng.normal(5, 2, 300), rng.normal(4, 2, 300)
    return rng.integers(0, 2, 300).astype(float), rng.integers(0, 3, 300).astype(float)


def agreement(models=("ivan/a", HOSTILE)):
    chosen, rejected = values(many=False)
    tables = [
        pd.DataFrame({"row_id": range(300), "model": model, "verdict": ["agree", "disagree"] * 150})
        for model in models
    ]
    return agreement_by_larger(pd.concat(tables), pd.Series(chosen - rejected))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("many", [False, True])
def test_both_kinds_are_valid_and_fit_their_container(many, dark):
    spec = column_sides(column_bins(*values(many)), dark=dark).to_dict()
    assert spec["width"] == "container"
    assert [param["name"] for param in spec["params"]] == ["value"]
    assert spec["params"][0]["select"]["fields"] == ["bin", "side"]
    assert "background" not in spec


def test_alt_text_tells_the_shares_of_few_values():
    chosen, rejected = np.array([0.0, 0, 1, 1]), np.array([0.0, 0, 0, 1])
    assert column_sides(column_bins(chosen, rejected)).to_dict()["description"] == (
        "Shares of the replies of each side by the value of the column. chosen, 0: 50% of 4,"
        " 1: 50% of 4; rejected, 0: 75% of 4, 1: 25% of 4."
    )


def test_alt_text_tells_the_range_of_many_values():
    told = column_sides(column_bins(np.arange(60.0), np.arange(60.0) + 2)).to_dict()["description"]
    assert told == (
        "Shares of the replies of each side by the value of the column, from 0 to 61. chosen, most"
        " from 0 to 2 (5% of 60); rejected, most from 3 to 5 (5% of 60)."
    )


def test_sides_are_told_by_words_beside_colour():
    few = json.dumps(column_sides(column_bins(*values(many=False))).to_dict())
    assert '"0, chosen"' in few and '"2, rejected"' in few
    many = json.dumps(column_sides(column_bins(*values(many=True))).to_dict())
    assert '"chosen replies"' in many and '"rejected replies"' in many


def test_the_rejected_side_hangs_below_the_line():
    spec = column_sides(column_bins(*values(many=True))).to_dict()
    rows = next(rows for rows in spec["datasets"].values() if "height" in rows[0])
    assert all(row["height"] >= 0 for row in rows if row["side"] == "chosen")
    assert all(row["height"] <= 0 for row in rows if row["side"] == "rejected")


def test_agreement_is_drawn_with_its_interval_in_words():
    chart = agreement_by_larger_bars(agreement()).to_dict()
    assert "ivan/a, larger on the chosen side: 61% [47, 73] of 51" in chart["description"]
    assert [param["name"] for param in chart["params"]] == ["larger"]


def test_names_of_models_are_data_only():
    spec = agreement_by_larger_bars(agreement()).to_dict()
    spec.pop("datasets")
    spec.pop("description")
    assert "alert" not in json.dumps(spec)
