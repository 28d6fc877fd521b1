"""Which budgets compete for a model, and which wins: by a clock that each score moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ivan_core.backends.reward_models import batching, tuning
from ivan_core.backends.reward_models.tokens import TokenRow

PROBES = [TokenRow([1, *[pair] * 9, side]) for pair in range(12) for side in (0, 1)]


class Clock:
    """A model whose texts each take so long, by the budget they are batched under."""

    def __init__(self, seconds: Callable[[int], float]) -> None:
        self.now, self.seconds = 0.0, seconds
        self.tried: list[int] = []
        self.rows: list[list[TokenRow]] = []

    def score(self, rows: Sequence[TokenRow], budget: int) -> None:
        self.now += len(rows) * self.seconds(budget)
        self.tried.append(budget)
        self.rows.append(list(rows))


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], float]], Clock]:
    def make(seconds: Callable[[int], float]) -> Clock:
        clock = Clock(seconds)
        monkeypatch.setattr(tuning, "perf_counter", lambda: clock.now)
        monkeypatch.setattr(batching, "perf_counter", lambda: clock.now)
        return clock

    return make


def test_prompts_read_once_compete_with_single_texts_and_ordinary_batches(clocked) -> None:
    clock = clocked(lambda budget: {0: 0.002, -1024: 0.001}.get(budget, 0.003))
    assert tuning.cpu_budget(clock.score, PROBES, gains=True) == -1024
    assert set(clock.tried) == {0, 512, 1024, 2048, 4096, -512, -1024, -2048, -4096}


def test_where_they_are_slower_here_they_are_not_taken(clocked) -> None:
    clock = clocked(lambda budget: 0.002 if budget == 0 else 0.003)
    assert tuning.cpu_budget(clock.score, PROBES, gains=True) == 0


def test_without_a_gain_they_are_not_even_tried(clocked) -> None:
    clock = clocked(lambda budget: 0.002)
    tuning.cpu_budget(clock.score, PROBES, gains=False)
    assert min(clock.tried) == 0


def test_a_slow_model_tries_the_smallest_budget_alone_with_whole_pairs(clocked) -> None:
    # A text takes 0.04 s: of nine candidates twice, two seconds allow 2 texts; of three, 8.
    clock = clocked(lambda budget: 0.03 if budget < 0 else 0.04)
    assert tuning.cpu_budget(clock.score, PROBES, gains=True) == -512
    assert set(clock.tried) == {0, 512, -512}
    assert {len(rows) for rows in clock.rows[2:]} == {8}
    assert clock.now < 2.1


@pytest.mark.parametrize(("gains", "budget"), [(True, -512), (False, 512)])
def test_a_slower_one_still_is_not_measured(clocked, gains: bool, budget: int) -> None:
    clock = clocked(lambda budget: 1.0)
    assert tuning.cpu_budget(clock.score, PROBES, gains) == budget
    assert clock.now == 2.0


def test_on_a_card_budgets_are_tried_with_texts_that_fill_them_and_all_differ(clocked) -> None:
    clock = clocked(lambda budget: 1e-5 if budget == -65_536 else 2e-5)
    assert tuning.gpu_budget(clock.score, PROBES, True, 30_000) == -65_536
    assert set(clock.tried) == {16_384, 65_536, -16_384, -65_536}
    filled = clock.rows[-1]
    assert sum(len(row.ids) for row in filled) > 65_536
    assert len({tuple(row.ids) for row in filled}) == len(filled)
    # Pairs are still pairs: what both sides shared, they share.
    assert all(a.ids[:10] == b.ids[:10] for a, b in zip(filled[::2], filled[1::2], strict=True))


def test_a_card_too_slow_for_the_large_budgets_keeps_the_small_one(clocked) -> None:
    clock = clocked(lambda budget: 0.01)
    assert tuning.gpu_budget(clock.score, PROBES, True, 30_000) == -16_384
    assert set(clock.tried) == {16_384}
