"""Runs on published layouts: best of N, a benchmark's own count, strengths, and the rows behind."""

from __future__ import annotations

import io
from math import tanh
from pathlib import Path

import pytest
from given.layouts import scored

from ivan_core.domain.errors import BadInput
from ivan_core.engine.figures import caption, figure
from ivan_core.experiments.compare import clicks
from ivan_core.experiments.compare.conditions import LANGUAGE, Sort, listing
from ivan_core.experiments.compare.figures import FIGURES
from ivan_core.experiments.compare.published.figures import PUBLISHED_CHARTS
from ivan_core.experiments.compare.published.prompt import answers_of
from ivan_core.experiments.compare.published.told import best_lead, told_of_best
from ivan_core.experiments.compare.report import print_results
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.experiments.compare.sentences import quotes
from ivan_core.experiments.compare.verdicts import Deciding, VerdictIs
from ivan_core.lists.conditions import Condition, Filter, matching_rows
from ivan_core.lists.pairs import ColumnIn, SubsetIs
from ivan_core.lists.url import query_of, read_filter

STRENGTHS = [-3, -1, -1, -2, -3, -1]
"""Of HelpSteer3: the first reply is better, ever more strongly."""


def chart(name: str) -> object:
    return next(one for one in PUBLISHED_CHARTS if one.name == name)


def rows_of(results: Results, *conditions: Condition) -> list[int]:
    return sorted(matching_rows(listing(results), Filter(LANGUAGE, conditions, sort=Sort())))


@pytest.fixture
def results(data_dir: Path, tmp_path: Path) -> Results:
    return open_results(scored.second(tmp_path))


def test_best_of_n_by_hand(results: Results) -> None:
    best = results.best_of_n
    assert best is not None and best.sizes == (3, 4)
    rates = best.rates().set_index(["model", "subset"])
    # A right reply on top of prompts 0, 3, 4; a third of prompt 2.
    assert rates.loc[("better", "all"), "rate"] == pytest.approx((1 + 0 + 1 / 3 + 1 + 1) / 5)
    assert rates.loc[("better", "Math"), "rate"] == 0.5
    assert rates.loc[("worse", "all"), "rate"] == pytest.approx((0 + 0 + 0 + 1 + 0) / 5)
    assert rates.loc[("better", "all"), "chance"] == pytest.approx((3 / 4 + 1 / 3 + 1 / 2) / 5)
    assert rates.loc[("better", "all"), "shared"] == 1


def test_the_benchmarks_own_count_stands_beside_and_says_what_is_missing(results: Results) -> None:
    score = results.benchmark["better"]
    parts = {part.name: part.value for part in score.parts}
    assert parts["Math"] == 0.5 and parts["Safety"] == pytest.approx(1 / 3)
    # ref: gap 3 - 1 = 2; tied: gap 5 - 2 = 3, spread 1.
    assert parts["Ties"] == pytest.approx(1 + 0.01 * tanh(2 / 1 - 1))
    assert not score.is_whole and "3 of the 6 subsets are here" in score.missing


def test_what_is_printed_and_quoted_is_the_same(results: Results) -> None:
    out = io.StringIO()
    print_results(results.run.id, out)
    told = told_of_best(results)
    assert len(told) == 2
    assert told[0].startswith("better rewards a right reply most for 67% of 5 prompts with 3 to 4")
    assert "In 1 several share the highest reward and the credit." in told[0]
    quoted = [quote.sentence for quote in quotes(results)]
    for sentence in told:
        assert sentence in out.getvalue() and sentence in quoted
    assert any(one.startswith("Counted as RewardBench 2 counts it, better") for one in quoted)
    assert best_lead(results).startswith(
        "Among the 3 to 4 replies to a prompt a right one gets the highest reward of better in 67%"
        " of 5 prompts"
    )


def test_a_bar_leads_to_the_prompts_it_misses_each_by_its_deciding_pair(results: Results) -> None:
    # better misses prompt 1 alone: its right reply against the 4 of its first wrong one, pair 3.
    asked = clicks.of_best(results, {"model": "better", "subset": "all"})
    assert rows_of(results, *asked) == [3]
    assert asked[0] == Deciding(model="better")
    # worse misses 0, 1, 2 and 4.
    missed = rows_of(results, *clicks.of_best(results, {"model": "worse", "subset": "all"}))
    assert missed == [2, 3, 6, 13]
    of_math = rows_of(results, *clicks.of_best(results, {"model": "worse", "subset": "Math"}))
    assert of_math == [2, 3]
    assert rows_of(results, Deciding(model="better"), VerdictIs(model="better", verdict="tie")) == [
        6
    ]
    assert clicks.of_best(results, {"model": "better"}) == ()
    some = results.only(results.aligned.row_ids[:5], bare=True)  # two pairs of prompt 1
    assert Deciding(model="better").known(listing(some)).tolist() == [True] * 3 + [False] * 2


def test_the_condition_goes_through_an_address_and_is_refused_where_it_makes_no_sense(
    results: Results, data_dir: Path, tmp_path: Path
) -> None:
    wanted = Filter(LANGUAGE, (Deciding(model="better"), SubsetIs(label="Math")), sort=Sort())
    assert read_filter(LANGUAGE, query_of(wanted)) == (wanted, [])
    with pytest.raises(BadInput, match="has no model gone"):
        Deciding(model="gone").check(listing(results))
    folder = tmp_path / "two"
    folder.mkdir()
    pairs = open_results(helpsteer(folder))
    with pytest.raises(BadInput, match="No prompt of this run has several replies"):
        Deciding(model="one").check(listing(pairs))
    assert pairs.best_of_n is None and pairs.benchmark == {}
    assert chart("best-of-n").lacking(pairs) is not None  # type: ignore[attr-defined]


def test_picked_rows_count_whole_prompts_alone_and_have_no_intervals(results: Results) -> None:
    some = results.only(results.aligned.row_ids[:5], bare=True)  # prompt 0 whole, two of prompt 1
    (told, _) = told_of_best(some)
    assert told.startswith("better rewards a right reply most for 100% of 1 prompt with 4 replies")
    assert "[" not in told
    none = results.only(results.aligned.row_ids[:2], bare=True)
    assert none.best_of_n is None and told_of_best(none) == []


def test_the_replies_of_a_prompt_stand_by_reward(results: Results) -> None:
    answers = answers_of(results, 4, "better")  # a pair of prompt 1
    assert [one.place for one in answers] == [1, 2, 3, 0]
    assert [one.right for one in answers] == [False, False, False, True]
    assert answers[0].text == "Eight." and answers[0].rewards == {"better": 4, "worse": 4}
    assert answers[2].text == "<b>Ten</b> Human: x"
    assert [one.row_id for one in answers] == [3, 4, 5, 3]
    assert answers_of(results, 999, "better") == []


def helpsteer(folder: Path) -> str:
    """A run of two models on six pairs of HelpSteer3, one margin growing with the preference."""
    rows = [
        {
            "domain": "code",
            "language": "python",
            "context": [{"role": "user", "content": f"Question {at}?"}],
            "response1": f"A good answer, {at}.",
            "response2": f"Another, {at}.",
            "overall_preference": strength,
            "individual_preference": [],
        }
        for at, strength in enumerate(STRENGTHS)
    ]
    growing = [(-float(strength), 0.0) for strength in STRENGTHS]
    return scored.imported(folder, rows, {"one": growing, "flat": [(1.0, 0.0)] * 6})


def test_margins_by_strength_by_hand(data_dir: Path, tmp_path: Path) -> None:
    results = open_results(helpsteer(tmp_path))
    table = results.strength
    assert table is not None
    one = table[table["model"] == "one"].set_index("strength")
    assert one.index.tolist() == ["1", "2", "3"]
    # The typical margin is the root of the mean of 9, 1, 1, 4, 9, 1.
    unit = (25 / 6) ** 0.5
    assert one["mean"].tolist() == pytest.approx([1 / unit, 2 / unit, 3 / unit])
    assert one["n"].tolist() == [3, 1, 2]
    told = [quote.sentence for quote in quotes(results) if "strength" in quote.sentence]
    assert any(
        "Rank correlation of margin and strength: +1.00 over 6 pairs." in one for one in told
    )
    flat = next(one for one in told if one.startswith("flat likes the chosen reply more by +1.00"))
    assert "Rank correlation" not in flat
    asked = clicks.of_strength(results, {"model": "one", "strength": "3"})
    assert rows_of(results, *asked) == [0, 4]


def test_a_range_of_a_number_of_the_dataset_is_a_condition(data_dir: Path, tmp_path: Path) -> None:
    results = open_results(helpsteer(tmp_path))
    assert rows_of(results, ColumnIn(column="strength", low=2)) == [0, 3, 4]
    assert rows_of(results, ColumnIn(column="strength", low=1, high=1)) == [1, 2, 5]
    wanted = Filter(LANGUAGE, (ColumnIn(column="strength", low=2.0),), sort=Sort())
    assert read_filter(LANGUAGE, query_of(wanted)) == (wanted, [])
    assert wanted.chips()[0].label == "strength: from 2"
    for column in ("language", "chosen_hash", "gone"):
        with pytest.raises(BadInput, match="no column of numbers"):
            ColumnIn(column=column, low=2).check(listing(results))


@pytest.mark.parametrize("name", ["best-of-n", "strength"])
def test_each_chart_has_its_numbers_its_caption_and_a_reason_where_it_is_lacking(
    name: str, results: Results, tmp_path: Path
) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    pairs = open_results(helpsteer(folder))
    has, lacks = (results, pairs) if name == "best-of-n" else (pairs, results)
    one = next(one for one in FIGURES.charts if one.name == name)
    assert one.lacking(has) is None and one.lacking(lacks) is not None
    drawn = one.draw(has)
    assert len(drawn.data) and not isinstance(drawn.chart(), str)
    assert "95% interval" in drawn.caption and "[" in drawn.caption
    csv = figure(has.run.id, name, "csv").decode()
    assert csv.splitlines()[0] == ",".join(drawn.data.columns)
    for where in ("", "subset=Math" if name == "best-of-n" else "verdict=one~agree"):
        assert figure(has.run.id, name, "svg", where=where or None).startswith(b"<svg")
        assert "NaN" not in caption(has.run.id, name, where=where or None)


def test_rm_bench_and_reward_bench_are_counted_as_themselves_by_their_layouts(
    data_dir: Path, tmp_path: Path
) -> None:
    styles = {"id": 1, "chosen": ["a", "a a", "**a**"], "rejected": ["b", "b b", "**b**"]}
    rows = [
        {**styles, "prompt": f"{n}?", "domain": name} for n, name in enumerate(("chat", "code"))
    ]
    rewards = [[2.0, 2, 2, 1, 3, 3], [9.0, 9, 9, 0, 0, 0]]
    results = open_results(scored.imported(tmp_path, rows, {"m": scored.pairs_of(rewards, (3, 3))}))
    score = results.benchmark["m"]
    # Each right reply beats the plain wrong one alone: all of easy but one cell, a third of normal.
    assert {one.name: one.value for one in score.parts} == {
        "chat": pytest.approx((2 / 3 + 1 / 3 + 0) / 3),
        "code": 1.0,
    }
    assert results.benchmark_name == "RM-Bench" and "No rows of math and safety" in score.missing
    folder = tmp_path / "first"
    folder.mkdir()
    first = [
        {
            "prompt": f"{n}?",
            "chosen": "Yes, that is so.",
            "chosen_model": "m1",
            "rejected": "No.",
            "rejected_model": "m2",
            "subset": name,
            "id": n,
        }
        for n, name in enumerate(("alpacaeval-easy", "mt-bench-easy"))
    ]
    results = open_results(scored.imported(folder, first, {"m": [(1.0, 1.0), (2.0, 1.0)]}))
    assert results.benchmark_name == "RewardBench"
    assert results.benchmark["m"].parts[0].value == pytest.approx(28 / 128)
    assert results.best_of_n is None
