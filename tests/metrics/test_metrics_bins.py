"""Rewards and margins in bins: every rated row is in one bin, by hand and always."""

from __future__ import annotations

import pytest
from given.made_scores import Rewards, scores, some_rewards
from hypothesis import given, strategies as st

from ivan_core.metrics.agreement import rated
from ivan_core.metrics.bins import in_reward_cell, margin_histogram, reward_bins


@given(some_rewards, st.integers(1, 30))
def test_every_rated_row_falls_in_exactly_one_cell(rewards: list[Rewards], bins: int) -> None:
    table = scores([*rewards, (None, 1.0)])
    cells, own = reward_bins(table, bins), rated(table)
    assert cells["cell"].is_unique
    found: list[int] = []
    for cell in cells.itertuples():
        rewards_of = own["chosen_reward"].to_numpy(float), own["rejected_reward"].to_numpy(float)
        rows = own[in_reward_cell(*rewards_of, cell.x0, cell.x1, cell.y0, cell.y1)]
        assert len(rows) == cell.count
        assert rows["verdict"].eq("agree").sum() == cell.agree
        found += list(rows["row_id"])
    assert sorted(found) == list(own["row_id"])


def test_two_by_two_bins_by_hand() -> None:
    # Edges 0, 2, 4 on both axes; the cell is row * 2 + column, rows counted from below.
    cells = reward_bins(scores([(0, 1), (4, 1), (2, 4), (3, 3)]), bins=2)
    assert list(cells["cell"]) == [0, 1, 3]
    assert list(cells["count"]) == [1, 1, 2]
    assert list(cells["share_agree"]) == [0.0, 1.0, 0.0]
    assert cells.iloc[1][["x0", "x1", "y0", "y1"]].tolist() == [2, 4, 0, 2]


@pytest.mark.parametrize("reward", [0.0, -3.25, 1e30])
def test_constant_rewards_fill_one_cell_with_room_around(reward: float) -> None:
    cells = reward_bins(scores([(reward, reward)] * 3))
    assert list(cells["count"]) == [3]
    assert (cells["x0"] < cells["x1"]).all()


def test_nothing_rated_gives_empty_bins() -> None:
    table = scores([(None, 1.0)])
    assert reward_bins(table).empty and margin_histogram(table).empty
    columns = ["bin", "x0", "x1", "verdict", "count", "start", "end"]
    assert list(margin_histogram(table).columns) == columns


@given(some_rewards)
def test_the_margin_histogram_counts_every_rated_row_once(rewards: list[Rewards]) -> None:
    histogram = margin_histogram(scores(rewards))
    assert histogram["count"].sum() == len(rewards)
    assert set(histogram[histogram["x0"] > 0]["verdict"]) <= {"agree"}
    assert set(histogram[histogram["x1"] < 0]["verdict"]) <= {"disagree"}
