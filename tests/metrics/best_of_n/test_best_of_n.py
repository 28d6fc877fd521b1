"""Best of N by numbers worked by hand: credit, chance, length rules, what is left out."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest

from ivan_core.metrics.best_of_n.rates import BestOfN
from ivan_core.metrics.best_of_n.replies import Replies, deciding, picked, whole_prompts
from ivan_core.metrics.best_of_n.sentences import best_sentence, pairs_sentence
from ivan_core.metrics.intervals import mean_share, wilson

# Prompt 0: replies 0 (right), 1, 2, 3; prompt 1: replies 0 and 1 right, 2 wrong.
PLACES = {
    "item": [0, 0, 0, 1, 1],
    "replies": [4, 4, 4, 3, 3],
    "right": [1, 1, 1, 2, 2],
    "chosen_reply": [0, 0, 0, 0, 1],
    "rejected_reply": [1, 2, 3, 2, 2],
}
CHOSEN_LENGTH = np.array([30, 30, 30, 5, 9])
REJECTED_LENGTH = np.array([10, 20, 40, 7, 7])


def replies() -> Replies:
    places = {name: np.array(values) for name, values in PLACES.items()}
    found = whole_prompts(places, (CHOSEN_LENGTH, REJECTED_LENGTH))
    assert found is not None
    return found


def test_pairs_become_the_replies_they_were_made_of() -> None:
    found = replies()
    assert found.sizes.tolist() == [4, 3]
    assert found.right.tolist() == [True, False, False, False, True, True, False]
    assert found.lengths.tolist() == [30, 10, 20, 40, 5, 9, 7]
    assert found.chance.tolist() == [1 / 4, 2 / 3]
    rewards = found.rewards(
        np.array([1.0, 1.0, 1.0, 5.0, 6.0]), np.array([0.0, 0.5, 2.0, 4.0, 4.0])
    )
    assert rewards.tolist() == [1, 0, 0.5, 2, 5, 6, 4]


def test_a_prompt_counts_only_with_all_its_pairs() -> None:
    keep = [0, 1, 3, 4]
    places = {name: np.array(values)[keep] for name, values in PLACES.items()}
    found = whole_prompts(places, (CHOSEN_LENGTH[keep], REJECTED_LENGTH[keep]))
    assert found is not None and found.items.tolist() == [1]
    assert found.pairs.tolist() == [2, 3]
    only_two = {
        "item": [0],
        "replies": [2],
        "right": [1],
        "chosen_reply": [0],
        "rejected_reply": [1],
    }
    two = {name: np.array(values) for name, values in only_two.items()}
    assert whole_prompts(two, (np.array([1]), np.array([2]))) is None
    tied = {**two, "replies": np.array([3]), "right": np.array([0])}
    assert whole_prompts(tied, (np.array([1]), np.array([2]))) is None


@pytest.mark.parametrize(
    "rewards, worth",
    [
        ([9, 1, 2, 3, 5, 6, 4], [1, 1]),
        ([1, 9, 2, 3, 5, 4, 6], [0, 0]),
        ([3, 3, 3, 1, 6, 6, 6], [1 / 3, 2 / 3]),
        ([0, 0, 0, 0, 6, 6, 4], [1 / 4, 1]),
        ([0, 2, 2, 0, 6, 4, 6], [0, 1 / 2]),
    ],
)
def test_equal_highest_rewards_share_the_credit(rewards: list[float], worth: list[float]) -> None:
    assert picked(np.array(rewards, np.float64), replies()) == pytest.approx(worth)


def test_a_prompt_without_all_rewards_is_left_out_and_counted() -> None:
    found = replies()
    rewards = np.array([1, 0, nan, 0, 5, 6, 4])
    worth = picked(rewards, found)
    assert isnan(worth[0]) and worth[1] == 1
    row = of_one(found, rewards).of("m")
    assert (row["n"], row["rate"], row["left_out"]) == (1, 1.0, 1)
    assert "1 prompt with a reply that it did not rate left out" in pairs_sentence(row)


def test_a_reply_with_the_text_of_another_has_its_reward() -> None:
    found = replies()
    rewards = np.array([1, nan, 0.5, 2, 5, 6, 4])
    identical = np.array([True, False, False, False, False])
    assert found.alike(rewards, identical).tolist() == [1, 1, 0.5, 2, 5, 6, 4]
    assert isnan(found.alike(rewards, np.zeros(5, np.bool_))[1])


def of_one(found: Replies, rewards: np.ndarray, counted: list[bool] | None = None) -> BestOfN:
    every = np.array(counted or [True, True])
    return BestOfN(
        found, {"m": rewards}, {"m": every}, np.array([0, 1]), ("maths", "chat"), np.array([0, 1])
    )


def test_rates_by_subset_beside_chance_and_length() -> None:
    # Prompt 0: 40 characters is the longest, a wrong one; the shortest too is wrong.
    # Prompt 1: the longest (9) and the shortest (5) are both right.
    best = of_one(replies(), np.array([9.0, 1, 2, 9, 5, 4, 6]))
    table = best.rates()
    assert table["subset"].tolist() == ["all", "chat", "maths"]
    every = table.iloc[0]
    assert every["rate"] == pytest.approx((1 / 2 + 0) / 2)
    assert every["chance"] == pytest.approx((1 / 4 + 2 / 3) / 2)
    assert (every["longest"], every["shortest"]) == (0.5, 0.5)
    assert every["shared"] == 1
    # Pairs: 2 of 3 (9 = 9 is not more) and 0 of 2, each prompt counting once.
    assert every["pairs"] == pytest.approx((2 / 3 + 0) / 2)
    assert best.sizes == (3, 4)


def test_prompts_a_model_was_trained_on_do_not_count() -> None:
    row = of_one(replies(), np.array([9.0, 1, 2, 3, 5, 4, 6]), [False, True]).of("m")
    assert (row["n"], row["rate"]) == (1, 0.0)


def test_the_pair_that_decides_is_the_best_right_against_the_best_wrong_reply() -> None:
    found = replies()
    assert deciding(np.array([9.0, 1, 3, 3, 5, 6, 4]), found).tolist() == [1, 4]
    assert deciding(np.array([9.0, nan, 3, 3, 6, 5, 4]), found).tolist() == [3]


def test_the_interval_of_credits_is_wilsons_and_as_wide_as_groups_ask() -> None:
    found = mean_share(np.array([1.0, 0, 0, 1, 1]), np.arange(5))
    count = wilson(3, 5)
    assert found is not None and count is not None
    assert (found.rate, found.low, found.high) == pytest.approx((0.6, count.low, count.high))
    together = mean_share(np.array([1.0, 1, 0, 0]), np.array([0, 0, 1, 1]))
    assert together is not None and (together.design, together.effective_n) == (3, 1)
    assert mean_share(np.zeros(0), np.zeros(0, np.int64)) is None


def test_the_sentence_has_n_interval_chance_and_both_rules() -> None:
    best = of_one(replies(), np.array([9.0, 1, 2, 9, 5, 4, 6]))
    said = best_sentence(best.of("m"), best.sizes)
    assert said.startswith("m rewards a right reply most for 25% of 2 prompts with 3 to 4 replies")
    assert "one drawn at random is right for 46%, the longest for 50%, the shortest for 50%" in said
    assert "In 1 several share the highest reward and the credit." in said
