"""Pools of fakes that do what real ones may: give back in any order, give up, or forget."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from ivan_core.backends.pools.here import PoolHere
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.scoring import Progress, ScoredTask, ScoringTask


class LastFirst(PoolHere):
    """Takes tasks by fives and gives each five back in the opposite order."""

    def score(
        self, tasks: Iterable[ScoringTask], progress: Progress
    ) -> Generator[ScoredTask, None, None]:
        waiting: list[ScoringTask] = []
        for task in tasks:
            waiting.append(task)
            if len(waiting) == 5:
                yield from super().score(waiting[::-1], progress)
                waiting.clear()
        yield from super().score(waiting[::-1], progress)


class GivingUp(PoolHere):
    """Gives the second task up, and does the others."""

    def score(
        self, tasks: Iterable[ScoringTask], progress: Progress
    ) -> Generator[ScoredTask, None, None]:
        for number, task in enumerate(tasks):
            if number == 1:
                error = BackendUnavailable(f"It gave up {task.label}.", "Resume the run.")
                yield ScoredTask(task.key, "", (), 0.0, problem=error)
            else:
                yield from super().score([task], progress)


class Forgetting(PoolHere):
    """Forgets the second task."""

    def score(
        self, tasks: Iterable[ScoringTask], progress: Progress
    ) -> Generator[ScoredTask, None, None]:
        for number, task in enumerate(tasks):
            if number != 1:
                yield from super().score([task], progress)
