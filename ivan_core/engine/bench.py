"""Benchmarks that run anywhere: how scoring in batches compares with one text at a time."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import Any

from ivan_core.backends.reward_models.batching import ONE_AT_A_TIME
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.specs import DatasetRequest
from ivan_core.models import reward_models
from ivan_core.settings import data_dir


def bench_scoring(model: str, request: DatasetRequest, rows: int, rounds: int) -> dict[str, Any]:
    """Time scoring the first `rows` pairs both ways, in alternating rounds; seconds are medians.

    `ratio` is how many times faster the batches are than the loop. Nothing is cached.

    Raises:
        IvanError: the model or the data cannot be had.
    """
    dataset = prepare(data_dir(), request)
    pairs = list(dataset.pairs(range(min(rows, dataset.rows))))
    texts = list(
        {side.hash: side for pair in pairs for side in (pair.chosen, pair.rejected)}.values()
    )
    loaded = reward_models.make(model)
    budget = loaded.tune(texts[:24])
    loaded.score(texts[:2])
    loop: list[float] = []
    batches: list[float] = []
    apart = 0.0
    for _ in range(rounds):
        loaded.tune(texts, ONE_AT_A_TIME)
        start = perf_counter()
        singles = [loaded.score([text])[0] for text in texts]
        loop.append(perf_counter() - start)
        loaded.tune(texts, budget)
        start = perf_counter()
        together = loaded.score(texts)
        batches.append(perf_counter() - start)
        apart = max(
            apart,
            *(
                abs(a.value - b.value)
                for a, b in zip(singles, together, strict=True)
                if a.value is not None and b.value is not None
            ),
        )
    return {
        "model": loaded.card.id,
        "revision": loaded.card.revision,
        "device": loaded.card.device,
        "dtype": loaded.card.dtype,
        "dataset": request.label,
        "pairs": len(pairs),
        "texts": len(texts),
        "rounds": rounds,
        "tokens_a_batch": budget,
        "loop_seconds": round(median(loop), 3),
        "batch_seconds": round(median(batches), 3),
        "loop_pairs_per_second": round(len(pairs) / median(loop), 2),
        "batch_pairs_per_second": round(len(pairs) / median(batches), 2),
        "ratio": round(median(loop) / median(batches), 3),
        "largest_difference": apart,
    }
