"""Two models, or two comparisons, beside each other on the pairs that compare them fairly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivan_core.domain.errors import BadInput
from ivan_core.domain.runs import RunState
from ivan_core.experiments.compare.results import Results, open_results
from ivan_core.metrics.comparison_sentences import difference_sentence
from ivan_core.metrics.paired import Difference, paired_difference, shared_rows
from ivan_core.metrics.training import fair_pairs, never_clear
from ivan_core.metrics.two_runs import TwoRuns, two_runs, two_runs_sentence

if TYPE_CHECKING:
    import pandas as pd


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
            chosen_after_looking=results.whole is not None,
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


def beside(first: str, second: str) -> str:
    """Two comparisons in words. Raises BadInput as `compare_runs`."""
    return two_runs_sentence(compare_runs(first, second), first, second)


def compare_runs(first: str, second: str) -> TwoRuns:
    """Two comparisons on the rows they share.

    Raises:
        BadInput: there is no such run or nothing is finished, or the runs judged different datasets
            or no row in common.
    """
    ours, theirs = open_results(first), open_results(second)
    if ours.dataset.about["content"] != theirs.dataset.about["content"]:
        raise BadInput(
            f"Run {first} judged {ours.dataset.about['label']}, run {second} judged "
            f"{theirs.dataset.about['label']}, which holds other pairs.",
            "Only runs on the same dataset can be compared row by row.",
        )
    found = two_runs(ours.table, theirs.table, (ours.card_says, theirs.card_says))
    if not found.shared:
        raise BadInput(f"Runs {first} and {second} share no rows.", "Judge the same rows again.")
    return found
