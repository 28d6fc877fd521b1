"""Agreement so far, while a run goes on.

Pairs are scored in chunks of a seeded random order, so the pairs finished at the end of a chunk are
a random sample of all. Inside a chunk they are sorted by length, hence only chunk boundaries are
shown.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ivan_core.metrics.agreement import VERDICTS
from ivan_core.metrics.intervals import wilson

MOST_POINTS = 500
BY_PAIR = "intervals go by pair until the end"
"""What curves say that cannot know of repeated prompts."""


def running_agreement(chunks: pd.DataFrame, most: int = MOST_POINTS) -> pd.DataFrame:
    """Agreement after each chunk, of all pairs rated until then: step, n, rate, low, high.

    `chunks` holds step, agree, tie and disagree of each finished chunk; with a column model, each
    model runs on its own and the result has that column too. Chunks that rated nothing before the
    first rated pair give no point. At most `most` points a model are kept, the first and the last
    among them. The interval at a point is that of a 95% Wilson interval looked at once: watched
    over a whole run it misses more often, so call it "so far". Chunks do not tell which pairs share
    a prompt: it goes by pair (`BY_PAIR`).
    """
    if "model" not in chunks.columns:
        return _running(chunks, most)
    parts = [
        _running(own, most).assign(model=str(model))
        for model, own in chunks.groupby("model", sort=False)
    ]
    columns = ["model", "step", "n", "rate", "low", "high"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _running(chunks: pd.DataFrame, most: int) -> pd.DataFrame:
    total = chunks.groupby("step")[list(VERDICTS)].sum().sort_index().cumsum()
    n = total.sum(axis=1).astype("int64")
    total, n = total[n > 0], n[n > 0]
    if len(n) > most:
        kept = np.unique(np.linspace(0, len(n) - 1, most).round().astype(int))
        total, n = total.iloc[kept], n.iloc[kept]
    points = []
    for step, agree, rated_so_far in zip(total.index, total["agree"], n, strict=True):
        rate = wilson(int(agree), int(rated_so_far))
        if rate is not None:
            points.append((int(step), rate.n, rate.rate, rate.low, rate.high))
    return pd.DataFrame(points, columns=["step", "n", "rate", "low", "high"])
