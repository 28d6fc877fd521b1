"""Made rewards of reworded pairs, for tests of metrics and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ivan_core.metrics.robustness.changes import COLUMNS, ORIGINAL, REWORDED, SECOND, SURFACE

Rewards = Sequence[tuple[float, float]]


def table(
    variants: Mapping[str, Rewards], model: str = "m", similarity: float = 0.95, ratio: float = 1.0
) -> pd.DataFrame:
    """One model's pairs: by variant, chosen and rejected reward of row 0, row 1, ..."""
    rows = []
    for variant, rewards in variants.items():
        own = variant != ORIGINAL
        for row_id, (chosen, rejected) in enumerate(rewards):
            alike = similarity if own else np.nan
            length = ratio if own else np.nan
            rows.append((row_id, model, variant, chosen, rejected, alike, alike, length, length))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def drawn(
    n: int, seed: int, model: str = "m", noise: float = 0.6, surface: float = 0.1
) -> pd.DataFrame:
    """Random rewards of n pairs in all four variants; `noise` is how far rewording moves them."""
    rng = np.random.default_rng(seed)
    original = rng.normal(0.3, 1, (n, 2))
    spread = {REWORDED: noise, SECOND: noise, SURFACE: surface}
    moved = {name: original + rng.normal(0, size, (n, 2)) for name, size in spread.items()}
    variants = {ORIGINAL: original} | moved
    made = table({name: [tuple(row) for row in values] for name, values in variants.items()}, model)
    alike = rng.uniform(0.8, 1.0, (len(made), 2))
    own = made["variant"].ne(ORIGINAL).to_numpy(bool)
    made.loc[own, ["chosen_similarity", "rejected_similarity"]] = alike[own]
    return made
