"""Curves of a rewording at work: numbers by hand, axes that hold still, alternative texts."""

from __future__ import annotations

import pytest

from ivan_core.charts.live import changes_so_far, flips_so_far, running_flips

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


@pytest.mark.parametrize("dark", [None, False, True])
def test_the_axes_are_those_of_the_whole_run_and_the_text_tells_the_numbers(
    dark: bool | None,
) -> None:
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


def test_nothing_yet_is_a_chart_that_says_so() -> None:
    assert "none of 480 pairs" in flips_so_far(running_flips({}), 480).to_dict()["description"]
