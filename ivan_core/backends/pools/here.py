"""Models in this process: the next task is tokenised in a thread while the last one is scored."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Any

from ivan_core.backends.pools.doing import read_task, score_what_was_read
from ivan_core.domain.models import ModelCard, ModelElsewhere, RewardModel
from ivan_core.domain.scoring import Progress, ScoredTask, ScoringTask
from ivan_core.domain.transcripts import Dialogue

Load = Callable[[str, str], RewardModel]
"""`load(name, revision)`: an empty revision means the one that the name asks for."""
_Read = tuple[ScoringTask, "Future[list[Any]]"]


class PoolHere:
    """Scores one task at a time, in the caller's thread and in the order of the tasks."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._models: dict[str, RewardModel] = {}

    def load(self, name: str, revision: str) -> ModelCard:
        self._models[name] = self._load(name, revision)
        return self._models[name].card

    def tune(self, name: str, dialogues: Sequence[Dialogue]) -> int:
        return self._models[name].tune(dialogues)

    def compare(
        self, name: str, dialogues: Sequence[Dialogue], claim: Callable[[], None]
    ) -> ModelCard:
        """Check the scores of a model that another program runs; the card says what was found.

        `claim` waits for the right to load a copy of it here, where there is one.

        Raises:
            BackendUnavailable: they cannot be its rewards.
        """
        model = self._models[name]
        if isinstance(model, ModelElsewhere):
            if model.has_copy_here:
                claim()
            model.compare(dialogues)
        return model.card

    def score(
        self, tasks: Iterable[ScoringTask], progress: Progress
    ) -> Generator[ScoredTask, None, None]:
        with ThreadPoolExecutor(1, "reader") as reader:
            ahead: deque[_Read] = deque()
            for task in tasks:
                ahead.append((task, reader.submit(read_task, self._models[task.model], task)))
                if len(ahead) > 1:
                    yield self._scored(*ahead.popleft(), progress)
            while ahead:
                yield self._scored(*ahead.popleft(), progress)
        for model in self._models.values():
            _check_unchanged(model)

    def release(self) -> None:
        self._models.clear()

    def _scored(self, task: ScoringTask, read: Future[list[Any]], progress: Progress) -> ScoredTask:
        began = perf_counter()
        model = self._models[task.model]
        if task.both_ways:  # a model's last task
            _check_unchanged(model)
        rewards = score_what_was_read(model, task, read.result(), partial(progress, task.key))
        return ScoredTask(task.key, model.card.cache_identity, rewards, perf_counter() - began)


def _check_unchanged(model: RewardModel) -> None:
    if isinstance(model, ModelElsewhere):
        model.check_unchanged()
