"""How often the reply that a model rewards most is a right one, by subset, beside what chance, the
longest and the shortest reply would reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.best_of_n.replies import Bools, Floats, Ints, Replies, picked
from ivan_core.metrics.intervals import Share, mean_share, units_of

RATES = [
    "model",
    "subset",
    "n",  # prompts all of whose replies the model rated
    "rate",  # the share of them for which it rewards a right reply most
    "low",
    "high",
    "effective_n",
    "chance",  # the same of a reply drawn at random
    "longest",  # the same of the longest reply, by characters
    "shortest",
    "shared",  # prompts for which several replies share the highest reward
    "pairs",  # the share of a prompt's pairs that the model has right, all prompts counting alike
    "pairs_low",
    "pairs_high",
    "left_out",  # prompts of which a reply has no reward
]
"""The columns of the table of rates; one row a model and subset, all prompts first."""


@dataclass(frozen=True, slots=True)
class BestOfN:
    """Prompts, what each model rewards their replies with, and on which its figures rest.

    `rewards` has one number a reply, `counted` says of which prompts a model's figures are.
    `subset` is the place of each prompt's subset in `subsets`, `units` its group of like prompts.
    """

    found: Replies
    rewards: Mapping[str, Floats]
    counted: Mapping[str, Bools]
    subset: Ints
    subsets: Sequence[str]
    units: Ints

    @property
    def sizes(self) -> tuple[int, int]:
        """The fewest and the most replies of a prompt."""
        return int(self.found.sizes.min()), int(self.found.sizes.max())

    def known(self, model: str) -> Bools:
        """Of which prompts a model's figures are: all of their replies have a reward."""
        rewards = np.add.reduceat(self.rewards[model], self.found.starts[:-1])
        return np.asarray(self.counted[model] & ~np.isnan(rewards))

    def rates(self) -> pd.DataFrame:
        """The table of rates (RATES)."""
        return pd.DataFrame(
            [row for model in self.rewards for row in self._of(model)], columns=RATES
        )

    def of(self, model: str) -> dict[str, object]:
        """The rates of a model on all its prompts, by the columns of the table."""
        return dict(zip(RATES, next(self._of(model)), strict=True))

    def _of(self, model: str) -> Iterator[tuple[object, ...]]:
        worth = _worth(self.found, self.rewards[model])
        yield self._row(model, ALL_SUBSETS, worth, self.counted[model])
        named = sorted((name, place) for place, name in enumerate(self.subsets))
        for name, place in named if len(named) > 1 else ():
            inside = self.counted[model] & (self.subset == place)
            if inside.any():
                yield self._row(model, name, worth, inside)

    def _row(
        self, model: str, subset: str, worth: Mapping[str, Floats], inside: Bools
    ) -> tuple[object, ...]:
        known = inside & ~np.isnan(worth["rate"])
        units = units_of(self.units[known], None)
        best, pairs = (mean_share(worth[name][known], units) for name in ("rate", "pairs"))
        return (
            model,
            subset,
            int(known.sum()),
            *_ends(best),
            best.effective_n if best else 0,
            *(_mean(worth[name][known]) for name in ("chance", "longest", "shortest")),
            int(worth["shared"][known].sum()),
            *_ends(pairs),
            int((inside & ~known).sum()),
        )


def _worth(found: Replies, rewards: Floats) -> dict[str, Floats]:
    """What each prompt is worth by each of the rates."""
    top = np.repeat(np.maximum.reduceat(rewards, found.starts[:-1]), found.sizes)
    tops = np.add.reduceat((rewards == top).astype(np.int64), found.starts[:-1])
    right = rewards[found.chosen] > rewards[found.rejected]
    of_pair, prompts = found.of_pair, len(found.items)
    return {
        "rate": picked(rewards, found),
        "chance": found.chance,
        "longest": picked(found.lengths, found),
        "shortest": picked(-found.lengths, found),
        "shared": (tops > 1).astype(np.float64),
        "pairs": np.bincount(of_pair, right, prompts) / np.bincount(of_pair, minlength=prompts),
    }


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else nan


def _ends(share: Share | None) -> tuple[float, float, float]:
    return (share.rate, share.low, share.high) if share else (nan, nan, nan)
