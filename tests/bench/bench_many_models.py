"""What a comparison of thirty models takes: each part by CPU time, as `python THIS [PAIRS…]`.

Rewards are made up: a taste that all models share and one of their own. No model is needed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd

from ivan_core.charts.heat import agreement_cells, likeness_cells
from ivan_core.experiments.compare.tables import align
from ivan_core.metrics.models.many import ManyModels
from ivan_core.metrics.summary import summarise

MODELS = [f"made/model-{number:02d}" for number in range(1, 31)]
_Made = TypeVar("_Made")


def made(pairs: int) -> pd.DataFrame:
    """A scores table as a finished run's is read: words that repeat are categories."""
    rng = np.random.default_rng(0)
    shared, subset = rng.normal(0.3, 1, pairs), rng.integers(0, 4, pairs)
    lengths = rng.integers(1, 2_000, (2, pairs))
    parts = []
    for place in range(len(MODELS)):
        margin = (shared * rng.uniform(0.2, 1) + rng.normal(0, 1, pairs)).astype(np.float32)
        rejected = rng.normal(0, 1, pairs).astype(np.float32).astype(float)
        verdict = np.where(margin > 0, 0, 2)
        parts.append(
            pd.DataFrame(
                {
                    "row_id": np.arange(pairs),
                    "model": pd.Categorical.from_codes(np.full(pairs, place), MODELS),
                    "subset": pd.Categorical.from_codes(subset, list("abcd")),
                    "chosen_reward": rejected + margin,
                    "rejected_reward": rejected,
                    "margin": margin.astype(float),
                    "verdict": pd.Categorical.from_codes(verdict, ["agree", "tie", "disagree"]),
                    "chosen_truncated": False,
                    "rejected_truncated": False,
                    "failure": pd.Series([None] * pairs, dtype="string"),
                    "identical": False,
                    "chosen_length": lengths[0],
                    "rejected_length": lengths[1],
                    "seen": pd.Series(np.full(pairs, False), dtype="boolean"),
                    "step": 0,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def timed(name: str, make: Callable[[], _Made]) -> _Made:
    """What comes of it, and how long this thread worked on it."""
    before = time.process_time()
    found = make()
    print(f"  {name:<26}{time.process_time() - before:7.2f} s")
    return found


def main(sizes: list[int]) -> None:
    for pairs in sizes:
        print(f"{len(MODELS)} models, {pairs:,} pairs (CPU time)")
        table = made(pairs)
        timed("summaries", lambda table=table: summarise(table))
        aligned = timed("arrays", lambda table=table: align(table))
        units = {model: scores.unit for model, scores in aligned.models.items()}
        many = ManyModels(aligned.judged(units, None), aligned.subset, aligned.subsets)
        timed("grid", lambda many=many: many.grid)
        timed("how alike each two are", lambda many=many: many.alike)
        order = timed("their order", lambda many=many: many.order("equal"))
        timed("the same in disguise", lambda many=many: many.disguises)
        timed("vote and mean margin", lambda many=many: many.joint)
        timed("the fewest", lambda many=many: many.fewest)
        timed("how evenly rows part", lambda many=many: many.split)
        timed("picture of the grid", lambda many=many: agreement_cells(many.grid).to_dict())
        timed(
            "picture of likeness",
            lambda many=many, order=order: likeness_cells(many.alike, order, "equal").to_dict(),
        )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [16_080, 160_800])
