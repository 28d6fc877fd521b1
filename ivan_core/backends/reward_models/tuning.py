"""Which budget a model's texts are batched under: by a short measurement with some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter

from ivan_core.backends.reward_models.batching import CPU_BUDGETS, GPU_BUDGETS, fastest_budget
from ivan_core.backends.reward_models.tokens import TokenRow

PROBES = 24
CPU_SECONDS = 2.0
GPU_SECONDS = 8.0
FEWEST_PROBES = 6
UNMEASURED_CPU_BUDGET = 512
"""For models too slow to be measured in two seconds: on the CPU tried, small batches of like length
were 1.35 to 1.4 times as fast as one text at a time, while large batches could be slower."""

Score = Callable[[Sequence[TokenRow], int], object]
"""Scores rows under a budget."""


def cpu_budget(score: Score, probes: Sequence[TokenRow], gains: bool) -> int:
    """The fastest budget on a CPU, in about two seconds.

    Where sharing `gains`, each budget competes with it and without. A model too slow for that tries
    the smallest budget alone, both ways, and one slower still is not measured.
    """
    unmeasured = -UNMEASURED_CPU_BUDGET if gains else UNMEASURED_CPU_BUDGET
    middle = sorted(probes, key=lambda row: len(row.ids))[len(probes) // 2]
    timed(score, [middle], 0)  # The first forward pays for things the others do not.
    once = max(timed(score, [middle], 0), 1e-6)
    for budgets in (CPU_BUDGETS, CPU_BUDGETS[:1]):
        candidates = (*budgets, *(-budget for budget in budgets)) if gains else budgets
        affordable = int(CPU_SECONDS / (2 * (len(candidates) + 1) * once))
        if min(affordable, len(probes)) >= FEWEST_PROBES:
            shown = probes[: affordable - affordable % 2]  # Pairs stay together.
            return fastest_budget(partial(score, shown), candidates)
    return unmeasured


def gpu_budget(score: Score, probes: Sequence[TokenRow], gains: bool, vocabulary: int) -> int:
    """The fastest budget on a GPU, in at most about eight seconds.

    One text at a time is 50 times slower there: measuring it would outlast all else. And a budget
    is only tried by texts that fill it, so the probes are repeated, each time with another first
    token: equal texts would be scored once.
    """
    small, large = min(GPU_BUDGETS), max(GPU_BUDGETS)
    budgets = (*GPU_BUDGETS, *(-budget for budget in GPU_BUDGETS)) if gains else GPU_BUDGETS
    tokens = sum(len(row.ids) for row in probes)
    shown = _varied(probes, small // tokens + 1, vocabulary)
    timed(score, shown, small)  # The first forward also compiles kernels.
    if 2 * len(budgets) * large / small * timed(score, shown, small) > GPU_SECONDS:
        return -small if gains else small
    filled = _varied(probes, large // tokens + 1, vocabulary)
    best = {budget: min(timed(score, filled, budget) for _ in range(2)) for budget in budgets}
    return min(best, key=lambda budget: best[budget])


def timed(score: Score, rows: Sequence[TokenRow], budget: int) -> float:
    """Seconds to score the rows under a budget."""
    start = perf_counter()
    score(rows, budget)
    return perf_counter() - start


def _varied(probes: Sequence[TokenRow], times: int, vocabulary: int) -> list[TokenRow]:
    return [
        replace(row, ids=[(row.ids[0] + turn) % vocabulary, *row.ids[1:]])
        for turn in range(times)
        for row in probes
    ]
