"""The fewest models that show every disagreement: where any two of all differ, two of these do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

from ivan_core.metrics.agreement import VERDICTS
from ivan_core.metrics.models.judged import Floats, Judged

MOST_MODELS = 63
"""Sets of models are numbers of 64 binary digits."""
MOST_SETS = 200_000
"""So many sets are tried before one is built step by step instead."""
Sets = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Step:
    """One more model, and on how many of the disagreements the models up to it differ."""

    model: str
    shown: int


@dataclass(frozen=True, slots=True)
class Fewest:
    """A set of models that shows all `n` disagreements; empty if there are none.

    `shared` counts the rows that two models or more rated, on which alone a disagreement can show.
    `smallest` says that no smaller set does: all smaller ones were ruled out. Otherwise the set was
    built greedily, and a smaller one may exist. `steps` add the models in the order in which each
    shows the most that is not shown yet, the first two together.
    """

    models: tuple[str, ...]
    n: int
    shared: int
    smallest: bool
    steps: tuple[Step, ...]


def fewest_models(judged: Judged) -> Fewest | None:
    """The fewest models that show all disagreements; None above 63 models.

    A disagreement is a row on which the models that rated it do not all have the same verdict; a
    set shows it if two of its models differ there. A set cover: models that stand alone against all
    others on some row must be in the set, of the others all sets are tried from the smallest on, up
    to 200,000 of them, else the model that shows most is added each time.
    """
    if len(judged.names) > MOST_MODELS:
        return None
    classes, counts = _disagreements(judged)
    n = int(counts.sum())
    shared = int((judged.rated.sum(axis=0) > 1).sum())
    if not n:
        return Fewest((), 0, shared, True, ())
    greedy = list(_greedy(classes, counts, _apart(judged)))
    steps = tuple(Step(judged.names[place], shown) for place, shown in greedy)
    found = _smallest(classes, len(judged.names), len(greedy))
    if found is not None:
        return Fewest(_named(judged.names, found), n, shared, True, steps)
    built = sum(1 << place for place, _ in greedy)
    return Fewest(_named(judged.names, built), n, shared, False, steps)


def _named(names: Sequence[str], chosen: int) -> tuple[str, ...]:
    return tuple(name for place, name in enumerate(names) if chosen >> place & 1)


def _disagreements(judged: Judged) -> tuple[Sets, NDArray[np.int64]]:
    """Each way in which the models part, as the set of models behind each verdict, and how often.

    Sets are (ways, 3); a way with a row in which one more model has a verdict is another way.
    """
    bits = np.left_shift(np.uint64(1), np.arange(len(judged.names), dtype=np.uint64))
    behind = np.stack(
        [
            ((judged.verdict == code) * bits[:, None]).sum(axis=0, dtype=np.uint64)
            for code in range(len(VERDICTS))
        ],
        axis=1,
    )
    behind = behind[(behind > 0).sum(axis=1) > 1]
    ways, counts = np.unique(behind, axis=0, return_counts=True)
    return ways.astype(np.uint64), counts.astype(np.int64)


def _shown(classes: Sets, chosen: np.uint64 | Sets) -> NDArray[np.bool_]:
    """In which ways of parting the chosen models differ among themselves."""
    return np.asarray(((classes & chosen) > 0).sum(axis=-1) > 1)


def _apart(judged: Judged) -> Floats:
    """On how many rows each two models have different verdicts (models, models)."""
    rated = judged.rated.astype(np.float64)
    both = rated @ rated.T
    for code in range(len(VERDICTS)):
        same = (judged.verdict == code).astype(np.float64)
        both -= same @ same.T
    return np.asarray(both)


def _greedy(classes: Sets, counts: NDArray[np.int64], apart: Floats) -> Iterator[tuple[int, int]]:
    """Models as each shows most that is not shown yet, with how much all so far show.

    The first two are those that differ most often. No one model shows anything alone.
    """
    models = len(apart)
    bit = [np.uint64(1 << place) for place in range(models)]
    first, second = divmod(int(np.argmax(np.triu(apart, 1))), models)
    chosen, shown, n = bit[first] | bit[second], int(apart[first, second]), int(counts.sum())
    yield first, 0
    yield second, shown
    while shown < n:
        left = ~_shown(classes, chosen)
        classes, counts = classes[left], counts[left]
        adds = [
            0 if chosen & one else int(counts[_shown(classes, chosen | one)].sum()) for one in bit
        ]
        # Two that differ may both be missing where no verdict of the chosen ones is there at all.
        place = int(np.argmax(adds)) if max(adds) else _any_missing(classes, chosen, bit)
        chosen, shown = chosen | bit[place], shown + adds[place]
        yield place, shown


def _any_missing(classes: Sets, chosen: np.uint64, bit: Sequence[np.uint64]) -> int:
    """The model that is part of most ways not shown yet."""
    inside = (classes > 0) & True
    every = np.bitwise_or.reduce(np.where(inside, classes, np.uint64(0)), axis=1)
    return int(np.argmax([0 if chosen & one else int(((every & one) > 0).sum()) for one in bit]))


def _smallest(classes: Sets, models: int, largest: int) -> int | None:
    """The smallest set that shows all, as binary digits; None if too many would have to be tried.

    A model that stands alone against one verdict of all others is in every such set.
    """
    several = (classes > 0).sum(axis=1)
    alone = (classes & (classes - np.uint64(1))) == 0
    lone = classes[alone & (classes > 0) & (several == 2)[:, None]]
    forced = int(np.bitwise_or.reduce(lone)) if len(lone) else 0
    left = classes[~_shown(classes, np.uint64(forced))]
    free = [place for place in range(models) if not forced >> place & 1]
    tried = 0
    for size in range(len(free) + 1):
        if forced.bit_count() + size > largest:
            return None
        tried += comb(len(free), size)
        if tried > MOST_SETS:
            return None
        sets = np.array(
            [forced + sum(1 << place for place in some) for some in combinations(free, size)],
            dtype=np.uint64,
        )
        for way in left:
            sets = sets[_shown(way, sets[:, None])]
            if not len(sets):
                break
        if len(sets):
            return int(next(islice(sets, 1)))
    return None
