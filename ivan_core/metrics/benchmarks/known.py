"""Which benchmark a dataset is, by the layout it was read by, and its own numbers of each model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from ivan_core.metrics.benchmarks.reward_bench import NAME as FIRST, SUBSETS, reward_bench
from ivan_core.metrics.benchmarks.reward_bench_2 import NAME as SECOND, reward_bench_2
from ivan_core.metrics.benchmarks.rm_bench import NAME as STYLES, rm_bench
from ivan_core.metrics.benchmarks.score import Score
from ivan_core.metrics.best_of_n.of_pairs import OfModel
from ivan_core.metrics.best_of_n.rates import BestOfN
from ivan_core.metrics.best_of_n.replies import Ints

_PAIRS, _SECOND, _STYLES = "rewardbench", "rewardbench-2", "rm-bench"
"""The names of the layouts that are a benchmark."""


def benchmark_named(layout: str, subsets: Iterable[str]) -> str:
    """The benchmark that a layout is, by its name; empty where it is none.

    Others have the layout of RewardBench too: that is one where a subset is one of its own.
    """
    if layout == _PAIRS:
        return "" if SUBSETS.isdisjoint(subsets) else FIRST
    return {_SECOND: SECOND, _STYLES: STYLES}.get(layout, "")


def benchmark_scores(
    layout: str,
    subset: Sequence[str],
    models: Mapping[str, OfModel],
    best: BestOfN | None,
    ids: Callable[[Ints], Sequence[str]],
) -> dict[str, Score]:
    """The number of each model by the benchmark that a layout is; empty where it is none.

    `subset` has one name a pair, `ids` names the rows of some pairs by their places. All rows
    count, as in the benchmark's own code, those that a model was trained on too.
    """
    found: dict[str, Score | None] = {}
    if benchmark_named(layout, subset) == FIRST:
        names = np.asarray(subset, dtype=np.str_)
        found = {m: reward_bench(names, one.chosen, one.rejected) for m, one in models.items()}
    elif best is not None and layout in (_SECOND, _STYLES):
        names_of = [best.subsets[place] for place in best.subset]
        named = ids(best.found.first) if layout == _SECOND else ()
        for model, rewards in best.rewards.items():
            if layout == _SECOND:
                found[model] = reward_bench_2(best.found, rewards, names_of, named)
            else:
                found[model] = rm_bench(best.found, rewards, names_of)
    return {model: score for model, score in found.items() if score is not None}
