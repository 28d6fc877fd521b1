"""What speaks for or against a model's numbers: the trust strip of a finished comparison,
and of one at work whether the model was trained on its pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.datasets.prepared import PreparedDataset, choose_rows
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import datasets, handling as runs
from ivan_core.engine.begin import BEGUN
from ivan_core.experiments.compare.tables import pairs_in_training
from ivan_core.metrics.summary import ModelSummary
from ivan_core.metrics.trust import BatchDifference, ModelFacts, trust_strip
from ivan_core.runs.parts import Parts
from ivan_core.settings import data_dir

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


def training_so_far(run_id: str, model: str) -> str:
    """On how many pairs of a run a model that scores them was trained; empty if on none known."""
    seen, n = _counted(data_dir(), run_id, model)
    if not seen:
        return ""
    pairs = f"all {n:,}" if seen == n else f"{seen:,} of the {n:,}"
    return f"{model} was trained on {pairs} pairs of this run: these are in the numbers so far."


@lru_cache(maxsize=32)
def _counted(root: Path, run_id: str, model: str) -> tuple[int, int]:
    """The pairs that are in the training of a model, and all pairs of the run."""
    parts = Parts(root / "runs" / run_id)
    if f"card|{model}" not in parts:
        return 0, 0
    card = ModelCard.model_validate(parts.rows(f"card|{model}")[0])
    dataset = datasets.by_fingerprint(parts.rows(BEGUN)[0]["dataset"])
    rows = choose_rows(runs.spec_of(runs.get(run_id), CompareSpec), dataset).row_ids
    return pairs_in_training(card, dataset, rows) or 0, len(rows)
