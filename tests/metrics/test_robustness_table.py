"""Every measure of a rewording beside its references, with numbers worked by hand."""

from __future__ import annotations

from given.tables.rewordings import Rewards, table

from ivan_core.metrics.robustness.changes import ORIGINAL, REWORDED, SECOND, SURFACE, robustness
from ivan_core.metrics.robustness.table import measures

# Margins 1, 1, -1, -1: a typical margin is 1. Rewording adds 0.5 to each chosen reward, and turns
# the third verdict; a second rewording adds 0.25 more; punctuation moves nothing.
BEFORE: Rewards = [(2, 1), (3, 2), (1, 2), (0, 1)]
AFTER: Rewards = [(2.5, 1), (3.5, 2), (2.5, 2), (0.5, 1)]
AGAIN: Rewards = [(2.75, 1), (3.75, 2), (2.75, 2), (0.75, 1)]
MADE = table({ORIGINAL: BEFORE, REWORDED: AFTER, SECOND: AGAIN, SURFACE: BEFORE})


def cells() -> dict[str, tuple[str, ...]]:
    found = {
        REWORDED: robustness(MADE, "m"),
        SURFACE: robustness(MADE, "m", SURFACE),
        SECOND: robustness(MADE, "m", SECOND, before=REWORDED),
    }
    return {row.pop("measure"): tuple(row.values()) for row in measures(found)}


def test_means_stand_in_typical_margins_and_in_the_models_own_units() -> None:
    found = cells()
    assert found["pairs"] == ("4", "4", "4")
    # Chosen: +0.5, +0.5, +1.5, +0.5; then +0.25 each.
    told = found["reward of the chosen reply, in typical margins"]
    assert [one.split(" ")[0] for one in told] == ["+0.75", "0.00", "+0.25"]
    assert told[0] == "+0.75 [−0.05, +1.55]"  # 0.25 times Student's 3.182 for four pairs
    assert found["reward of the chosen reply, in its own units"][0] == "+0.75 [−0.0456, +1.55]"
    assert found["reward of the rejected reply, in its own units"][0].startswith("0 ")
    assert found["margin, in typical margins"][2] == "+0.25 [+0.25, +0.25]"


def test_flips_are_shares_of_the_pairs_that_could() -> None:
    found = cells()
    assert [one.split(", ")[-1] for one in found["verdict no longer agrees"]] == [
        "0 of 2",
        "0 of 2",
        "0 of 3",
    ]
    assert [one.split(", ")[-1] for one in found["verdict agrees now"]] == [
        "1 of 2",
        "0 of 2",
        "0 of 1",
    ]
    assert found["correlation of the rejected reply's rewards"][0] == "1.000 [1.000, 1.000]"


def test_a_run_without_a_second_rewording_has_no_column_for_it() -> None:
    made = measures({REWORDED: robustness(MADE, "m"), SURFACE: None})
    assert set(made[0]) == {"measure", "reworded"}


def test_a_model_without_a_scale_has_its_own_units_only() -> None:
    flat = table({ORIGINAL: [(1, 1), (2, 2)], REWORDED: [(2, 1), (3, 2)]})
    found = {row["measure"]: row["reworded"] for row in measures({REWORDED: robustness(flat, "m")})}
    assert found["margin, in typical margins"] == "–"
    assert found["margin, in its own units"] == "+1 [+1, +1]"
