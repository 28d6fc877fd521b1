"""In one process the next task is tokenised while the last one is scored, and no more than that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from fakes.reward_models import FakeRewardModel, Fakes

from ivan_core.backends.pools.here import PoolHere
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import Reward
from ivan_core.domain.scoring import ScoringTask
from ivan_core.domain.transcripts import Dialogue


def task(number: int, **fields: Any) -> ScoringTask:
    texts = [Dialogue(f"\n\nHuman: {number}?\n\nAssistant: {reply}.") for reply in ("Yes", "No")]
    return ScoringTask(f"task {number}", "fake/one", texts, 7, **fields)


def nothing(key: str, texts: int) -> None: ...


class Overlapping(FakeRewardModel):
    """Scores a text only once the next one is being read: neither could wait for the other."""

    def __init__(self, tasks: int) -> None:
        super().__init__("fake/one", Fakes())
        self._read = [threading.Event() for _ in range(tasks + 1)]
        self._read[tasks].set()
        self._reading = self._scoring = 0

    def read(self, dialogues: Sequence[Dialogue]) -> Sequence[Dialogue]:
        self._read[self._reading].set()
        self._reading += 1
        return dialogues

    def score_read(
        self, read: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        self._scoring += 1
        assert self._read[self._scoring].wait(60)
        return super().score_read(read, progress)


def test_the_next_task_is_read_while_the_last_one_is_scored() -> None:
    pool = PoolHere(lambda name, revision: Overlapping(5))
    assert pool.load("fake/one", "").revision == "r1"
    scored = list(pool.score(map(task, range(5)), nothing))
    assert [one.key for one in scored] == [f"task {number}" for number in range(5)]
    assert [len(one.rewards) for one in scored] == [2] * 5


def test_tasks_are_asked_for_one_ahead_in_the_callers_thread() -> None:
    pool = PoolHere(lambda name, revision: FakeRewardModel(name, Fakes()))
    pool.load("fake/one", "")
    asked: list[int] = []

    def tasks() -> Iterator[ScoringTask]:
        for number in range(6):
            assert threading.current_thread() is threading.main_thread()
            asked.append(number)
            yield task(number)

    ahead = [len(asked) - done for done, _ in enumerate(pool.score(tasks(), nothing), 1)]
    assert ahead == [1, 1, 1, 1, 1, 0]


def test_both_ways_gives_the_rewards_of_the_batch_and_then_those_of_each_text_alone() -> None:
    calls: list[int] = []

    class Counting(FakeRewardModel):
        def score_read(self, read: Sequence[Dialogue], progress: Any = None) -> list[Reward]:
            calls.append(len(read))
            return super().score_read(read, progress)

    pool = PoolHere(lambda name, revision: Counting(name, Fakes()))
    pool.load("fake/one", "")
    (scored,) = pool.score([task(0, both_ways=True)], nothing)
    assert calls == [2, 1, 1]
    assert scored.rewards[:2] == scored.rewards[2:]
    assert scored.identity == FakeRewardModel("fake/one", Fakes()).card.cache_identity


@pytest.mark.parametrize("where", ["read", "score_read"])
def test_a_failure_is_raised_where_results_are_asked_for(where: str) -> None:
    model = FakeRewardModel("fake/one", Fakes())

    def fail(*_: object) -> None:
        raise BackendUnavailable("It broke.", "Mend it.")

    setattr(model, where, fail)
    pool = PoolHere(lambda name, revision: model)
    pool.load("fake/one", "")
    with pytest.raises(BackendUnavailable, match="It broke"):
        list(pool.score([task(0), task(1)], nothing))
