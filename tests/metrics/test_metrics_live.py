"""Agreement while a run is at work: its points end in the final rate and stay few."""

from __future__ import annotations

import pandas as pd
from given.made_scores import Rewards, chunk_counts, scores, some_rewards
from hypothesis import given, strategies as st

from ivan_core.metrics.agreement import agreement, count_verdicts, running_agreement


@given(some_rewards, st.integers(1, 5))
def test_the_last_live_point_is_the_final_rate(rewards: list[Rewards], size: int) -> None:
    table = scores(rewards, step=[row // size for row in range(len(rewards))])
    points = running_agreement(chunk_counts(table))
    final = agreement(count_verdicts(table))
    last = points.iloc[-1]
    assert final is not None
    assert (last["model"], last["n"]) == ("m", final.n)
    assert (last["rate"], last["low"], last["high"]) == (final.rate, final.low, final.high)


def test_live_points_are_thinned_and_keep_both_ends() -> None:
    chunks = pd.DataFrame({"step": range(2000), "agree": 1, "tie": 0, "disagree": 1})
    points = running_agreement(chunks)
    assert len(points) == 500
    assert (points["n"].iloc[0], points["n"].iloc[-1]) == (2, 4000)
    assert points["n"].is_monotonic_increasing


def test_live_starts_with_the_first_rated_pair() -> None:
    chunks = pd.DataFrame({"step": [1, 0], "agree": [1, 0], "tie": [0, 0], "disagree": [1, 0]})
    points = running_agreement(chunks)
    assert points[["step", "n", "rate"]].values.tolist() == [[1, 2, 0.5]]
