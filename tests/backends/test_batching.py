"""Batches under a token budget, and the choice of the budget."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from ivan_core.backends.reward_models import batching
from ivan_core.backends.reward_models.batching import ONE_AT_A_TIME, fastest_budget, token_batches

LENGTHS = st.lists(st.integers(0, 600), max_size=60)


def test_like_lengths_share_a_batch_longest_first() -> None:
    # Budget 10: 5 + padded 5 fit; 3 alone would make 15; then 3, 2, 2 padded to 9.
    assert token_batches([2, 5, 3, 5, 2], 10) == [[1, 3], [2, 0, 4]]


def test_a_text_longer_than_the_budget_is_a_batch_of_its_own() -> None:
    assert token_batches([30, 4, 4], 10) == [[0], [1, 2]]


def test_budget_zero_means_one_text_a_batch() -> None:
    assert token_batches([1, 3, 2], ONE_AT_A_TIME) == [[1], [2], [0]]


def test_no_texts_make_no_batches() -> None:
    assert token_batches([], 10) == []


@given(LENGTHS, st.integers(0, 2_000))
def test_every_text_is_in_one_batch_and_no_padded_batch_passes_the_budget(
    lengths: list[int], budget: int
) -> None:
    batches = token_batches(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        width = max(lengths[index] for index in batch)
        assert len(batch) == 1 or len(batch) * width <= budget


@given(LENGTHS, st.integers(0, 2_000))
def test_batches_go_from_long_to_short(lengths: list[int], budget: int) -> None:
    order = [lengths[index] for batch in token_batches(lengths, budget) for index in batch]
    assert order == sorted(order, reverse=True)


@pytest.fixture
def takes(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[int, list[float]]], list[int]]:
    """A clock by which each run of a budget takes the next of its given seconds."""

    def _takes(seconds: dict[int, list[float]]) -> list[int]:
        now = 0.0
        ran: list[int] = []

        def run(budget: int) -> None:
            nonlocal now
            now += seconds[budget][ran.count(budget)]
            ran.append(budget)

        monkeypatch.setattr(batching, "perf_counter", lambda: now)
        budgets = [budget for budget in seconds if budget != ONE_AT_A_TIME]
        return [fastest_budget(run, budgets), *ran]

    return _takes


def test_the_quickest_budget_wins_in_alternating_rounds(
    takes: Callable[[dict[int, list[float]]], list[int]],
) -> None:
    assert takes({0: [5, 5], 512: [3, 3], 1024: [4, 4]}) == [512, 0, 512, 1024, 0, 512, 1024]


def test_one_slow_round_does_not_decide(
    takes: Callable[[dict[int, list[float]]], list[int]],
) -> None:
    assert takes({0: [5, 5], 512: [99, 2], 1024: [4, 4]})[0] == 512


def test_one_text_at_a_time_may_win(takes: Callable[[dict[int, list[float]]], list[int]]) -> None:
    assert takes({0: [1, 1], 512: [3, 3]})[0] == ONE_AT_A_TIME
