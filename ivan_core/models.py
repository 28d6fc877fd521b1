"""Models as people name them: loading one by its name."""

from __future__ import annotations

from ivan_core import catalog
from ivan_core.domain.models import InputFormat, RewardModel, SystemTurns


def load(
    name: str,
    revision: str = "",
    input_format: InputFormat | None = None,
    max_tokens: int | None = None,
    system: SystemTurns = "keep",
) -> RewardModel:
    """A reward model by catalog name, hub id (`id@revision` pins one) or directory, ready to score.

    Only workers and benchmarks call this: it brings in torch.

    Raises:
        IvanError: the model cannot be had, with the reason and a next step.
    """
    model_id, asked = catalog.split_revision(name)
    if catalog.is_embedded(model_id):
        from ivan_core.backends.embedded.model import EmbeddedRewardModel

        return EmbeddedRewardModel(model_id)
    from ivan_core.backends.reward_models.scoring import load as load_transformers

    known = catalog.card(name)
    return load_transformers(
        model_id,
        revision=revision or asked or None,
        input_format=input_format or known.input_format,
        max_tokens=max_tokens,
        system=system,
        card=known,
    )
