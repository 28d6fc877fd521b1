"""Many models as one, beside the best of them: their majority vote and their mean margin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ivan_core.metrics.intervals import Rate
from ivan_core.metrics.models.judged import AGREE, DISAGREE, TIE, UNRATED, Bools, Codes, Judged
from ivan_core.metrics.paired import SIGNIFICANT, Difference, difference_of_counts, holm

VOTE, MEAN = "majority vote", "mean margin"
LEAST_MODELS = 3
"""Of two models a vote is a tie wherever they differ."""


@dataclass(frozen=True, slots=True)
class Joined:
    """One way of joining the models, and how much more often it agrees than the best one.

    `p` is McNemar's mid-p and `adjusted` that of the family of all ways (Holm).
    """

    name: str
    found: Difference
    adjusted: float


@dataclass(frozen=True, slots=True)
class Joint:
    """What all models come to together, on the `n` rows that all of them rated.

    `best` is the model that agrees most often on these rows: it was picked on them. `left_out`
    counts rows that a model was trained on, `drawn` those on which the vote is a draw; `trained`
    are the models that were trained on some of those that are left, if no others are.
    """

    best: str
    rate: Rate
    ways: tuple[Joined, ...]
    left_out: int
    drawn: int
    trained: tuple[str, ...]

    @property
    def n(self) -> int:
        return self.rate.n

    def clear(self, way: Joined) -> bool:
        """Whether the difference is clear as far as numbers go."""
        return way.found.excludes_zero and way.adjusted < SIGNIFICANT and not self.trained


def joined_verdicts(judged: Judged) -> Mapping[str, Codes]:
    """The verdict of each way of joining models, on each row; -1 where a model did not rate it.

    The vote goes to the reply that more models prefer, a draw is a tie. The mean is that of margins
    in typical margins, so that no model counts for more because its rewards lie further apart.
    """
    every = np.asarray(judged.rated.all(axis=0))
    ahead = (judged.verdict == AGREE).sum(axis=0) - (judged.verdict == DISAGREE).sum(axis=0)
    mean = np.where(every, judged.margin, 0.0).mean(axis=0)
    return {VOTE: _sided(ahead.astype(np.float64), every), MEAN: _sided(mean, every)}


def _sided(value: np.ndarray, every: Bools) -> Codes:
    sided = np.select([value > 0, value < 0], [AGREE, DISAGREE], TIE)
    return np.where(every, sided, UNRATED).astype(np.int8)


def joint(judged: Judged) -> Joint | None:
    """The ways of joining models against the best single one.

    None below three models or where no row was rated by all. Differences are paired: Newcombe's
    interval and McNemar's exact test with mid-p, as wide as repeated prompts ask.
    """
    rows, left_out = judged.by_all()
    if len(judged.names) < LEAST_MODELS or not rows.any():
        return None
    agrees = judged.verdict[:, rows] == AGREE
    place = int(np.argmax(agrees.sum(axis=1)))
    best = agrees[place]
    compared = []
    for name, verdicts in joined_verdicts(judged).items():
        found = _against(judged, verdicts[rows] == AGREE, best, rows)
        if found is not None:
            compared.append((name, found))
    adjusted = holm([found.mid_p for _, found in compared])
    seen = (judged.seen[:, rows] == 1).any(axis=1)
    return Joint(
        best=judged.names[place],
        rate=compared[0][1].second,
        ways=tuple(
            Joined(name, found, float(p))
            for (name, found), p in zip(compared, adjusted, strict=True)
        ),
        left_out=left_out,
        drawn=int((joined_verdicts(judged)[VOTE][rows] == TIE).sum()),
        trained=tuple(name for name, one in zip(judged.names, seen, strict=True) if one),
    )


def _against(judged: Judged, ours: Bools, best: Bools, rows: Bools) -> Difference | None:
    both, only = int((ours & best).sum()), int((ours & ~best).sum())
    best_only, neither = int((~ours & best).sum()), int((~ours & ~best).sum())
    design = judged.design(ours.astype(np.float64) - best, rows)
    return difference_of_counts(both, only, best_only, neither, design=design)
