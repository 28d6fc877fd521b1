"""An encoder's feed-forward layers compiled for its card, where that is faster and as good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from ivan_core.backends.reward_models.probes import same_verdicts

ROUNDS = 3
LEAST_GAIN = 1.03
"""Compiling takes seconds at each load, so a gain that is noise is not taken."""


def _compiled(module: Any) -> Any:
    import torch

    return torch.compile(module, dynamic=True)


def compile_where_faster(
    layers: Sequence[Any],
    score: Callable[[], list[float]],
    noise: float,
    compiled: Callable[[Any], Any] = _compiled,
    clock: Callable[[], float] = perf_counter,
) -> bool:
    """Compile `intermediate` and `output` of each layer; whether they stay compiled.

    `score` gives the scores of some probes by the whole model, in batches as large as a run's. The
    compiled layers stay if the verdicts are the same up to `noise` and the best of three rounds is
    3% faster; else, and where compiling fails, the layers are as they were.
    """
    plain = [(layer.intermediate, layer.output) for layer in layers]
    expected = score()
    before = _best(score, clock)
    try:
        for layer in layers:
            layer.intermediate, layer.output = compiled(layer.intermediate), compiled(layer.output)
        faster = same_verdicts(expected, score(), noise) and before > LEAST_GAIN * _best(
            score, clock
        )
    except Exception:  # Without a compiler, or for a shape it cannot do, the plain layers work.
        faster = False
    if not faster:
        for layer, (intermediate, output) in zip(layers, plain, strict=True):
            layer.intermediate, layer.output = intermediate, output
    return faster


def _best(score: Callable[[], object], clock: Callable[[], float]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        start = clock()
        score()
        best = min(best, clock() - start)
    return best
