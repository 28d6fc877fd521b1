"""All that is told of many models on the same pairs, each part computed once when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ivan_core.metrics.models.disguise import Disguise, disguises
from ivan_core.metrics.models.fewest import Fewest, fewest_models
from ivan_core.metrics.models.grid import agreement_grid
from ivan_core.metrics.models.joint import LEAST_MODELS, Joint, joined_verdicts, joint
from ivan_core.metrics.models.judged import Codes, Judged
from ivan_core.metrics.models.likeness import Measure, by_likeness, likeness


@dataclass(frozen=True)
class ManyModels:
    """What models made of the same pairs; `subset` is for each row a place in `subsets`."""

    judged: Judged
    subset: NDArray[np.int64]
    subsets: tuple[str, ...]

    @cached_property
    def grid(self) -> pd.DataFrame:
        """Agreement by model and subset, in columns `grid.GRID`; what joins three or more of them
        stands among them."""
        joined = self.joined if len(self.judged.names) >= LEAST_MODELS else {}
        return agreement_grid(self.judged, self.subset, self.subsets, joined)

    @cached_property
    def singles(self) -> pd.DataFrame:
        """The same of the models alone."""
        return self.grid[self.grid["model"].isin(self.judged.names)]

    @cached_property
    def alike(self) -> pd.DataFrame:
        """How alike each two models are, in columns `likeness.LIKENESS`."""
        return likeness(self.judged)

    def left_out(self, first: str, second: str) -> int:
        """How many of the pairs that two models rated no number of both rests on."""
        return self.judged.shared(*map(self.judged.names.index, (first, second)))[1]

    def order(self, measure: Measure) -> list[str]:
        """The models, those beside each other that are alike by a measure."""
        return by_likeness(self.judged.names, self.alike, measure)

    @cached_property
    def disguises(self) -> list[Disguise]:
        """The groups of models that are the same one."""
        return disguises(self.judged, self.alike)

    @cached_property
    def fewest(self) -> Fewest | None:
        """The fewest models that show all disagreements."""
        return fewest_models(self.judged)

    @cached_property
    def joint(self) -> Joint | None:
        """What the models come to together."""
        return joint(self.judged)

    @cached_property
    def joined(self) -> dict[str, Codes]:
        """The verdict of each way of joining the models, row by row."""
        return dict(joined_verdicts(self.judged))

    @cached_property
    def split(self) -> NDArray[np.float64]:
        """How evenly the models part on each row: the share of pairs of them whose verdicts differ.

        0 where all have the same; NaN where fewer than two rated the row.
        """
        counts = np.stack([(self.judged.verdict == code).sum(axis=0) for code in range(3)])
        n = counts.sum(axis=0)
        pairs = n * (n - 1) / 2
        same = (counts * (counts - 1) / 2).sum(axis=0)
        return np.asarray(np.where(pairs > 0, 1 - same / np.maximum(pairs, 1), np.nan))
