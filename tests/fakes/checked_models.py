"""A fake reward model that is to be checked when it is loaded, as one in 8 bits is."""

from __future__ import annotations

from collections.abc import Sequence

from fakes.scoring import FakeRewardModel, Fakes
from ivan_core.domain.transcripts import Dialogue


class CheckedModel(FakeRewardModel):
    has_copy_here = True

    def compare(self, dialogues: Sequence[Dialogue]) -> None:
        """Say on the card how many texts there were."""
        note = f"Compared on {len(dialogues)} texts."
        self.card = self.card.model_copy(update={"note": note})

    def check_unchanged(self) -> None:
        """It does not change."""


def load_checked(name: str, revision: str) -> CheckedModel:
    return CheckedModel(name, Fakes())
