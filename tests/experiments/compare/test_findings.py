"""Findings: what a comparison shows at a glance, with numbers made by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd

from ivan_core.domain.runs import RunState
from ivan_core.experiments.analysis.figures import difference_title
from ivan_core.experiments.compare.findings import findings
from ivan_core.experiments.compare.results import Results

LONGER, SHORTER = (20, 10), (10, 20)


def results(*rows: tuple[str, int, str, float, tuple[int, int]], chosen_by: str = "choice"):
    """Results from (model, row id, subset, margin, lengths); the dataset is all but left out."""
    table = pd.DataFrame(
        {
            "row_id": row_id,
            "model": model,
            "subset": subset,
            "margin": float(margin),
            "chosen_reward": float(margin),
            "rejected_reward": 0.0,
            "verdict": "tie" if margin == 0 else "agree" if margin > 0 else "disagree",
            "chosen_truncated": False,
            "rejected_truncated": False,
            "failure": None,
            "identical": False,
            "chosen_length": lengths[0],
            "rejected_length": lengths[1],
            "seen": None,
            "step": 0,
        }
        for model, row_id, subset, margin, lengths in rows
    )
    about = {"request": {"source": "pairs.jsonl"}}
    dataset = SimpleNamespace(chosen_by=chosen_by, about=about, prompt_groups=None)
    return Results(SimpleNamespace(state=RunState.DONE), None, dataset, table, {}, None)


def many(model: str, agree: int, disagree: int, subset="s", lengths=LONGER, first=0):
    margins = [1.0] * agree + [-1.0] * disagree
    return [(model, first + i, subset, m, lengths) for i, m in enumerate(margins)]


def test_two_models_that_agree_on_all_give_no_finding():
    assert findings(results(*many("a", 10, 10), *many("b", 10, 10))) == []


def test_disagreement_is_a_share_of_all_pairs_and_leads_to_the_sharpest():
    one = [("a", 0, "s", 1, LONGER), ("a", 1, "s", 1, LONGER), ("a", 2, "s", 5, LONGER)]
    two = [("b", 0, "s", 1, LONGER), ("b", 1, "s", -1, LONGER), ("b", 2, "s", -1, LONGER)]
    (finding,) = findings(results(*one, *two))
    assert finding.sentence == "The two models disagree on 67% [21, 94] of 3 pairs."
    assert finding.link == "Read the 2 sharpest (press D for the next)"
    assert finding.row == 2


def test_a_single_disagreement_is_it():
    (finding,) = findings(results(("a", 4, "s", 1, LONGER), ("b", 4, "s", -1, LONGER)))
    assert finding.sentence == "The two models disagree on 100% [21, 100] of 1 pair."
    assert finding.link == "Read it"
    assert finding.row == 4


def parting(first: str, second: str):
    """Two models apart on the first subset, 38 and 10 of 40, and alike on the second."""
    return results(
        *many("a", 38, 2, first),
        *many("a", 20, 20, second, first=40),
        *many("b", 10, 30, first),
        *many("b", 20, 20, second, first=40),
    )


def test_where_two_models_part_comes_first_with_the_bars_of_every_subset():
    found = findings(parting("x", "y"))
    assert found[0].sentence == (
        "On x pairs a sides with the choice in 95% [83, 99] of 40, b in 25% [14, 40]."
        " On y pairs the difference may be chance: 50% [35, 65] against 50% [35, 65] of 40."
    )
    assert found[0].row in range(10, 38)
    assert [(bar.name, bar.label) for bar in found[0].bars] == [
        ("a, x", "95%"),
        ("b, x", "25%"),
        ("a, y", "50%"),
        ("b, y", "50%"),
    ]
    assert found[1].sentence.startswith("The two models disagree on 35%")
    # On x both agree on 10 of 40, only a on 28; on y both on 20 and neither on 20.
    assert [(bar.name, bar.label) for bar in found[1].bars] == [
        ("only a agrees", "35%"),
        ("only b agrees", "0%"),
        ("both agree", "38%"),
        ("neither", "28%"),
    ]
    assert sum("On x pairs" in finding.sentence for finding in found) == 1


def test_pairs_without_a_subset_are_a_subset_too():
    found = findings(parting("", "y"))
    assert found[0].sentence.startswith("On pairs of no subset a sides with")
    assert found[0].row in range(10, 38)


def test_a_gap_that_is_the_same_on_every_subset_stays_second():
    rows = [(name, *cut) for name in "xy" for cut in (("a", 38, 2), ("b", 10, 30))]
    made = [
        row
        for subset, model, agree, disagree in rows
        for row in many(model, agree, disagree, subset, first=40 * "xy".index(subset))
    ]
    found = findings(results(*made))
    assert found[0].sentence.startswith("The two models disagree on ")
    assert found[1].sentence == (
        "On x pairs a sides with the choice in 95% [83, 99] of 40, b in 25% [14, 40] of 40."
    )


def test_a_run_that_is_not_done_or_rows_picked_from_it_tell_no_contrast():
    done = parting("x", "y")
    assert done.contrast is not None
    stopped = replace(done, run=SimpleNamespace(state=RunState.CANCELLED))
    assert stopped.contrast is None
    assert replace(done, whole=done).contrast is None


def test_a_gap_within_its_intervals_is_no_finding():
    rows = [*many("a", 12, 8, "x"), *many("b", 10, 10, "x")]
    assert all(" pairs a " not in finding.sentence for finding in findings(results(*rows)))


def test_a_model_that_only_sees_length_is_named():
    rows = [*many("a", 38, 2), *many("a", 4, 36, lengths=SHORTER, first=40)]
    (finding,) = findings(results(*rows))
    assert finding.sentence == (
        "a leans to the longer reply: it sides with the choice in 10% [4, 23] of 40 where the"
        " shorter was chosen and in 95% [83, 99] of 40 where the longer was."
    )
    assert finding.row is not None


def test_nothing_rated_finds_nothing():
    failed = results(*many("a", 1, 1), *many("b", 1, 1))
    failed.table["verdict"] = None
    failed.table["margin"] = float("nan")
    assert findings(failed) == []


def test_disagreement_counts_the_pairs_that_two_models_rated():
    one = [("a", row, "s", 1, LONGER) for row in range(4)]
    two = [("b", row, "s", -1 if row else 1, LONGER) for row in range(4)]
    found = results(*one, *two)
    failed = found.table["row_id"].eq(3) & found.table["model"].eq("b")
    found.table.loc[failed, "verdict"] = None
    found.table.loc[failed, "margin"] = float("nan")
    (finding,) = findings(found)
    assert finding.sentence == "The two models disagree on 67% [21, 94] of 3 pairs."


def test_models_of_one_name_are_told_apart_in_bars_and_titles():
    one = [("a/rm", row, "s", 1, LONGER) for row in range(4)]
    two = [("b/rm", row, "s", -1, LONGER) for row in range(4)]
    (finding,) = findings(results(*one, *two))
    assert [bar.name for bar in finding.bars] == ["a/rm", "b/rm"]
    assert difference_title("a/rm", "b/rm") == "a/rm less b/rm"
    assert difference_title("a/rm", "b/other") == "rm less other"
