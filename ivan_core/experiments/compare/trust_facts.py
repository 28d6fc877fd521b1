"""What the trust strip of each model needs to know, gathered from a finished comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.models import ModelCard
from ivan_core.metrics.summary import ModelSummary
from ivan_core.metrics.trust import BatchDifference, ModelFacts, trust_strip

if TYPE_CHECKING:
    import pandas as pd

HH_RLHF = "anthropic/hh-rlhf"


def trust_strips(
    table: pd.DataFrame,
    summaries: Sequence[ModelSummary],
    models: Sequence[ModelCard],
    dataset: PreparedDataset,
    batches: Mapping[str, BatchDifference | None],
) -> list[dict[str, Any]]:
    """One strip a model that has rows, as plain dicts for the manifest.

    `batches` holds what was measured of the models in batches, none for scores made elsewhere.
    """
    cards = {card.id: card for card in models}
    on_hh = dataset.about["request"]["source"].lower() == HH_RLHF
    strips = []
    for summary in summaries:
        card = cards[summary.model]
        own = table[(table["model"] == summary.model) & ~table["identical"]]
        rewards = own[["chosen_reward", "rejected_reward"]].to_numpy(float).ravel()
        facts = ModelFacts(
            input_format=card.input_format,
            input_format_guessed=card.input_format_guessed,
            revision=card.revision,
            dtype=card.dtype,
            head_label=card.head_label or None,
            distinct_rewards=len(set(rewards[rewards == rewards].tolist())),
            not_finite=int(own["failure"].str.contains("not a finite number").sum()),
            texts=len(rewards),
            trained_on_dataset=card.trained_on_hh if on_hh else None,
            batch=batches.get(summary.model),
        )
        strips.append(trust_strip(summary, facts).as_dict())
    return strips
