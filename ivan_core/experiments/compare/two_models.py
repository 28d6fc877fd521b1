"""Two models of a comparison on the pairs that compare them fairly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivan_core.domain.runs import RunState
from ivan_core.metrics.comparison_sentences import difference_sentence
from ivan_core.metrics.paired import Difference, paired_difference, shared_rows
from ivan_core.metrics.training import fair_pairs, never_clear

if TYPE_CHECKING:
    import pandas as pd

    from ivan_core.experiments.compare.results import Results


@dataclass(frozen=True)
class TwoModels:
    """The pairs that a difference rests on, the difference, and what is against calling it clear.

    `left_out` counts pairs that one of the two was trained on.
    """

    first: str
    second: str
    shared: pd.DataFrame
    found: Difference | None
    left_out: int
    never_clear: str

    def sentence(self, results: Results) -> str:
        """How much more often one of them agrees, and what that is worth."""
        return difference_sentence(
            self.found,
            self.first,
            self.second,
            results.dataset.chosen_by,
            complete=results.run.state is RunState.DONE,
            left_out=self.left_out,
            never_clear=self.never_clear,
        )


def two_models(results: Results, first: str, second: str) -> TwoModels:
    """Compare two models on the pairs that neither was trained on, if there are any."""
    units = {model: unit for model, unit in results.typical_margins.items() if unit}
    both = shared_rows(results.table, first, second, units)
    shared = fair_pairs(both)
    against = never_clear(shared, results.training[first], results.training[second])
    left_out = len(both) - len(shared)
    return TwoModels(first, second, shared, paired_difference(shared), left_out, against)
