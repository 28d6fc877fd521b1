"""The embedded reward models: `ivan/minilm-harmless` and `ivan/minilm-control`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ivan_core.backends.embedded.encoder import MAX_TOKENS, Encoder
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.transcripts import Dialogue

NAMES = ("ivan/minilm-harmless", "ivan/minilm-control")
NO_REPLY = "the dialogue has no Assistant turn"


def read_head(name: str) -> dict[str, Any]:
    """The file of one head: weights, card and hashes of training pairs.

    Raises:
        BadInput: there is no embedded model of that name.
    """
    if name not in NAMES:
        raise BadInput(
            f"There is no embedded model {name!r}.", f"Choose one of {', '.join(NAMES)}."
        )
    path = files(__package__) / "heads" / f"{name.rpartition('/')[2]}.json"
    head: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return head


def card(name: str) -> ModelCard:
    """What is known of an embedded model; costs no model library."""
    head = read_head(name)
    return ModelCard(
        id=name,
        revision=head["revision"],
        input_format="reply",
        max_tokens=MAX_TOKENS,
        parameters=22_713_216 + len(head["weights"]),
        licence="Apache-2.0 (encoder), MIT (head)",
        trained_on_hh=head["trained_on_hh"],
        seen_hashes=frozenset(head["training_pairs"]),
        device="cpu",
        head_label="reward",
        note=head["note"],
    )


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    return Encoder()


class EmbeddedRewardModel:
    """A linear Bradley-Terry head on the embedding of the last reply. The prompt is not read."""

    def __init__(self, name: str) -> None:
        import numpy as np

        self.card = card(name)
        self._weights = np.asarray(read_head(name)["weights"], dtype=np.float32)

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """One reward a dialogue; a dialogue without an Assistant turn fails with that reason."""
        replies = [dialogue.reply for dialogue in dialogues]
        vectors, cut = _encoder().embed([reply or "" for reply in replies], progress)
        return [
            Reward(None, failure=NO_REPLY)
            if reply is None
            else Reward.measured(float(vector @ self._weights), truncated)
            for reply, vector, truncated in zip(replies, vectors, cut, strict=True)
        ]

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        if known is not None:
            _encoder().budget = known
            return known
        return _encoder().tune([dialogue.reply or "" for dialogue in dialogues])
