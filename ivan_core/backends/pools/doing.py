"""How a loaded model does one task, wherever it works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ivan_core.domain.models import ModelCard, ModelElsewhere, Reward, RewardModel
from ivan_core.domain.scoring import ScoringTask
from ivan_core.domain.transcripts import Dialogue


def read_task(model: RewardModel, task: ScoringTask) -> list[Any]:
    """What the model's tokenizer makes of a task: of its texts together, then of each alone.

    May run in a thread beside `score_what_was_read`.
    """
    alone = [[text] for text in task.texts] if task.both_ways else []
    return [model.read(texts) for texts in (task.texts, *alone)]


def score_what_was_read(
    model: RewardModel,
    task: ScoringTask,
    read: list[Any],
    progress: Callable[[int], None] | None = None,
) -> list[Reward]:
    """The rewards of a task, in its order."""
    model.tune([], task.budget)
    told = None if task.both_ways else progress
    return [reward for one in read for reward in model.score_read(one, told)]


def compared(model: RewardModel, dialogues: Sequence[Dialogue]) -> ModelCard:
    """The model's card, after it compared its scores with another pass if it is one to be checked.

    The sides of a pair follow each other.
    """
    if isinstance(model, ModelElsewhere):
        model.compare(dialogues)
    return model.card
