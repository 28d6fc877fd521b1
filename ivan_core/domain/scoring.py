"""What stands between a run and its reward models: tasks go in, rewards come out, in any order.

A run asks a pool of models and does not know where they work: in this process, in one process a
device, or on other machines.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ivan_core.domain.errors import IvanError
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.transcripts import Dialogue


@dataclass(frozen=True, slots=True)
class ScoringTask:
    """Texts that one model scores together, under a key that is unique among a run's tasks."""

    key: str
    model: str
    """The name the model was loaded by."""
    texts: Sequence[Dialogue]
    budget: int
    """The token budget of a batch, as `RewardModel.tune` gave it."""
    label: str = ""
    """What sentences call it, such as "chunk 3 of 12 with fake/one"."""
    both_ways: bool = False
    """Score the texts together, then each alone: the rewards of both follow each other."""


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """What became of a task."""

    key: str
    identity: str
    """The `cache_identity` of the card of the model that did score."""
    rewards: Sequence[Reward]
    """One a text, same order (twice as many for `both_ways`); none where there is a problem."""
    seconds: float
    """By how much the task made the run longer."""
    problem: IvanError | None = None
    """Why this task cannot be done while others can; it names what it is about."""


Progress = Callable[[str, int], None]
"""Told, as a task goes on, its key and the number of texts finished since the last call."""


class ScoringPool(Protocol):
    """Reward models, wherever they work. Only one thread calls it."""

    def load(self, name: str, revision: str) -> ModelCard:
        """Load a model beside those that are loaded, and tell its card; no task is under way.

        An empty revision means the one that the name asks for, resolved now.

        Raises:
            IvanError: the model cannot be had.
        """
        ...

    def tune(self, name: str, dialogues: Sequence[Dialogue]) -> int:
        """Measure the token budget of a batch on some texts; no task is under way.

        See `RewardModel.tune`.
        """
        ...

    def score(
        self, tasks: Iterable[ScoringTask], progress: Progress
    ) -> Generator[ScoredTask, None, None]:
        """Do the tasks, each once, and give every one back as soon as it is done, in any order.

        `tasks` reads texts as it is asked for more, and has a model tuned before the first task: it
        is to be asked to the end, in the caller's thread, and only for what is worked on soon. What
        was not given back is lost when the caller is killed.

        Raises:
            IvanError: no more can be scored; what was given back before stays.
        """
        ...

    def release(self) -> None:
        """Let go of all models, their processes and their memory."""
        ...
