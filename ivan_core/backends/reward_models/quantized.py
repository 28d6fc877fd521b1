"""A model in 8 bits, compared with itself in full precision before a run takes its scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ivan_core.backends.reward_models.loading import Loaded
from ivan_core.backends.reward_models.scoring import TransformersRewardModel
from ivan_core.domain.models import Reward, RewardModel
from ivan_core.domain.transcripts import Dialogue
from ivan_core.domain.words import number_of
from ivan_core.metrics.trust import batch_difference


class QuantizedRewardModel(TransformersRewardModel):
    """`full` loads the model in full precision; None where this machine has no room for it."""

    has_copy_here = True

    def __init__(self, loaded: Loaded, plain: bool, full: Callable[[], RewardModel] | None) -> None:
        super().__init__(loaded, plain)
        self._full = full

    def compare(self, dialogues: Sequence[Dialogue]) -> None:
        """Score texts, the sides of a pair by turns, both ways; the card says what came of it."""
        note = f"{self.card.note} {self._compared(dialogues)}".strip()
        self.card = self.card.model_copy(update={"note": note})

    def check_unchanged(self) -> None:
        """What is loaded here does not change."""

    def _compared(self, dialogues: Sequence[Dialogue]) -> str:
        if self._full is None:
            return "Not compared with full precision, for which this machine has no room."
        full, own = self._full().score(dialogues), self.score(dialogues)
        rated = [
            place
            for place in range(0, len(dialogues) - 1, 2)
            if all(one.value is not None for way in (full, own) for one in way[place : place + 2])
        ]
        found = batch_difference(_sides(full, rated), _sides(own, rated))
        if found is None:
            return "Not compared with full precision: no pair was rated both ways."
        return (
            f"Against full precision, {found.verdicts_changed} of "
            f"{number_of(found.rows, 'verdict')} changed, and scores by at most "
            f"{found.largest:.2g}."
        )


def _sides(rewards: Sequence[Reward], rated: Sequence[int]) -> list[tuple[float, float]]:
    values = [reward.value or 0.0 for reward in rewards]
    return [(values[place], values[place + 1]) for place in rated]
