"""Two comparisons beside each other, on the rows they share."""

from __future__ import annotations

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.compare.results import open_results
from ivan_core.metrics.two_runs import TwoRuns, two_runs, two_runs_sentence


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
