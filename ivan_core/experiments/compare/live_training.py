"""Whether a run at work judges pairs that a model was trained on; known before its end."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ivan_core.datasets.rows import choose_rows
from ivan_core.domain.models import ModelCard
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import datasets
from ivan_core.engine import handling as runs
from ivan_core.engine.begin import BEGUN
from ivan_core.experiments.compare.tables import pairs_in_training
from ivan_core.runs.parts import Parts
from ivan_core.settings import data_dir


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
