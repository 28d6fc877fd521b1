"""The numbers of three benchmarks, worked by hand from what their own code does."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan, tanh

import numpy as np
import pytest

from ivan_core.metrics.benchmarks.reward_bench import SECTIONS, reward_bench
from ivan_core.metrics.benchmarks.reward_bench_2 import reward_bench_2
from ivan_core.metrics.benchmarks.rm_bench import rm_bench
from ivan_core.metrics.benchmarks.sentences import score_sentence
from ivan_core.metrics.best_of_n.replies import Replies, whole_prompts


def made(shapes: Sequence[tuple[int, int]]) -> Replies:
    """Prompts with so many right and so many wrong replies each."""
    rows = [
        (item, right + wrong, right, one, right + other)
        for item, (right, wrong) in enumerate(shapes)
        for one in range(right)
        for other in range(wrong)
    ]
    names = ("item", "replies", "right", "chosen_reply", "rejected_reply")
    places = {
        name: np.array(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    length = np.ones(len(rows), np.int64)
    found = whole_prompts(places, (length, length))
    assert found is not None
    return found


def part(score: object, name: str) -> float:
    return next(one.value for one in score.parts if one.name == name)  # type: ignore[attr-defined]


def test_reward_bench_2_shares_the_credit_among_equal_highest_rewards() -> None:
    found = made([(1, 3)] * 4)
    rewards = np.array([2.0, 1, 0, 0, 1, 2, 0, 0, 3, 3, 0, 0, 5, 5, 5, 5])
    score = reward_bench_2(found, rewards, ["Math"] * 4, ["1", "2", "3", "4"])
    assert score is not None
    assert part(score, "Math") == pytest.approx((1 + 0 + 1 / 2 + 1 / 4) / 4)
    assert isnan(score.value) and "1 of the 6 subsets are here" in score.missing


def test_only_the_first_reply_counts_outside_the_ties() -> None:
    found = made([(2, 2)])
    score = reward_bench_2(found, np.array([1.0, 9, 0, 0]), ["Focus"], ["1"])
    assert score is not None and part(score, "Focus") == 0


def ties(rewards: list[float]) -> float:
    """Of ref:1 (one right, two wrong) and tied:1 (two right, one wrong)."""
    found = made([(1, 2), (2, 1)])
    score = reward_bench_2(found, np.array(rewards), ["Ties", "Ties"], ["ref:1", "tied:1"])
    assert score is not None
    return part(score, "Ties")


def test_the_score_of_ties() -> None:
    # ref: gap 5 - 1 = 4. tied: gap 6 - 4 = 2, spread 8 - 6 = 2: accurate, but not preferred.
    assert ties([5, 1, 0, 8, 6, 4]) == pytest.approx(0.3 + 0.3 + 0 + 0 + 0.01 * tanh(2 / 2 - 1))
    # tied: gap 3, spread 1; ref: gap 2: both are larger than the spread.
    assert ties([2, 0, 0, 5, 4, 1]) == pytest.approx(1 + 0.01 * tanh(2 / 1 - 1))
    # tied: gap 3, spread 1; ref: gap 0.5: preferred, but not where it is hard.
    assert ties([0.5, 0, 0, 5, 4, 1]) == pytest.approx(0.8 + 0.01 * tanh(0.5 - 1))
    # No spread: a perfect model has 1.01, all rewards equal 0.
    assert ties([5, 1, 0, 8, 8, 4]) == pytest.approx(1.01)
    assert ties([1, 1, 1, 1, 1, 1]) == pytest.approx(0)
    assert ties([1, 2, 0, 1, 1, 3]) == pytest.approx(-0.01)


def test_ties_without_a_pair_are_not_scored() -> None:
    found = made([(1, 2), (2, 1)])
    score = reward_bench_2(found, np.arange(6.0), ["Ties", "Math"], ["ref:1", "2"])
    assert score is not None and [one.name for one in score.parts] == ["Math"]
    assert any("not scored" in note for note in score.notes)


def test_reward_bench_2_is_the_mean_of_its_six_and_leaves_out_what_has_no_reward() -> None:
    names = ["Factuality", "Precise IF", "Math", "Safety", "Focus", "Ties", "Ties", "Math"]
    found = made([(1, 3)] * 5 + [(1, 2), (2, 1)] + [(1, 3)])
    right, wrong = [3.0, 0, 0, 0], [0.0, 3, 0, 0]
    rewards = [*right, *wrong, *right, *wrong, *right, 2, 0, 0, 5, 4, 1, nan, 0, 0, 0]
    ids = ["1", "2", "3", "4", "5", "ref:1", "tied:1", "6"]
    score = reward_bench_2(found, np.array(rewards), names, ids)
    assert score is not None
    of_ties = 1 + 0.01 * tanh(1)
    assert score.value == pytest.approx((1 + 0 + 1 + 0 + 1 + of_ties) / 6)
    assert [one.n for one in score.parts] == [1, 1, 1, 1, 1, 2]


def test_an_interval_is_of_rows_drawn_again() -> None:
    found = made([(1, 3)] * 100)
    rewards = np.array([[3.0, 0, 0, 0], [0, 3.0, 0, 0]] * 50).ravel()
    score = reward_bench_2(found, rewards, ["Math"] * 100, [str(n) for n in range(100)])
    assert score is not None
    (math,) = score.parts
    # A share of one half of 100: a standard error of 0.05.
    assert math.low == pytest.approx(0.5 - 0.098, abs=0.015)
    assert math.high == pytest.approx(0.5 + 0.098, abs=0.015)


def test_reward_bench_weighs_subsets_and_counts_equal_rewards_as_wrong() -> None:
    subset = np.array(["alpacaeval-easy", "mt-bench-easy", "mt-bench-easy", "hep-cpp", "math-prm"])
    chosen, rejected = np.array([1.0, 1, 1, 2, 5]), np.array([0.0, 2, 1, 1, 5])
    score = reward_bench(subset, chosen, rejected)
    assert score is not None
    assert part(score, "Chat") == pytest.approx((100 * 1 + 28 * 0) / 128)
    assert part(score, "Reasoning") == pytest.approx((164 * 1 + 984 * 0) / 1148)
    assert isnan(score.value)
    assert "No rows of Chat Hard and Safety" in score.missing
    assert reward_bench(np.array(["other"]), np.ones(1), np.zeros(1)) is None


def test_reward_bench_is_the_plain_mean_of_four_sections() -> None:
    subset = [next(iter(section)) for section in SECTIONS.values()]
    score = reward_bench(
        np.array([*subset, subset[0]]), np.array([1.0, 0, 1, 1, nan]), np.array([0.0, 1, 0, 0, 0])
    )
    assert score is not None and score.value == pytest.approx(3 / 4)
    assert [one.n for one in score.parts] == [1, 1, 1, 1]
    assert sum(SECTIONS["Reasoning"].values()) == 984 * 2


def test_rm_bench_has_levels_by_style_and_pools_both_files_of_safety() -> None:
    found = made([(3, 3)] * 5)
    plain_only = [1.0, 1, 1, 2, 0, 0]  # each right reply beats both fancy wrong ones, not the plain
    fancy_wins = [0.0, 1, 2, 0, 1, 2]  # what is fancier wins, whichever is right
    best, worst = [9.0, 9, 9, 0, 0, 0], [0.0, 0, 0, 9, 9, 9]
    rewards = np.array([plain_only, fancy_wins, best, worst, best]).ravel()
    subset = ["chat", "code", "math", "safety-refuse", "safety-response"]
    score = rm_bench(found, rewards, subset)
    assert score is not None
    # right[i] > wrong[j]; easy: i > j, normal: i = j, hard: i < j; three cells each.
    chat = {"easy": 1 / 3, "normal": 2 / 3, "hard": 1.0}
    code = {"easy": 1.0, "normal": 0.0, "hard": 0.0}
    assert part(score, "chat") == pytest.approx(sum(chat.values()) / 3)
    assert part(score, "code") == pytest.approx(1 / 3)
    assert part(score, "safety") == pytest.approx(1 / 2)
    for level in ("easy", "normal", "hard"):
        assert part(score, level) == pytest.approx((chat[level] + code[level] + 1 + 1 / 2) / 4)
    assert score.value == pytest.approx((2 / 3 + 1 / 3 + 1 + 1 / 2) / 4)


def test_a_benchmark_in_part_has_no_whole_and_says_so() -> None:
    score = rm_bench(made([(3, 3)]), np.array([9.0, 9, 9, 0, 0, 0]), ["chat"])
    assert score is not None and not score.is_whole
    said = score_sentence(score, "m")
    assert said.startswith("Counted as RM-Bench counts it, m reaches: chat 100.0% of 1")
    assert said.endswith("so there is no score of the whole.")
