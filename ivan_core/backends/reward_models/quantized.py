"""A model in 8 bits, compared with itself in full precision before a run takes its scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ivan_core.backends.reward_models.loading import Loaded
from ivan_core.backends.reward_models.scoring import TransformersRewardModel
from ivan_core.domain.models import EightBits, RewardModel
from ivan_core.domain.transcripts import Dialogue
from ivan_core.metrics.trust import difference_of


class QuantizedRewardModel(TransformersRewardModel):
    """`full` loads the model in full precision; None where this machine has no room for it."""

    has_copy_here = True

    def __init__(self, loaded: Loaded, plain: bool, full: Callable[[], RewardModel] | None) -> None:
        super().__init__(loaded, plain)
        self._full = full

    def compare(self, dialogues: Sequence[Dialogue]) -> None:
        """Score texts, the sides of a pair by turns, both ways; the card says what came of it."""
        self.card = self.card.model_copy(update={"eight_bits": self._compared(dialogues)})

    def check_unchanged(self) -> None:
        """What is loaded here does not change."""

    def _compared(self, dialogues: Sequence[Dialogue]) -> EightBits:
        if self._full is None:
            return EightBits(not_compared="this machine has no room for full precision")
        found = difference_of([*self.score(dialogues), *self._full().score(dialogues)])
        if found is None:
            return EightBits(not_compared="no pair was rated both ways")
        return EightBits(
            pairs=found.rows, verdicts_changed=found.verdicts_changed, largest=found.largest
        )
