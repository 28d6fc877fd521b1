"""The same texts through the same weights on this machine, where they are here and fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ivan_core.backends.reward_models.model_files import on_disk, parameters_in
from ivan_core.domain.errors import IvanError
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.transcripts import Dialogue
from ivan_core.settings import memory_bytes

_BYTES_A_PARAMETER = 4 * 1.3
_MOST_OF_MEMORY = 0.8


def copy_of(model: str, card: ModelCard) -> Path | str:
    """The folder of its weights here, of the revision that the server tells; else why not."""
    revision = card.revision if card.lasts and len(card.revision) == 40 else None
    try:
        folder = on_disk(model, revision)
    except IvanError:
        folder = None
    if folder is None:
        return "its weights are not on this machine"
    needed = (parameters_in(folder) or 0) * _BYTES_A_PARAMETER
    if needed > memory_bytes() * _MOST_OF_MEMORY:
        return "its weights do not fit in this machine's memory"
    return folder


def rewards(model: str, card: ModelCard, dialogues: Sequence[Dialogue]) -> list[Reward] | str:
    """Our own rewards, read as the server reads them; else why there are none."""
    folder = copy_of(model, card)
    if isinstance(folder, str):
        return folder
    from ivan_core.backends.reward_models.loading import load_model
    from ivan_core.backends.reward_models.scoring import TransformersRewardModel

    try:
        loaded = load_model(
            str(folder),
            input_format=card.input_format,
            max_tokens=card.max_tokens,
            system=card.system,
        )
    except IvanError as error:
        return f"they cannot be loaded here ({error.message.rstrip('.')})"
    return TransformersRewardModel(loaded).score(dialogues)
