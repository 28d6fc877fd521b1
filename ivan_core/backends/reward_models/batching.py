"""Batches of like length under a token budget, and the short measurement that chooses it.

A budget is a number of tokens, so that a run can keep it: 0 means one text at a time, and below 0
what texts share is read once, in batches of as many tokens as are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

ONE_AT_A_TIME = 0
CPU_BUDGETS = (512, 1024, 2048, 4096)
GPU_BUDGETS = (16_384, 65_536)

IN_BATCHES = "batches of like length"
PROMPTS_ONCE = "prompts read once"
PACKED = "without padding"


def token_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices grouped into batches, longest texts first, each at most `budget` tokens once padded.

    Longest first means that a batch too large for the memory fails at once, not at the end.
    A text longer than the budget is a batch of its own; `budget` 0 means one text a batch.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batches: list[list[int]] = []
    for index in order:
        # The first text of a batch is its longest, so it sets the padded width.
        if batches and (len(batches[-1]) + 1) * max(lengths[batches[-1][0]], 1) <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def fastest_budget(run: Callable[[int], object], budgets: Sequence[int]) -> int:
    """The budget under which `run(budget)` is quickest; one text at a time (0) always competes.

    `run` scores the same probe texts each time. Two rounds alternate between the candidates and the
    best time of each counts, so that a passing load on the machine does not decide.
    """
    return quickest(run, (ONE_AT_A_TIME, *budgets))


def quickest(run: Callable[[int], object], candidates: Sequence[int]) -> int:
    """The candidate under which `run` is quickest, by the best of two alternating rounds."""
    best = dict.fromkeys(candidates, float("inf"))
    for _ in range(2):
        for budget in candidates:
            start = perf_counter()
            run(budget)
            best[budget] = min(best[budget], perf_counter() - start)
    return min(candidates, key=lambda budget: best[budget])
